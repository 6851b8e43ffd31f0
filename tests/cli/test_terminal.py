"""What people and programs see."""

from __future__ import annotations

import io

import pytest

from droptune.cli.terminal import Terminal, money, printable, show_json, wants_colour


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


def test_text_of_others_cannot_command_the_terminal() -> None:
    """Control characters in names and messages are shown as what they are: not printable."""
    hostile = "a\x1b[2J\x07b\x1b]0;title\x07\u202e"

    assert not set(printable(hostile, colour=True)) & set("\x1b\x07\u202e")
    assert printable("\x1b[32mwell\x1b[0m\n", colour=True) == "\x1b[32mwell\x1b[0m\n"
    assert printable("\x1b[32mwell\x1b[0m", colour=False) == "well"


def test_line_that_changes_is_shown_only_on_a_terminal() -> None:
    """What is piped holds no half lines; on a terminal the next line takes their place."""
    screen, file = Screen(), io.StringIO()

    for stream, live in ((screen, True), (file, False)):
        terminal = Terminal(stream, colour=False, live=live)
        terminal.rewrite("step 1")
        terminal.erase()
        terminal.say("done")

    assert screen.getvalue() == "\rstep 1\x1b[K\r\x1b[Kdone\n"
    assert file.getvalue() == "done\n"
