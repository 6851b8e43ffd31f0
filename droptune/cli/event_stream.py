"""Following the events of a run's job: each is shown once, as it is stored, to the run's end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from droptune.cli.app_client import AppClient, Document, RefusedError
from droptune.cli.follow import follow

_NO_DOCUMENT = 404


class EventStream:
    """The lines of a run's events that were not shown yet.

    They are asked for only when the run's record has changed since.
    """

    def __init__(self, client: AppClient, run_id: str) -> None:
        """Begin before the first event."""
        self._client = client
        self._run_id = run_id
        self._shown = 0
        self._updated_at: object = None

    def new_lines(self, status: Document) -> Iterator[str]:
        """Yield what was stored since the last look; nothing before there is a job."""
        if not status.get("job") or status.get("updated_at") == self._updated_at:
            return
        try:
            lines = self._client.get_text("runs", self._run_id, "events").splitlines()
        except RefusedError as refused:
            if refused.status != _NO_DOCUMENT:
                raise
            return
        self._updated_at = status.get("updated_at")
        yield from lines[self._shown :]
        self._shown = max(self._shown, len(lines))


def follow_events(
    client: AppClient,
    run_id: str,
    *,
    every: float,
    show: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Document:
    """Show each event once until the run ends; return the status in which it ended."""
    stream = EventStream(client, run_id)

    def look(status: Document) -> None:
        for line in stream.new_lines(status):
            show(line)

    for status in follow(client, run_id, every=every, sleep=sleep, on_look=look):
        look(status)
    return status
