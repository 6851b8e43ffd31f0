"""Commands about projects: their champions, what was spent, and the way back."""

from __future__ import annotations

from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.app_client import Document
from droptune.cli.options import AppOption, JsonOption, ReasonOption, StateOption
from droptune.cli.show import show_rows
from droptune.cli.targets import find_target
from droptune.cli.terminal import Terminal, moment, money


def projects(
    project: Annotated[
        str | None, typer.Argument(metavar="PROJECT", help="Show this one at length.")
    ] = None,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """List projects with their champions, or show one with its history, runs and spend."""
    client = find_target(app, state).client
    if project:
        shown = client.get("projects", project)
        return answer(shown, as_json, lambda terminal: _show_project(shown, terminal))
    listed = client.get("projects")
    return answer(listed, as_json, lambda terminal: _show_projects(listed["projects"], terminal))


def rollback(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="A project's name.")],
    reason: ReasonOption = "",
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a project's previous champion the champion again."""
    client = find_target(app, state).client
    champion = client.post("projects", project, "rollback", body={"reason": reason})
    return answer(champion, as_json, lambda terminal: terminal.say(_rolled_back(project, champion)))


def _rolled_back(project: str, champion: Document) -> str:
    now = f"{project}: the champion is {champion.get('deployment')}"
    if returning := champion.get("returning"):
        return (
            f"{now} until {returning['deployment']} answers: Azure had removed the previous "
            "deployment, and it is made again first, which takes some minutes."
        )
    return f"{now}."


def _show_projects(listed: list[Document], terminal: Terminal) -> None:
    for each in listed:
        terminal.say(f"{each['project']:<32} {_champion(each.get('champion'))}")
    if not listed:
        terminal.say("No projects. Dropping a dataset makes one: droptune submit DIR.")


def _champion(champion: Document | None) -> str:
    if champion is None:
        return "no champion"
    since = moment(champion["since"])
    return f"{champion['deployment']} since {since}, by run {champion['run_id']}"


def _show_project(shown: Document, terminal: Terminal) -> None:
    spend = shown.get("spend") or {}
    terminal.say(str(shown["project"]), "bold")
    terminal.say(f"  {'champion':<18} {_champion(shown.get('champion'))}")
    if champion := shown.get("champion"):
        terminal.say(f"  {'model':<18} {champion['model']}")
        if returning := champion.get("returning"):
            terminal.say(f"  {'returning':<18} {returning['deployment']}, once it answers")
        if refused := champion.get("return_refused"):
            terminal.say(f"  {'not returned':<18} {refused}")
    for before in _before(shown):
        since = moment(before["since"])
        said = f"{before.get('deployment')} since {since}, by run {before.get('run_id')}"
        terminal.say(f"  {'before':<18} {said}")
    open_runs = money(spend.get("estimated") or 0)
    spent = f"{money(spend.get('spent') or 0)}; open runs {open_runs}"
    terminal.say(f"  {'spent':<18} {spent}")
    show_rows(shown["runs"], terminal)


def _before(shown: Document) -> list[Document]:
    """Return the champions before this one, latest first."""
    champion = shown.get("champion") or {}
    history = [each for each in shown.get("history") or () if each["since"] != champion["since"]]
    return sorted(history, key=lambda each: str(each["since"]), reverse=True)
