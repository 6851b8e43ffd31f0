"""What a validation says of files, good and bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.domain.dataset import Role
from droptune.validation import BytesSource, FileSource, Report, ValidationRequest, validate
from droptune.validation.tokens import load_encoding

SHARED = Path(__file__).parents[3] / "shared" / "data"


def an_example(number: int = 0, role: str = "user") -> bytes:
    messages = [
        {"role": role, "content": f"question {number}"},
        {"role": "assistant", "content": "answer"},
    ]
    return json.dumps({"messages": messages}).encode() + b"\n"


GOOD = b"".join(an_example(number) for number in range(12))


def report_on(data: bytes, *, role: Role = Role.TRAINING) -> Report:
    sources = [BytesSource(name=f"{role.value}.jsonl", role=role, data=data)]
    return validate(sources, request=ValidationRequest(model="gpt-4.1-mini"))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty-file"),
        (b"\x1f\x8b\x08rest", "not-jsonl"),
        (b"\xff\xfea\x00", "utf-16"),
        (b"[{}]\n", "json-array"),
        (b"prompt,answer\nhi,ho\n", "csv"),
        (GOOD[:-20], "broken-off"),
        (GOOD + b"\xff\n", "not-utf-8"),
        (GOOD + b"3\n", "not-an-object"),
        (GOOD + b'{"a": NaN}\n', "not-a-number"),
        (GOOD + b'{"a": 1, "a": 2}\n', "duplicate-key"),
        (GOOD + b'{"a":' + b"[" * 50_000 + b"\n", "too-deep"),
        (GOOD + an_example(99, role="bot"), "unknown-role"),
        (GOOD + b'{"messages": []}\n', "missing-messages"),
        (GOOD + b'{"messages": [{"role": "user", "content": "a"}]}\n', "no-assistant-message"),
        (an_example() * 1, "too-few-examples"),
    ],
)
def test_bad_data_is_rejected_with_a_rule(data: bytes, rule: str) -> None:
    """Whatever is wrong has a stable name, a sentence and a remedy."""
    report = report_on(data)

    assert report.verdict == "reject"
    assert rule in [found.rule for found in report.errors()]
    assert all(found.message and found.fix for found in report.errors())


@pytest.mark.parametrize("large", [False, True], ids=["few lines", "many lines"])
@pytest.mark.parametrize(
    ("user", "found"),
    [
        (rb'"role": "user", "content": ":a", "content": "b"', ["duplicate-key"]),
        (rb'"role": "user", "content": "b", "content": ":a"', ["duplicate-key"]),
        (rb'"role": "user", "content": ":a", "content": "\u003ab"', ["duplicate-key"]),
        (rb'"role": "user", "content": "b", "c\u006fntent": "a"', ["duplicate-key"]),
        (rb'"role": "user", "content": ":a"', []),
        (rb'"role": "user", "content": "\u003aa"', []),
        (rb'"role": "user", "content": "{\"a\": \"\\\\\": 1}"', []),
    ],
)
def test_key_twice_is_found_however_texts_begin(user: bytes, found: list[str], large: bool) -> None:
    """Quotes before colons are counted, and a text that begins with a colon looks like a key."""
    line = b'{"messages": [{%s}, {"role": "assistant", "content": "c"}]}\n' % user

    report = report_on(GOOD * (300 if large else 1) + line)

    assert [each.rule for each in report.errors()] == found


@pytest.mark.parametrize(
    "data", [GOOD, GOOD.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + GOOD, GOOD[:-1]]
)
def test_good_data_is_accepted(data: bytes) -> None:
    """Line endings, a byte order mark and a missing last newline do no harm."""
    report = report_on(data)

    assert report.verdict == "accept"
    assert report.files[0].examples == 12


def test_wrong_role_names_line_and_field() -> None:
    """The message repairs the file: where, what, and what would be right."""
    [found] = report_on(GOOD + an_example(99, role="bot")).errors()

    assert (found.line, found.path) == (13, "messages[0].role")
    assert found.message.startswith('line 13: messages[0].role: "bot" is not one of')
    assert found.fix == 'Use "assistant".'


def test_many_of_a_kind_are_listed_twenty_times_and_counted() -> None:
    """A file that is wrong everywhere does not fill a screen."""
    report = report_on(b"".join(an_example(number, role="bot") for number in range(50)))

    found = [each for each in report.errors() if each.rule == "unknown-role"]
    assert len(found) == 21
    assert sum(each.count for each in found) == 50


def test_report_reads_back_the_same() -> None:
    """The stored document gives back the report."""
    report = report_on(GOOD)

    assert Report.from_payload(report.to_payload()) == report


@pytest.mark.parametrize("name", ["clippy", "gsm8k", "stock-tools"])
def test_real_datasets_are_accepted_with_the_recipe_s_tokens(name: str) -> None:
    """Real data has no errors, and its plain messages count as the published recipe counts them."""
    if not SHARED.is_dir():
        pytest.skip("the shared datasets are not on this machine")
    path = next(path for path in (SHARED / name).glob("*.jsonl") if "train" in path.name)

    report = validate(
        [FileSource(path=path, role=Role.TRAINING)], request=ValidationRequest(model="gpt-4o")
    )

    assert report.verdict == "accept"
    assert report.files[0].tokens["total"].sum == recipe_tokens(path)


def recipe_tokens(path: Path) -> int:
    """Count as the recipe is published: 3 a message, string values, 1 for a name, 3 an example."""
    encoding = load_encoding("o200k_base")
    total = 0
    for line in path.read_text("utf-8").splitlines():
        for message in json.loads(line)["messages"]:
            values = [value for value in message.values() if isinstance(value, str)]
            total += 3 + ("name" in message) + sum(len(encoding.encode(v)) for v in values)
        total += 3
    return total


@pytest.mark.parametrize(
    ("method", "rules"),
    [
        ("dpo", {"wrong-format", "missing-input", "missing-output"}),
        ("reinforcement", {"last-message-not-user", "missing-grader-field"}),
    ],
)
def test_plain_chat_for_another_method_is_rejected(method: str, rules: set[str]) -> None:
    """The most usual lines are wrong there, each of them, whatever makes them quick to read."""
    source = BytesSource(name="training.jsonl", role=Role.TRAINING, data=GOOD)
    request = ValidationRequest(method=method, grader_fields=("reference",))

    report = validate([source], request=request)

    told = {each.rule: each.count for each in report.errors() if each.line == 1}
    assert report.verdict == "reject"
    assert rules <= told.keys()
