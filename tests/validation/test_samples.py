"""Lines that findings name are shown cut short, and never with a secret in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.domain.dataset import Role
from droptune.domain.findings import Finding, Severity
from droptune.validation import BytesSource, FileSource, Report, ValidationRequest, validate
from droptune.validation.masking import MASK, mask
from droptune.validation.rules import RULES
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.personal import rules as personal
from droptune.validation.rules.registry import Rule
from droptune.validation.rules.secrets import rules as secrets
from droptune.validation.samples import EACH, read_samples

LOOKED_FOR = [rule for family in (secrets, personal) for rule in family.rules]


def source_of(lines: Iterable[object]) -> BytesSource:
    """Return training data: objects as JSON lines, bytes as they are."""
    data = b"\n".join(
        each if isinstance(each, bytes) else json.dumps(each, ensure_ascii=False).encode()
        for each in lines
    )
    return BytesSource(name="training.jsonl", role=Role.TRAINING, data=data + b"\n")


def report_on(*lines: object) -> Report:
    """Return the report with its samples."""
    source = source_of(lines)
    report = validate([source], request=ValidationRequest())
    return replace(report, samples=read_samples([source], report.findings))


def texts(report: Report, rule: str) -> Sequence[str]:
    """Return the samples of a rule."""
    return [sample.text for sample in report.samples if sample.rule == rule]


@pytest.mark.parametrize("rule", LOOKED_FOR, ids=lambda rule: rule.id)
def test_what_a_rule_on_secrets_finds_is_in_no_sample(rule: Rule) -> None:
    """Each rule's own bad example is shown with the secret masked."""
    fails, _ = rule.cases()

    report = report_on(*fails.training)

    found = texts(report, rule.id)
    assert found
    assert all(MASK in text for text in found)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Server=x;AccountKey=abc123;EndpointSuffix=core", "EndpointSuffix=core"),
        ("curl -H 'Authorization: Bearer abcd1234efgh'", "Authorization"),
        ("https://x.blob.core.windows.net/c?sv=1&sig=abc%2Fdef", "blob.core"),
        ("postgres://ann:hunter22@db.example.com/x", "postgres"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", ""),
        ("password: hunter22!", "password"),
        ("write to ann.lee@example.com now", "write to"),
        ("my number is 0171 920 8834, thanks", "thanks"),
        ("token f3a9c1e07b5d48269e1f0c7a2b9d4e68", "token"),
    ],
)
def test_more_is_masked_than_rules_speak_of(text: str, kept: str) -> None:
    """A sample hides rather too much; what stands around is readable."""
    shown = mask(text)

    assert MASK in shown
    assert kept in shown
    assert not any(part in shown for part in ("hunter22", "abc123", "abcd1234", "ann.lee", "8834"))


def test_ordinary_text_is_not_masked() -> None:
    """Words, dates, small numbers and long identifiers of code stay."""
    text = (
        "On 2026-10-06 the internationalisation_of_everything took 1,234 s: see get_user_by_id()."
    )

    assert mask(text) == text


def test_secret_at_the_cut_is_not_shown_in_part() -> None:
    """A key that begins where the reading ends cannot be told from text, so it is left out."""
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    before = '{"role":"bot","content":"'
    body = "Q" * (12_000 - len(before + begin + end) - len("ghp_S3cr3t"))
    said = f"{begin}{body}{end}ghp_S3cr3t{'x9' * 20}"

    report = report_on({"messages": [{"role": "bot", "content": said}]})

    [text] = texts(report, "unknown-role")
    assert MASK in text
    assert "ghp_" not in text


def test_place_is_shown_with_what_is_around_it() -> None:
    """A short value alone would say nothing; the whole line would say too much."""
    bad = {"messages": [{"role": "bot", "content": "Ho"}, user(), assistant()]}

    [text] = texts(report_on(chat(), bad), "unknown-role")

    assert text == '{"role":"bot","content":"Ho"}'


def test_samples_are_few_and_short() -> None:
    """Three a rule and file, cut to a few lines."""
    bad = {"messages": [{"role": "bot", "content": "word " * 500}]}

    found = texts(report_on(*[bad] * 30), "unknown-role")

    assert len(found) == EACH
    assert all(len(text) < 400 for text in found)


@pytest.mark.parametrize(
    "line", [b"{", b"\xff\xfe", b'{"a":1,"a":2}', b"[" * 200, b"NaN", b'{"messages": [{}'], ids=repr
)
def test_line_that_holds_no_object_is_shown_as_it_is(line: bytes) -> None:
    """What cannot be parsed is still there to be seen."""
    report = report_on(chat(), line)

    shown = {sample.text for sample in report.samples if sample.line == 2}
    assert shown == {line.decode("utf-8", "replace")}


def test_file_that_is_gone_has_no_samples(tmp_path: Path) -> None:
    """Samples are read after the report; a file may have left by then."""
    path = tmp_path / "training.jsonl"
    path.write_text('{"messages": []}\n')
    source = FileSource(path=path, role=Role.TRAINING)
    report = validate([source], request=ValidationRequest())
    path.unlink()

    assert report.findings
    assert read_samples([source], report.findings) == ()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    ),
    st.text(alphabet="ab.[]019", max_size=12),
)
def test_any_path_into_any_line_gives_a_text(value: object, path: str) -> None:
    """Keys of the data may look like paths; a path that leads nowhere shows the line."""
    source = source_of([value])
    finding = Finding(
        rule="any", severity=Severity.ERROR, message="x", file=source.name, line=1, path=path
    )

    [sample] = read_samples([source], [finding])

    assert isinstance(sample.text, str)


def test_rules_on_secrets_are_registered() -> None:
    """The families that the masking is tested with are those that are applied."""
    assert {rule.id for rule in LOOKED_FOR} <= RULES.keys()
