"""Commands that show what a run stored: its report, and the events of its job."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.app_client import Document
from droptune.cli.event_stream import follow_events
from droptune.cli.follow import LOCAL_SECONDS, REMOTE_SECONDS, exit_code
from droptune.cli.options import AppOption, JsonOption, RunArgument, StateOption
from droptune.cli.refusals import Exit
from droptune.cli.show import show_line
from droptune.cli.targets import find_target
from droptune.cli.terminal import Terminal, moment, money
from droptune.domain.report.wording import number_of, span

_STYLES = {"error": "red", "warning": "yellow", "warn": "yellow"}


def report(
    run: RunArgument, app: AppOption = None, state: StateOption = None, as_json: JsonOption = False
) -> int:
    """Show what validation found in a run's dataset, and what training on it costs."""
    found = find_target(app, state).client.get("runs", run, "report")
    return answer(found, as_json, lambda terminal: show_report(found, terminal))


def events(
    run: RunArgument,
    follows: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay until the run ends; its end decides.")
    ] = False,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show the events of a run's fine-tuning job, oldest first; nothing else where it is piped."""
    target, terminal = find_target(app, state), Terminal()

    def show(line: str) -> None:
        if as_json:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        else:
            _show_event(json.loads(line), terminal)

    if not follows:
        for line in target.client.get_text("runs", run, "events").splitlines():
            show(line)
        return Exit.YES
    every = LOCAL_SECONDS if target.local else REMOTE_SECONDS
    ended = follow_events(target.client, run, every=every, show=show)
    if terminal.is_live and not as_json:
        show_line(ended, terminal)
    return exit_code(ended)


def _show_event(event: Document, terminal: Terminal) -> None:
    level = str(event.get("level") or "")
    said = terminal.paint(str(event.get("message")), _STYLES.get(level, ""))
    terminal.say(f"{moment(event.get('created_at')):<26} {said}")


def show_report(found: Document, terminal: Terminal) -> None:
    """Show a report document: each file, each finding, the cost, the verdict."""
    for file in found["files"]:
        total = (file.get("tokens") or {}).get("total") or {}
        tokens = f", {number_of(total['sum'], 'token')}" if "sum" in total else ""
        terminal.say(f"{file['name']}: {number_of(file['examples'], 'example')}{tokens}")
    for finding in found["findings"]:
        _show_finding(finding, terminal)
    cost = found.get("cost") or {}
    if isinstance(cost.get("high"), int | float):
        hosting = cost.get("hosting_month")
        held = f", {money(hosting)} for 30 days of hosting" if hosting else ""
        terminal.say(f"cost: {span(cost['low'], cost['high'])} for training{held}")
    verdict = {"accept": ("accepted", "green")}.get(found["verdict"], ("rejected", "red"))
    terminal.say(*verdict)


def _show_finding(finding: Document, terminal: Terminal) -> None:
    severity = terminal.paint(finding["severity"], _STYLES.get(finding["severity"], ""))
    message, line = str(finding["message"]), finding.get("line")
    place = f"line {line}: " if line and not message.startswith("line ") else ""
    fix = f" {finding['fix']}" if finding.get("fix") else ""
    terminal.say(f"{severity} {finding.get('file') or ''}: {place}{message}{fix}")
