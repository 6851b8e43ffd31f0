"""`open`: the page of a run, or of everything."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.options import AppOption, JsonOption, StateOption
from droptune.cli.targets import find_target


def open_page(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="A run's id; all runs if none.")
    ] = None,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Print the address of a run's page or of the dashboard, and open it where there is a screen.

    The address carries no key: the page asks for one itself, or for a sign-in.
    """
    client = find_target(app, state).client
    if run:
        url = str(client.get("runs", run)["links"]["page"])
    else:
        url = f"{client.base_url}/api/dashboard"
    code = answer({"url": url}, as_json, lambda terminal: terminal.say(url))
    if not as_json and sys.stdout.isatty() and has_screen():
        import webbrowser

        webbrowser.open(url)
    return code


def has_screen(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether a browser that is opened here would be seen by a person."""
    if environ.get("SSH_CONNECTION"):
        return False
    if platform in ("win32", "darwin"):
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY") or environ.get("BROWSER"))
