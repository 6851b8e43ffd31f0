"""The report for a terminal: verdict first, grouped, as wide as the screen, inert."""

from __future__ import annotations

import re
from typing import Any

import pytest

from droptune.validation.formats.text import render_text
from tests.validation.formats.documents import a_document, a_finding


def heads(text: str) -> list[str]:
    """Return the lines that begin a section."""
    return [line for line in text.splitlines() if line and not line.startswith(" ")]


def test_report_goes_from_the_verdict_to_what_it_cannot_know() -> None:
    """Verdict, what to mend, figures, price, limits of knowledge: in this order."""
    bad, odd = a_finding(), a_finding(severity="warning", rule="few-examples", fix="Add.")

    text = render_text(a_document(odd, bad, verdict="reject"), colour=False)

    assert heads(text) == [
        "✗ Rejected: 1 error and 1 warning in 60 examples.",
        "Errors",
        "Warnings",
        "Tokens (o200k_base)",
        "Cost",
        "What this report cannot know",
    ]


def test_same_sentence_of_many_lines_is_said_once() -> None:
    """Lines in a row are a span; what is not listed is counted."""
    found = [a_finding(f"line {line}: x: bad.", line=line) for line in (3, 4, 5, 9, 11)]
    rest = a_finding("7 more of the same in this file.", line=None, count=7)

    text = render_text(a_document(*found, rest, verdict="reject"), colour=False)

    assert "unknown-role (12 places)" in text
    assert "training.jsonl: lines 3-5, 9, 11: x: bad." in text
    assert text.count("Mend it.") == 1


def test_only_the_first_sentences_are_listed() -> None:
    """Five different ones, and how many more there are."""
    found = [a_finding(f"line {line}: bad {line}.", line=line) for line in range(1, 10)]

    text = render_text(a_document(*found, verdict="reject"), colour=False)

    assert "bad 5." in text
    assert "bad 6." not in text
    assert "and 4 more" in text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Sentences are broken between words and hang below their beginning."""
    long = a_finding("line 3: " + "words and more words " * 20 + "x" * 150, file="f" * 30)
    document = a_document(long, verdict="reject", production_sku="Standard", budget_usd=5.0)

    text = render_text(document, colour=False, width=width)

    assert max(map(len, text.splitlines())) <= width


def test_without_a_terminal_a_finding_stays_on_its_line() -> None:
    """What is piped into grep is not broken."""
    text = render_text(a_document(a_finding("line 3: " + "word " * 100)), colour=False)

    assert any(line.count("word") == 100 for line in text.splitlines())


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "\u202etxt.exe", "\x07bell", "new\nline"])
def test_data_cannot_command_the_terminal(text: str) -> None:
    """Controls and overrides of direction become a sign."""
    found = a_finding(f"line 3: {text}.", file=text, fix=text)

    shown = render_text(a_document(found, verdict="reject"), colour=True, width=100)

    ours = re.sub(r"\x1b\[\d+m", "", shown.replace("\x1b[31mred", "broken"))
    assert all(char.isprintable() or char == "\n" for char in ours)
    assert "broken" not in ours
    assert "new\nline" not in ours


def test_histogram_tells_the_length_of_examples_and_the_limit() -> None:
    """A bar for each bin, the fullest as long as there is room for; all examples are in one."""
    text = render_text(a_document(), colour=False, width=80)

    bars = re.findall(r"^ +([\d,]+)(?:-[\d,]+)? ([█▏▎▍▌▋▊▉]*) ([\d,]+)$", text, re.M)
    assert sum(int(count) for _, _, count in bars) == 60
    assert 3 <= len(bars) <= 12
    assert "training.jsonl; the model takes 65,536\n" in text


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, r"Training +\$0\.0\d+: [\d,]+ tokens x 2 epochs x \$5\.00 a million, GlobalStandard"),
        ({"n_epochs": "auto"}, r"\$0\.0\d+ to \$0\.0\d+, likely \$0\.0\d+: .* 2 to 3 epochs"),
        ({"model": None}, r"No model is named, so there is no price"),
        ({"model": "gpt-6"}, r"No price is known for training gpt-6 as GlobalStandard"),
        ({"production_sku": "Standard"}, r"Hosting +\$40\.80 a day, \$1,224\.00 in 30 days"),
        ({"production_sku": "Other"}, r"Hosting +no price is known for Other"),
        ({"candidate_sku": "DeveloperTier"}, r"Candidate +nothing by the hour as DeveloperTier"),
        ({"budget_usd": 5.0}, r"Budget +within the budget of \$5\.00"),
        ({"budget_usd": 0.001}, r"Budget +over the budget of \$0\.001"),
        ({"budget_usd": 5.0, "model": "gpt-6"}, r"no price is known, so it passes no budget"),
        ({}, r"Prices +of 20\d\d-\d\d-\d\d: "),
        ({}, r"Validation tokens are not billed\."),
    ],
)
def test_price_is_told_with_what_it_rests_on(request_: dict[str, Any], said: str) -> None:
    """Tokens, epochs, rate, training type, hosting by day and month, budget, date and source."""
    text = render_text(a_document(**request_), colour=False)

    assert re.search(said, text)


def test_many_files_are_summed_up() -> None:
    """Eight are shown, of the others how many there are and what they hold."""
    document = a_document()
    document["files"] = [document["files"][0] | {"name": f"{n}.jsonl"} for n in range(200)]

    text = render_text(document, colour=False)

    assert "and 192 more files: 11,520 examples" in text
    assert "\n  8.jsonl" not in text


def test_difference_from_an_earlier_version_is_told() -> None:
    """Added, removed and changed rows with the first of their lines."""
    diff = {
        "role": "training", "earlier": "training.jsonl", "rows_before": 58, "rows": 60,
        "added": 6, "removed": 1, "changed": 1,
        "added_lines": [1, 2, 3, 4, 5], "removed_lines": [7], "changed_lines": [9],
    }  # fmt: skip
    same = diff | {"role": "test", "rows": 58, "added": 0, "removed": 0, "changed": 0}

    text = render_text(a_document() | {"diff": [diff, same]}, colour=False)

    assert (
        "training  6 added (line 1, 2, 3, 4, 5, …), 1 removed (line 7 of the earlier file), "
        "1 changed (line 9); 58 rows before, 60 now"
    ) in text
    assert "test      the same 58 rows" in text
