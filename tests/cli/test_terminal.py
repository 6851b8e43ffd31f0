"""What people and programs see."""

from __future__ import annotations

import io

import pytest

from droptune.cli.terminal import Terminal, money, show_json, wants_colour


class Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Claim to be one."""
        return True


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_may_decline_colours(environ: dict[str, str], wanted: bool) -> None:
    """NO_COLOR and a dumb terminal mean plain text."""
    assert wants_colour(Screen(), environ) is wanted


def test_a_file_gets_no_colours() -> None:
    """What is redirected is plain."""
    stream = io.StringIO()

    Terminal(stream).say("well", "green")

    assert stream.getvalue() == "well\n"


def test_json_keeps_every_letter() -> None:
    """Documents are printed as they are, not in escapes."""
    stream = io.StringIO()

    show_json({"message": "Größe"}, stream)

    assert "Größe" in stream.getvalue()


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0.00"), (0.0042, "$0.0042"), (0.1, "$0.10"), (1234.5, "$1,234.50")],
)
def test_money_shows_what_cents_would_hide(amount: float, text: str) -> None:
    """Less than a cent is shown with more digits."""
    assert money(amount) == text
