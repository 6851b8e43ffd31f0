"""`submit`: a folder of this machine becomes a dataset, and its run is found."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.app_client import AppClient, Document, RefusedError
from droptune.cli.folders import LocalDataset, read_folder
from droptune.cli.follow import LOCAL_SECONDS, REMOTE_SECONDS
from droptune.cli.options import AppOption, JsonOption, StateOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.run_commands import watch
from droptune.cli.storage import upload
from droptune.cli.targets import Target, find_target
from droptune.cli.terminal import Terminal, show_json
from droptune.domain.dataset import SUCCESS_FILE

FOUND_WITHIN_SECONDS = 300
_NOT_FOUND = 404


def submit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Holds training.jsonl.")],
    project: Annotated[str | None, typer.Option(help="The folder's name if none.")] = None,
    version: Annotated[str | None, typer.Option(help="Named by the content if none.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the run ends.")] = False,
    storage: Annotated[
        str | None, typer.Option(metavar="URL", help="With --app: https://ACCOUNT.blob...")
    ] = None,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Drop a folder as a dataset; the same folder twice is the same dataset and starts nothing."""
    target = find_target(app, state)
    dataset = read_folder(folder, project=project, version=version)
    terminal = Terminal()
    if not as_json:
        for name in dataset.left_out:
            terminal.say(f"  left alone: {name}", "dim")
        terminal.say(f"Dropping {len(dataset.files)} files as {dataset.ref}.")
    run = drop(target, dataset, storage=_storage_of(target, storage))
    if wait:
        return watch(target, run["id"], as_json=as_json)
    if as_json:
        show_json(target.client.get("runs", run["id"]))
    else:
        terminal.say(str(run["id"]), "bold")
        terminal.say(f"  {run['message']}")
        terminal.say(f"  {'status':<18} {run['links']['self']}")
        terminal.say(f"  {'page':<18} {run['links']['page']}")
    return Exit.YES


def _storage_of(target: Target, storage: str | None) -> str:
    if storage:
        return storage
    if target.local:
        return target.local.storage_connection_string
    raise Refusal(
        "An app in Azure does not say where its storage is.",
        "Name the account with --storage https://<account>.blob.core.windows.net.",
        code=Exit.WRONG_USAGE,
    )


def drop(target: Target, dataset: LocalDataset, *, storage: str) -> Document:
    """Upload a dataset and return the run that its settling leads to, as lists show it."""
    upload(storage, dataset.files, complete=dataset.ref.prefix + SUCCESS_FILE)
    every = LOCAL_SECONDS if target.local else REMOTE_SECONDS
    return wait_for_run(target.client, dataset, every=every)


def wait_for_run(
    client: AppClient,
    dataset: LocalDataset,
    *,
    every: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Document:
    """Return the newest run of a dataset once the app knows what now lies in its folder."""
    deadline = clock() + FOUND_WITHIN_SECONDS
    while clock() < deadline:
        shown = _find_dataset(client, dataset)
        if shown["state"] == "seen":  # it lay there before the app was installed
            client.post("runs", body={"dataset": str(dataset.ref)})
        elif shown["state"] == "started" and shown["runs"]:
            newest: Document = shown["runs"][0]
            return newest
        sleep(every)
    raise Refusal(
        f"The app has not taken up {dataset.ref} in {FOUND_WITHIN_SECONDS} s: {shown['message']}",
        f"It lies there and is not lost; look at {client.base_url}/api/datasets/{dataset.ref}.",
    )


def _find_dataset(client: AppClient, dataset: LocalDataset) -> Document:
    try:
        return client.get("datasets", dataset.ref.project, dataset.ref.version)
    except RefusedError as refused:
        if refused.status != _NOT_FOUND:
            raise
        return {"state": "unknown", "runs": [], "message": str(refused)}
