"""Commands that write new files from a dataset: divided, converted, corrected, shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from droptune.cli.main import main
from droptune.domain.dataset import Role
from droptune.validation.rewriting.converting import Converter, NotConvertibleError


def example(question: str, answer: str = "So it is.") -> dict[str, Any]:
    """Return a chat example."""
    said = [("user", question), ("assistant", answer)]
    return {"messages": [{"role": role, "content": text} for role, text in said]}


def write(path: Path, *rows: dict[str, Any] | str) -> Path:
    """Write rows as JSONL; a text stands as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def lines_of(path: Path) -> list[str]:
    """Return a file's lines."""
    return path.read_text(encoding="utf-8").splitlines()


REPLY = {"role": "assistant", "content": "So it is."}
LONG = "Which of the many lighthouses along the northern coast was built before the great storm of"


def test_file_is_divided_the_same_each_time_and_nothing_is_lost(tmp_path: Path) -> None:
    """Every line goes to one file, unchanged; the same seed draws the same lines."""
    rows = [example(f"What is the story of number {n} in the long list?") for n in range(40)]
    file = write(tmp_path / "all.jsonl", *rows)

    codes = [main(["split", str(file), str(tmp_path / name), "--test", "0.1"]) for name in "ab"]

    parts = {role: lines_of(tmp_path / "a" / f"{role.value}.jsonl") for role in Role}
    assert codes == [0, 0]
    assert sorted(line for part in parts.values() for line in part) == sorted(lines_of(file))
    assert len(parts[Role.VALIDATION]) == 4
    assert len(parts[Role.TEST]) == 4
    assert all(
        lines_of(tmp_path / "b" / f"{role.value}.jsonl") == lines for role, lines in parts.items()
    )


def test_duplicates_stay_together(tmp_path: Path) -> None:
    """No validation example stands in the training data, exactly or nearly."""
    rows = [example(f"{LONG} {1000 + 37 * n}, and who kept it for {n} years?") for n in range(12)]
    twins = [example(row["messages"][0]["content"].upper()) for row in rows]
    file = write(tmp_path / "all.jsonl", *rows, *rows, *twins)

    main(["split", str(file), str(tmp_path / "out"), "--validation", "0.3"])

    kept = {
        role: {json.loads(line)["messages"][0]["content"].lower() for line in lines_of(path)}
        for role, path in ((r, tmp_path / "out" / f"{r}.jsonl") for r in ("training", "validation"))
    }
    assert kept["validation"]
    assert not kept["training"] & kept["validation"]


def test_large_group_is_not_torn_and_does_not_fill_the_validation_data(tmp_path: Path) -> None:
    """A question that stands thirty times stays where it is; a share is never far exceeded."""
    rows = [example(f"What is the story of number {n} in the long list?") for n in range(30)]
    file = write(tmp_path / "all.jsonl", *[example("Who?")] * 30, *rows)

    main(["split", str(file), str(tmp_path / "out"), "--validation", "0.1"])

    assert len(lines_of(tmp_path / "out" / "validation.jsonl")) == 6
    assert json.dumps(example("Who?")) in lines_of(tmp_path / "out" / "training.jsonl")


def test_other_seed_draws_others(tmp_path: Path) -> None:
    """The seed decides which, not how many."""
    rows = [example(f"What is the story of number {n} in the long list?") for n in range(60)]
    file = write(tmp_path / "all.jsonl", *rows)

    for seed in ("1", "2"):
        main(["split", str(file), str(tmp_path / seed), "--seed", seed])

    drawn = [lines_of(tmp_path / seed / "validation.jsonl") for seed in ("1", "2")]
    assert len(drawn[0]) == len(drawn[1]) == 6
    assert set(drawn[0]) != set(drawn[1])


def test_split_does_not_write_beside_the_source(tmp_path: Path) -> None:
    """Nothing is changed in place."""
    file = write(tmp_path / "all.jsonl", example("Who?"))

    code = main(["split", str(file), str(tmp_path)])

    assert code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


@pytest.mark.parametrize(
    ("foreign", "roles"),
    [
        (
            {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
            ["user", "assistant"],
        ),
        (
            {"instruction": "Say hi", "input": "to Ada", "output": "Hi Ada"},
            ["user", "assistant"],
        ),
        ({"prompt": "Say hi", "completion": " Hi"}, ["user", "assistant"]),
        (
            {"system": "Be brief.", "question": "Who?", "answer": "Ada"},
            ["system", "user", "assistant"],
        ),
        (
            {
                "contents": [
                    {"role": "user", "parts": [{"text": "Hi"}]},
                    {"role": "model", "parts": [{"text": "Ho"}]},
                ]
            },
            ["user", "assistant"],
        ),
        (
            {"custom_id": "1", "body": {"messages": example("Who?")["messages"], "tools": []}},
            ["user", "assistant"],
        ),
        (
            {"prompt": example("Who?")["messages"][:1], "completion": [REPLY]},
            ["user", "assistant"],
        ),
        (example("Who?"), ["user", "assistant"]),
    ],
)
def test_known_shape_becomes_messages_with_every_text(
    foreign: dict[str, Any], roles: list[str]
) -> None:
    """All that was said is said by the right role."""
    _, converted = Converter(["custom_id"]).convert(foreign)

    assert [message["role"] for message in converted["messages"]] == roles
    assert converted["messages"][-1]["content"]


@pytest.mark.parametrize(
    "foreign",
    [
        {"instruction": "Say hi", "output": "Hi", "rating": 5},
        {"conversations": [{"from": "observer", "value": "Hm"}]},
        {"conversations": [{"from": "human", "value": "Hi", "weight": 1}]},
        {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png"}}]}]},
        {"conversations": [{"from": "human", "value": "Hi"}]},
        {"conversations": [{"from": "gpt", "value": "Hi"}], "id": "7"},
        {"custom_id": "1", "body": {}},
        {"custom_id": "1", "body": {"messages": example("Who?")["messages"]}},
        {"body": {"messages": example("Who?")["messages"], "temperature": 0.2}},
        {"body": {"messages": example("Who?")["messages"][:1]}},
        {"prompt": ["Hi"], "completion": "Ho"},
        {"text": "Hello"},
    ],
)
def test_what_would_lose_something_is_refused(foreign: Any) -> None:
    """A conversion that drops what somebody wrote is none."""
    with pytest.raises(NotConvertibleError):
        Converter().convert(foreign)


def test_key_that_may_get_lost_is_left_out(tmp_path: Path) -> None:
    """Only what is named is dropped, wherever in the shape it stands."""
    turns = [{"from": "human", "value": "Hi", "hash": 1}, {"from": "gpt", "value": "Ho"}]
    file = write(tmp_path / "old.jsonl", {"id": "a", "conversations": turns})
    new = tmp_path / "new.jsonl"

    refused = main(["convert", str(file), str(new), "--drop", "id"])
    done = main(["convert", str(file), str(new), "--drop", "id", "--drop", "hash"])

    assert (refused, done) == (1, 0)
    assert json.loads(new.read_text())["messages"][1] == {"role": "assistant", "content": "Ho"}


def test_line_that_holds_messages_is_copied_to_the_byte(tmp_path: Path) -> None:
    """A mixed file keeps what is right already as it was written."""
    odd = (
        '{ "messages" : [{"role":"user","content":"\\u00e9"},{"role":"assistant","content":"A"}] }'
    )
    file = write(tmp_path / "old.jsonl", odd, {"question": "Who?", "answer": "Ada"})

    main(["convert", str(file), str(tmp_path / "new.jsonl")])

    assert lines_of(tmp_path / "new.jsonl")[0] == odd


def test_convert_names_the_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line that cannot be converted is named or counted; no file is half-written."""
    good = {"prompt": "Say hi", "completion": "Hi"}
    twice = '{"prompt": "Hi", "completion": "Ho", "prompt": "Hm"}'
    many = [good | {"id": n} for n in range(30)]
    file = write(tmp_path / "old.jsonl", good, twice, *many, "{")

    code = main(["convert", str(file), str(tmp_path / "new.jsonl")])

    said = capsys.readouterr().err
    assert code == 1
    assert "line 2: the key 'prompt' stands twice" in said
    assert "line 3: it also has 'id', which would be lost." in said
    assert "and 12 more." in said
    assert "--drop" in said
    assert [path.name for path in tmp_path.iterdir()] == ["old.jsonl"]


def test_converted_file_is_accepted(tmp_path: Path) -> None:
    """What `convert` writes is what `validate` wants."""
    rows = [{"prompt": f"Say {n}", "completion": f"It is {n}."} for n in range(12)]
    file, new = write(tmp_path / "old.jsonl", *rows), tmp_path / "training.jsonl"

    codes = [main(["convert", str(file), str(new)]), main(["validate", str(new), "--json"])]

    assert codes == [0, 0]


def test_corrected_copy_changes_only_what_is_safe(tmp_path: Path) -> None:
    """Mark, line ends, blank lines and repeated examples go; every other byte stays."""
    odd = '{ "messages":[{"role":"user","content":"Who?"},{"role":"assistant","content":"A"}] }'
    rows = [json.dumps(example(f"Number {n}?")) for n in range(12)]
    data = b"\xef\xbb\xbf" + "\r\n".join([odd, rows[0], "", rows[0], *rows[1:]]).encode()
    source = tmp_path / "training.jsonl"
    source.write_bytes(data)

    code = main(["validate", str(source), "--fix", str(tmp_path / "out"), "--json"])

    assert code == 0
    fixed = (tmp_path / "out" / "training.jsonl").read_bytes()
    assert fixed == "\n".join([odd, *rows, ""]).encode()
    assert source.read_bytes() == data


def bad_file(tmp_path: Path) -> Path:
    """Return a dataset with a wrong role and hostile content."""
    rows = [example(f"Number {n}?", "<script>alert(1)</script>") for n in range(12)]
    rows[2]["messages"][0]["role"] = "bot%0A::error::x"
    return write(tmp_path / "training.jsonl", *rows)


def test_annotations_stand_at_their_lines_and_cannot_be_forged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub shows each finding at its line; what data says is escaped; the summary grows."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    code = main(["validate", str(bad_file(tmp_path)), "--format", "github"])

    said = capsys.readouterr().out
    errors = [line for line in said.splitlines() if line.startswith("::error")]
    assert code == 1
    assert len(errors) == 1
    assert "line=3" in errors[0]
    assert "bot%250A" in errors[0]
    assert "Rejected: 1 error" in summary.read_text()


def test_sarif_names_rule_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SARIF 2.1.0, as code scanning reads it."""
    main(["validate", str(bad_file(tmp_path)), "--format", "sarif"])

    document = json.loads(capsys.readouterr().out)
    [run] = document["runs"]
    result = next(each for each in run["results"] if each["level"] == "error")
    place = result["locations"][0]["physicalLocation"]
    assert document["version"] == "2.1.0"
    assert run["tool"]["driver"]["name"]
    assert result["ruleId"] == "unknown-role"
    assert place["artifactLocation"]["uri"].endswith("training.jsonl")
    assert place["region"]["startLine"] == 3
    assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_html_report_stands_alone_and_runs_nothing(tmp_path: Path) -> None:
    """One file, nothing from outside, no script, and hostile content only as text."""
    page = tmp_path / "report.html"

    code = main(["validate", str(bad_file(tmp_path)), "--html", str(page), "--json"])

    text = page.read_text(encoding="utf-8")
    assert code == 1
    assert "<script" not in text.lower()
    assert 'src="http' not in text
    assert "url(http" not in text
    assert "unknown-role" in text


def test_earlier_version_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report ends with what came and went since."""
    before, after = tmp_path / "v1", tmp_path / "v2"
    before.mkdir()
    after.mkdir()
    rows = [example(f"Number {n}?") for n in range(13)]
    write(before / "training.jsonl", *rows[:12])
    write(after / "training.jsonl", *rows[1:])

    main(["validate", str(after), "--earlier", str(before), "--json"])

    [diff] = json.loads(capsys.readouterr().out)["diff"]
    assert (diff["added"], diff["removed"]) == (1, 1)
