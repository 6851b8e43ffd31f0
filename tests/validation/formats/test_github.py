"""What GitHub Actions reads: commands that mark lines, and a summary in Markdown."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from droptune.validation.formats.github import job_summary, workflow_commands
from tests.validation.formats.documents import a_document, a_finding

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:]*,?)+)::(.*)")
HOSTILE = "x\r\n::set-output name=a::b%0A,title=c:d | <img src=x> `code` @octocat [a](http://b) *b*"


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """Return kind, properties and message of a command, unescaped as GitHub does."""
    found = COMMAND.fullmatch(line)
    assert found, line
    pairs = (each.split("=", 1) for each in found[2].split(","))
    return found[1], {key: unquote(value) for key, value in pairs}, unquote(found[3])


def test_finding_marks_its_line_in_the_file_as_it_lies() -> None:
    """File as it was named on the command line, line, rule as title, sentence and remedy."""
    text = workflow_commands(a_document(a_finding()), {"training.jsonl": "data/v1/training.jsonl"})

    properties = {"file": "data/v1/training.jsonl", "line": "3", "title": "unknown-role"}
    assert parsed(text.strip()) == ("error", properties, "line 3: it is wrong. Mend it.")


def test_worst_come_first() -> None:
    """GitHub shows ten of each kind: the worst are not lost behind notes."""
    kinds = ("info", "warning", "error")

    text = workflow_commands(a_document(*(a_finding(severity=kind) for kind in kinds)), {})

    assert re.findall(r"^::(\w+)", text, re.M) == ["error", "warning", "notice"]


def test_finding_on_the_dataset_has_no_file() -> None:
    """It stands with the job, not at a line."""
    text = workflow_commands(a_document(a_finding(file=None, line=None)), {})

    assert parsed(text.strip())[1] == {"title": "unknown-role"}


def test_data_cannot_forge_a_command() -> None:
    """Whatever stands in file, message or remedy, one finding is one line, read back as it was."""
    found = a_finding(HOSTILE, file=HOSTILE, fix=HOSTILE)

    [line] = workflow_commands(a_document(found), {}).splitlines()

    _, properties, message = parsed(line)
    assert properties["file"] == HOSTILE
    assert message == f"{HOSTILE} {HOSTILE}"


def test_summary_tells_verdict_findings_figures_and_price() -> None:
    """What a person sees below the job."""
    text = job_summary(a_document(a_finding(), verdict="reject", budget_usd=5.0))

    assert text.startswith("## ❌ Rejected: 1 error in 60 examples.")
    assert "unknown&#45;role" in text
    assert "| 60 |" in text
    assert "- **Training**: " in text
    assert "within the budget" in text
    assert "What this report cannot know" in text


@pytest.mark.parametrize("sign", ["<img", "`", "@octocat", "[a]", "*b*", "http://", "\r"])
def test_nothing_of_the_data_is_markup_in_the_summary(sign: str) -> None:
    """No tag, link, mention, code or end of a cell; what is ours stays."""
    found = a_finding(HOSTILE, file=HOSTILE, fix=HOSTILE, rule="a-rule")

    text = job_summary(a_document(found, verdict="reject"))

    [row] = [line for line in text.splitlines() if "a&#45;rule" in line]
    assert sign not in row
    assert row.count("|") == 5


def test_summary_stays_below_what_github_takes() -> None:
    """A megabyte is the limit of a step."""
    found = [a_finding("x" * 600, rule=f"rule-{n}", fix="y" * 600) for n in range(600)]

    text = job_summary(a_document(*found, verdict="reject"))

    assert len(text.encode()) < 1_000_000
