"""Following a run from phase to phase until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from droptune.cli.app_client import AppClient, Document
from droptune.cli.refusals import Exit, Refusal
from droptune.domain.phases import TERMINAL

_TERMINAL = frozenset(phase.value for phase in TERMINAL)
UNREACHABLE_SECONDS = 120
LOCAL_SECONDS = 0.25
REMOTE_SECONDS = 5.0


def has_ended(status: Document) -> bool:
    """Whether a status document says that its run has ended, and no promotion is under way."""
    promotion = status.get("promotion") or {}
    return status.get("phase") in _TERMINAL and promotion.get("state") != "under_way"


def exit_code(status: Document) -> Exit:
    """Return what a run's end means: only success is a yes."""
    return Exit.YES if status.get("phase") == "succeeded" else Exit.NO


def promotion_exit_code(status: Document) -> Exit:
    """Return what the end of a promotion that was asked for after the run's end means."""
    promotion = status.get("promotion") or {}
    return Exit.YES if promotion.get("state") == "promoted" else Exit.NO


def follow(
    client: AppClient,
    run_id: str,
    *,
    every: float = LOCAL_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_look: Callable[[Document], None] = lambda status: None,
) -> Iterator[Document]:
    """Yield a run's status whenever its phase or what it waits for changes, its end last.

    `on_look` is told of every look. An app that is away for a moment is waited for; after two
    minutes the refusal is raised.
    """
    shown = None
    reached_at = clock()
    while True:
        try:
            status = client.get("runs", run_id)
        except Refusal as refusal:
            if refusal.code is not Exit.NOT_REACHED or clock() - reached_at > UNREACHABLE_SECONDS:
                raise
            sleep(every)
            continue
        reached_at = clock()
        promotion = status.get("promotion") or {}
        seen = (status.get("phase"), status.get("waiting_for"), promotion.get("message"))
        if seen != shown:
            shown = seen
            yield status
        if has_ended(status):
            return
        on_look(status)
        sleep(every)
