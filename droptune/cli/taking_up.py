"""Waiting until the app has taken up what was dropped."""

from __future__ import annotations

import time
from collections.abc import Callable

from droptune.cli.app_client import AppClient, Document, RefusedError
from droptune.cli.folders import LocalDataset
from droptune.cli.refusals import Refusal

FOUND_WITHIN_SECONDS = 300
_NOT_FOUND = 404


def wait_for_run(
    client: AppClient,
    dataset: LocalDataset,
    *,
    every: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_look: Callable[[str], None] = lambda message: None,
) -> Document:
    """Return the newest run of a dataset once the app knows what now lies in its folder.

    `on_look` is told what the app says of the dataset meanwhile.
    """
    deadline = clock() + FOUND_WITHIN_SECONDS
    while clock() < deadline:
        shown = _find_dataset(client, dataset)
        if shown["state"] == "seen":  # it lay there before the app was installed
            client.post("runs", body={"dataset": str(dataset.ref)})
        elif shown["state"] == "started" and shown["runs"]:
            newest: Document = shown["runs"][0]
            return newest
        on_look(str(shown["message"]))
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
