"""`submit`: a folder of this machine becomes a dataset, and its run is found."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.app_client import Document
from droptune.cli.folders import LocalDataset, read_folder
from droptune.cli.follow import LOCAL_SECONDS, REMOTE_SECONDS
from droptune.cli.options import AppOption, JsonOption, StateOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.taking_up import wait_for_run
from droptune.cli.targets import Target, find_storage, find_target
from droptune.cli.terminal import Terminal, show_json
from droptune.cli.upload_progress import upload_progress
from droptune.cli.uploads import OnBytes, Uploaded, upload
from droptune.cli.watch import watch
from droptune.domain.dataset import SUCCESS_FILE
from droptune.domain.report.cost_lines import budget
from droptune.domain.report.wording import number_of, span


class RejectedDataError(Refusal):
    """Validation would reject the folder; `document` holds its report."""

    def __init__(self, report: Document) -> None:
        """Keep the report for programs."""
        super().__init__(
            "The data is rejected; nothing was uploaded.",
            "Mend what the report names, or upload it anyway with --no-check.",
            code=Exit.NO,
        )
        self._report = report

    @property
    def document(self) -> Document:
        """What `--json` prints."""
        return super().document | {"code": "rejected", "report": self._report}


def submit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Holds training.jsonl.")],
    project: Annotated[str | None, typer.Option(help="The folder's name if none.")] = None,
    version: Annotated[str | None, typer.Option(help="Named by the content if none.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the run ends.")] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Validate first, as the app would.")
    ] = True,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="With --app: the account; else DROPTUNE_STORAGE, else as it says."
        ),
    ] = None,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Drop a folder as a dataset and find its run; what lies there unchanged is not sent again."""
    dataset = read_folder(folder, project=project, version=version)
    terminal = Terminal(sys.stderr) if as_json else Terminal()
    say = _silent if as_json else terminal.say
    for name in dataset.left_out:
        say(f"  left alone: {name}")
    if check:
        _check(folder, say)
    target = find_target(app, state)
    place = find_storage(target, storage)
    say(f"Dropping {number_of(len(dataset.files), 'file')} as {dataset.ref}.")
    try:
        with upload_progress(dataset.files, quiet=as_json) as on_bytes:
            uploaded = _upload(place, dataset, on_bytes=on_bytes, keep=True)
    except KeyboardInterrupt:
        say("Interrupted; the same command goes on where this one ended.")
        raise
    _tell(dataset, uploaded, say)
    run = _find_run(target, dataset, on_look=lambda text: terminal.rewrite(f"  {text}"))
    terminal.erase()
    if wait:
        return watch(target, run["id"], as_json=as_json)
    if as_json:
        show_json(target.client.get("runs", run["id"]))
        return Exit.YES
    terminal.say(str(run["id"]), "bold")
    terminal.say(f"  {run['message']}")
    terminal.say(f"  {'status':<18} {run['links']['self']}")
    terminal.say(f"  {'page':<18} {run['links']['page']}")
    terminal.say(f"  {'follow':<18} droptune show {run['id']} --follow")
    return Exit.YES


def drop(target: Target, dataset: LocalDataset, *, storage: str) -> Document:
    """Upload a whole dataset and return the run that its settling leads to, as lists show it."""
    _upload(storage, dataset)
    return _find_run(target, dataset)


def _silent(text: str) -> None:
    """Say nothing: the document is alone on stdout."""


def _check(folder: Path, say: Callable[[str], None]) -> None:
    """Refuse what the app would reject; raises RejectedDataError."""
    from droptune.cli.given import sort_given
    from droptune.cli.validation_report import report_on, text_of

    report = report_on(sort_given([folder]), shows_progress=False)
    if report["verdict"] != "accept":
        say(text_of(report, findings_only=True))
        raise RejectedDataError(report)
    examples = sum(file["examples"] for file in report["files"])
    warnings = sum(finding["severity"] == "warning" for finding in report["findings"])
    noted = f", {number_of(warnings, 'warning')} (droptune validate {folder})" if warnings else ""
    say(f"  checked: {number_of(examples, 'example')}{noted}")
    if (cost := report.get("cost")) and cost.get("high") is not None:
        say(f"  training costs {_price(cost)}")
    if not report.get("model"):
        say("  no model is named, so the run will be a plan: droptune init writes a configuration")


def _price(cost: Document) -> str:
    """Return what training costs, and what its budget means for it."""
    said = budget(cost, "budget", "budget_usd")
    asks = "; a person may have to approve it" if cost.get("budget") == "over" else ""
    return span(cost["low"], cost["high"]) + (f", {said}{asks}" if said else "")


def _upload(
    storage: str,
    dataset: LocalDataset,
    *,
    on_bytes: OnBytes = lambda name, more: None,
    keep: bool = False,
) -> Uploaded:
    complete = dataset.ref.prefix + SUCCESS_FILE
    return upload(storage, dataset.files, complete=complete, keep=keep, on_bytes=on_bytes)


def _tell(dataset: LocalDataset, uploaded: Uploaded, say: Callable[[str], None]) -> None:
    if uploaded.kept:
        files = number_of(len(dataset.files), "file")
        say(f"  {len(uploaded.kept)} of {files} lay there unchanged")
    for name in uploaded.beside:
        say(f"  lies there too, from an earlier drop: {name}")


def _find_run(
    target: Target, dataset: LocalDataset, *, on_look: Callable[[str], None] = _silent
) -> Document:
    every = LOCAL_SECONDS if target.local else REMOTE_SECONDS
    return wait_for_run(target.client, dataset, every=every, on_look=on_look)
