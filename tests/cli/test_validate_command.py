"""`validate`: files of this machine, offline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.cli.given import sort_given
from droptune.cli.main import main
from droptune.domain.dataset import Role

GOOD = json.dumps(
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}
)
JOB = "model: gpt-4.1-mini\nmethod: {type: supervised}\n"


def a_dataset(place: Path, *, bad: str = "", job: str = JOB) -> Path:
    """Write a dataset of ten examples, and a bad one after them."""
    lines = [GOOD.replace("Hi", f"Hi {number}") for number in range(10)]
    text = "\n".join([*lines, *([bad] if bad else [])]) + "\n"
    (place / "training.jsonl").write_text(text)
    (place / "fine-tune-job.yaml").write_text(job)
    return place


def test_files_get_their_role_by_name(tmp_path: Path) -> None:
    """Names tell roles; data with another name is training data; YAML is the configuration."""
    names = ("data.jsonl", "val.jsonl", "test_set.jsonl", "fine-tune-job.yaml")
    for name in names:
        (tmp_path / name).write_text("")

    given = sort_given([tmp_path / name for name in names])

    assert [role for _, role in given.data] == [Role.TRAINING, Role.VALIDATION, Role.TEST]
    assert given.job_file == tmp_path / "fine-tune-job.yaml"


def test_folder_is_read_as_a_dataset(tmp_path: Path) -> None:
    """In a folder only files with a role and the configuration count."""
    (tmp_path / "train").mkdir()
    for name in ("train/part-1.jsonl", "notes.md", "other.yaml", "fine-tune-job.yaml"):
        (tmp_path / name).write_text("")

    given = sort_given([tmp_path])

    assert [path.name for path, _ in given.data] == ["part-1.jsonl"]
    assert given.job_file == tmp_path / "fine-tune-job.yaml"


def test_good_data_is_accepted_with_its_price(tmp_path: Path, capsys) -> None:
    """The report document is alone on stdout and the exit code is 0."""
    code = main(["validate", str(a_dataset(tmp_path)), "--json"])

    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert report["verdict"] == "accept"
    assert report["model"] == "gpt-4.1-mini"
    assert report["cost"]["high"] > 0


def test_bad_line_is_named_and_the_code_is_1(tmp_path: Path, capsys) -> None:
    """A wrong role is a sentence with its line, on a terminal as in the document."""
    folder = a_dataset(tmp_path, bad=GOOD.replace("assistant", "bot"))

    assert main(["validate", str(folder)]) == 1

    assert "line 11" in capsys.readouterr().out


@pytest.mark.parametrize("job", ["modle: gpt-4.1-mini\n", "model: [\n"])
def test_bad_configuration_rejects_good_data(tmp_path: Path, job: str, capsys) -> None:
    """What is wrong with fine-tune-job.yaml stands among the findings with its file."""
    code = main(["validate", str(a_dataset(tmp_path, job=job)), "--json"])

    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert report["verdict"] == "reject"
    assert report["findings"][0]["file"] == "fine-tune-job.yaml"


def test_named_model_goes_before_the_files(tmp_path: Path, capsys) -> None:
    """--model asks what another model would make of the same data."""
    main(["validate", str(a_dataset(tmp_path)), "--model", "gpt-4o", "--json"])

    assert json.loads(capsys.readouterr().out)["model"] == "gpt-4o"


def test_two_configurations_are_refused(tmp_path: Path) -> None:
    """One dataset has one configuration."""
    a_dataset(tmp_path)
    (tmp_path / "other.yaml").write_text(JOB)

    assert main(["validate", str(tmp_path), str(tmp_path / "other.yaml")]) == 2


def test_address_that_the_configuration_allows_is_no_finding(tmp_path: Path, capsys) -> None:
    """`pipeline.validation.allow` names what may stand in texts; everything else is told of."""
    letters = GOOD.replace("Hello.", "Ask maria.lindqvist@nordhavn.net or o.berg@example-bygg.se.")
    allow = "pipeline: {validation: {allow: ['@nordhavn.net']}}\n"
    folder = a_dataset(tmp_path, bad=letters, job=JOB + allow)

    main(["validate", str(folder), "--json"])

    found = [
        each
        for each in json.loads(capsys.readouterr().out)["findings"]
        if each["rule"] == "email-address"
    ]
    assert [(each["line"], each["count"]) for each in found] == [(11, 1)]
    assert "o" in found[0]["message"]
    assert "nordhavn" not in found[0]["message"]


@pytest.mark.parametrize("allow", ["''", ".se", "7", "[a]"])
def test_what_would_allow_nearly_everything_is_refused(tmp_path: Path, allow: str, capsys) -> None:
    """An ending of fewer than four characters is a mistake in the configuration."""
    job = JOB + f"pipeline: {{validation: {{allow: [{allow}]}}}}\n"

    assert main(["validate", str(a_dataset(tmp_path, job=job)), "--json"]) == 1

    [found] = json.loads(capsys.readouterr().out)["findings"][:1]
    assert found["path"] == "pipeline.validation.allow[0]"


def test_report_of_an_earlier_version_is_refused(tmp_path: Path, capsys) -> None:
    """A report keeps no rows to compare with; the sentence says what to name instead."""
    folder = a_dataset(tmp_path)
    main(["validate", str(folder), "--json"])
    report = tmp_path / "report.json"
    report.write_text(capsys.readouterr().out)

    code = main(["validate", str(folder / "training.jsonl"), "--earlier", str(report)])

    said = capsys.readouterr().err
    assert code == 2
    assert "is a report" in said
    assert "Name the folder of the earlier version" in said


def test_schema_of_the_report_is_printed(capsys) -> None:
    """Whoever reads the document needs neither the repository nor an app to know its fields."""
    assert main(["validate", "--schema"]) == 0

    assert json.loads(capsys.readouterr().out)["title"] == "Droptune report on a dataset"


def test_several_datasets_are_told_apart(tmp_path: Path, capsys) -> None:
    """Each report stands under its folder's name, or its file's: files have the same names."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        a_dataset(tmp_path / name)
    bare = tmp_path / "letters.jsonl"
    bare.write_text(GOOD)

    main(["validate", "--by-folder", str(tmp_path / "one"), str(tmp_path / "two"), str(bare)])

    said = capsys.readouterr().out.splitlines()
    places = [str(tmp_path / "one"), str(tmp_path / "two"), str(bare)]
    assert [line for line in said if line in places] == places
