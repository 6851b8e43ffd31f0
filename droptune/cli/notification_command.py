"""The command that shows what others were told of a run, and tells them again."""

from __future__ import annotations

from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.app_client import Document
from droptune.cli.options import AppOption, JsonOption, RunArgument, StateOption
from droptune.cli.targets import find_target
from droptune.cli.terminal import Terminal, moment
from droptune.domain.report.wording import number_of

_STYLES = {"delivered": "green", "undelivered": "red"}
_ANSWERS = {"none": "no answer", "not-sent": "not sent, see its setting"}


def notifications(
    run: RunArgument,
    replay: Annotated[
        bool, typer.Option("--replay", help="Try what is undelivered again, under the same ids.")
    ] = False,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show whom a run was told to, and what came of it."""
    client = find_target(app, state).client
    if replay:
        told = client.post("runs", run, "notifications", "replay")
    else:
        told = client.get("runs", run, "notifications")
    return answer(told, as_json, lambda terminal: _show(told, terminal))


def _show(told: Document, terminal: Terminal) -> None:
    for each in told["notifications"]:
        state = terminal.paint(f"{each['state']:<12}", _STYLES.get(each["state"], ""))
        terminal.say(f"{state} {each['event']:<24} {each['target']:<24} {_more(each)}")
    if not told["notifications"]:
        terminal.say("Nobody was told. `notify` in fine-tune-job.yaml or project.yaml says whom.")
    if "replayed" in told:
        said = number_of(told["replayed"], "notification")
        terminal.say(f"{said} will be tried again within a minute.")


def _more(each: Document) -> str:
    """Return when it was taken, or how often it was tried and what is next."""
    if each["state"] == "delivered":
        return moment(each["tried_at"])
    parts = [number_of(each["attempts"], "attempt")]
    if each["answer"]:
        parts.append(f"the last: {_ANSWERS.get(each['answer'], each['answer'])}")
    if each["next_at"]:
        parts.append(f"next {moment(each['next_at'])}")
    return ", ".join(parts)
