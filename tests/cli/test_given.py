"""What the command line names: files, folders, pipes, many at once, and what is not there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from droptune.cli.given import sort_by_folder, sort_given
from droptune.cli.main import main
from droptune.cli.refusals import Exit, Refusal
from droptune.domain.dataset import Role

ROOT = Path(__file__).parents[2]
LINE = '{"messages": [{"role": "user", "content": "%d?"}, {"role": "assistant", "content": "A"}]}\n'
GOOD = "".join(LINE % n for n in range(60))


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a process."""
    command = [sys.executable, "-m", "droptune.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, input=given, capture_output=True, check=False)


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_training_data(name: str) -> None:
    """It is read once and called what it is."""
    done = run(
        "validate", name, "--format", "github", given=GOOD.replace("user", "bot", 1).encode()
    )

    assert done.returncode == 1, done.stderr
    assert b"::error file=standard input,line=1," in done.stdout


def test_named_pipe_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a shell gives it with <(command)."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(GOOD,))
    writer.start()

    code = main(["validate", str(pipe)])

    writer.join()
    assert code == 0
    assert "60 examples" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["missing.jsonl", "empty", "locked/training.jsonl"])
def test_what_is_not_there_is_a_sentence_and_wrong_usage(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing file, a folder without data: named, with what would be right."""
    (tmp_path / "empty").mkdir()

    code = main(["validate", str(tmp_path / name)])

    said = capsys.readouterr().err
    assert code == 2
    assert str(tmp_path / name) in said
    assert "Traceback" not in said
    assert len(said.splitlines()) == 2


def test_refusal_of_a_program_s_call_is_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--format json` prints a document in any case."""
    code = main(["validate", str(tmp_path / "no.jsonl"), "--format", "json"])

    assert code == 2
    assert '"code": "wrong-usage"' in capsys.readouterr().out


@pytest.mark.parametrize("reads", [0, 1, 40])
def test_reader_who_leaves_changes_no_verdict(tmp_path: Path, reads: int) -> None:
    """`droptune validate … | head -1` ends with the verdict's code and says nothing more."""
    bad = tmp_path / "training.jsonl"
    bad.write_text(GOOD.replace("user", "bot"))
    command = [sys.executable, "-m", "droptune.cli", "validate", str(bad), "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(reads)
        process.stdout.close()
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_disk_is_a_sentence() -> None:
    """What cannot be printed is no traceback."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "droptune.cli", "validate", "samples/broken"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == Exit.NOT_REACHED
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_letters_that_a_terminal_has_not_are_escaped(tmp_path: Path) -> None:
    """An old encoding gets escapes, not a traceback."""
    (tmp_path / "training.jsonl").write_text(GOOD)
    environ = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "droptune.cli", "validate", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert b"\\u2713 Accepted" in done.stdout


def test_two_hundred_files_of_one_name_can_be_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is called by its path, and the bad one is named."""
    files = [tmp_path / f"{n:03}" / "training.jsonl" for n in range(200)]
    for n, file in enumerate(files):
        file.parent.mkdir()
        file.write_text("".join(LINE % (2 * n + m) for m in range(2)))
    files[123].write_text(files[123].read_text().replace("user", "bot", 1))

    code = main(["validate", *map(str, files), "--format", "github"])

    assert code == 1
    assert f"::error file={files[123]},line=1," in capsys.readouterr().out


def test_file_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    """By itself and in its folder: it is one file."""
    file = tmp_path / "training.jsonl"
    file.write_text(GOOD)

    given = sort_given([tmp_path, file, tmp_path / "." / "training.jsonl"])

    assert len(given.data) == 1


def test_parts_keep_their_folder_in_their_name(tmp_path: Path) -> None:
    """Two roles may have a part of the same name."""
    for role in ("train", "validation"):
        (tmp_path / role).mkdir()
        (tmp_path / role / "part-1.jsonl").write_text(GOOD)

    given = sort_given([tmp_path])

    assert [given.label(path) for path, _ in given.data] == [
        "train/part-1.jsonl",
        "validation/part-1.jsonl",
    ]
    assert [role for _, role in given.data] == [Role.TRAINING, Role.VALIDATION]


def test_by_folder_each_folder_is_read_whole(tmp_path: Path) -> None:
    """A changed file brings its folder; a file without a telling name is a dataset by itself."""
    for name in ("a/training.jsonl", "a/validation.jsonl", "b/training.jsonl", "c/x.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(GOOD)
    (tmp_path / "a" / "fine-tune-job.yaml").write_text("model: gpt-4.1-mini\n")
    named = ("a/training.jsonl", "a/validation.jsonl", "b/training.jsonl", "c/x.jsonl")

    found = sort_by_folder([tmp_path / name for name in named])

    assert [len(given.data) for given in found] == [2, 1, 1]
    assert found[0].job_file == tmp_path / "a" / "fine-tune-job.yaml"


@pytest.mark.parametrize("option", ["--html", "--fix", "--earlier"])
def test_what_is_for_one_dataset_is_refused_for_two(tmp_path: Path, option: str) -> None:
    """One output cannot hold two reports."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "training.jsonl").write_text(GOOD)
    named = [str(tmp_path / name) for name in ("a", "b")]

    assert main(["validate", "--by-folder", *named, option, str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["", "training.jsonl", "used"])
def test_corrected_copy_never_lies_over_anything(tmp_path: Path, out: str) -> None:
    """Not in the source's folder, not over a file, not into a folder that is used."""
    (tmp_path / "training.jsonl").write_text("\n" + GOOD)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("")
    before = sorted(path.name for path in tmp_path.rglob("*"))

    code = main(["validate", str(tmp_path / "training.jsonl"), "--fix", str(tmp_path / out)])

    assert code == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert (tmp_path / "training.jsonl").read_text() == "\n" + GOOD


def test_file_without_lines_is_left_out_of_the_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is compressed cannot be corrected line by line, which is said."""
    (tmp_path / "training.jsonl").write_text(GOOD)
    (tmp_path / "validation.jsonl").write_bytes(b"\x1f\x8b\x08" + bytes(40))

    code = main(["validate", str(tmp_path), "--fix", str(tmp_path / "out")])

    assert code == 1
    assert "validation.jsonl  left out" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["training.jsonl"]


def test_refusal_is_raised_where_nothing_is_named_that_holds_data(tmp_path: Path) -> None:
    """A configuration alone is no dataset."""
    (tmp_path / "fine-tune-job.yaml").write_text("model: x\n")

    with pytest.raises(Refusal, match="no data file"):
        sort_given([tmp_path / "fine-tune-job.yaml"])


def test_file_that_may_not_be_read_is_a_finding(tmp_path: Path) -> None:
    """The report names it, as it names whatever else keeps a dataset from training."""
    path = tmp_path / "training.jsonl"
    path.write_text("{}")
    path.chmod(0)
    bound = "-dac_override,-dac_read_search"
    command = ["setpriv", f"--bounding-set={bound}", f"--inh-caps={bound}"] if may_all() else []

    ended = subprocess.run(
        [*command, sys.executable, "-m", "droptune.cli", "validate", "--json", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    report = json.loads(ended.stdout)
    assert (ended.returncode, report["verdict"]) == (1, "reject")
    assert "unreadable-file" in [each["rule"] for each in report["findings"]]


def may_all() -> bool:
    """Whether permissions mean nothing to this user; its rights are given up then, or it skips."""
    if os.name == "nt" or (os.geteuid() == 0 and not shutil.which("setpriv")):
        pytest.skip("every file may be read here")
    return os.geteuid() == 0
