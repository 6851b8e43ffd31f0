"""Showing what a route answered: to a program as it is, to a person as text."""

from __future__ import annotations

from collections.abc import Callable

from droptune.cli.app_client import Document
from droptune.cli.refusals import Exit
from droptune.cli.terminal import Terminal, show_json


def answer(document: Document, as_json: bool, show_it: Callable[[Terminal], None]) -> int:
    """Show a document and return the exit code of a yes."""
    if as_json:
        show_json(document)
    else:
        show_it(Terminal())
    return Exit.YES


def show_begun(begun: Document, terminal: Terminal) -> None:
    """Show the answer to a wish for a run."""
    terminal.say(str(begun["id"]), "bold")
    terminal.say(f"  {begun['message']}")
    terminal.say(f"  {'status':<18} {begun['statusUrl']}")
    terminal.say(f"  {'page':<18} {begun['pageUrl']}")
    terminal.say(f"  {'follow':<18} droptune show {begun['id']} --follow")
