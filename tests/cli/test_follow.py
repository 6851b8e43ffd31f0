"""Following a run."""

from __future__ import annotations

import pytest

from droptune.cli.app_client import AppClient
from droptune.cli.follow import UNREACHABLE_SECONDS, follow
from droptune.cli.refusals import Exit, Refusal
from tests.cli.canned_app import CannedApp, a_status

ROUTE = "GET /api/runs/r"


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


def phases(app: CannedApp, clock: Clock, **options: object) -> list[str]:
    """Return the phases that following shows."""
    client = AppClient(app.url)
    shown = follow(client, "r", every=5, sleep=clock.sleep, clock=clock, **options)
    return [status["phase"] for status in shown]


def test_each_phase_is_shown_once(app: CannedApp) -> None:
    """A phase is shown when it begins, not at every look, and the end is shown last."""
    for phase in ("training", "training", "deploying", "succeeded"):
        app.answer(ROUTE, a_status(phase))

    assert phases(app, Clock()) == ["training", "deploying", "succeeded"]


def test_a_run_that_begins_to_wait_is_shown_again(app: CannedApp) -> None:
    """What a run waits for matters as much as its phase."""
    app.answer(ROUTE, a_status("training"))
    app.answer(ROUTE, a_status("training", waiting_for="resume"))
    app.answer(ROUTE, a_status("cancelled"))

    assert phases(app, Clock()) == ["training", "training", "cancelled"]


def test_an_app_that_is_away_for_a_moment_is_waited_for(app: CannedApp) -> None:
    """A restart of the app does not end the following."""
    app.answer(ROUTE, a_status("training"))
    app.answer(ROUTE, {}, 503)
    app.answer(ROUTE, {}, 503)
    app.answer(ROUTE, a_status("succeeded"))

    assert phases(app, Clock()) == ["training", "succeeded"]


def test_an_app_that_stays_away_is_given_up(app: CannedApp) -> None:
    """After two minutes without an answer the refusal is raised."""
    app.answer(ROUTE, {}, 503)
    clock = Clock()

    with pytest.raises(Refusal) as raised:
        phases(app, clock)

    assert raised.value.code is Exit.NOT_REACHED
    assert UNREACHABLE_SECONDS < clock.now <= UNREACHABLE_SECONDS + 10


def test_an_unknown_run_is_not_waited_for(app: CannedApp) -> None:
    """A reasoned no ends the following at once."""
    app.answer(ROUTE, {"detail": "no run"}, 404)
    clock = Clock()

    with pytest.raises(Refusal, match="no run"):
        phases(app, clock)

    assert clock.now == 0


def test_every_look_is_told(app: CannedApp) -> None:
    """Whoever asks to be told sees each status while the run lives, also an unchanged one."""
    for phase in ("training", "training", "succeeded"):
        app.answer(ROUTE, a_status(phase))
    seen: list[str] = []

    phases(app, Clock(), on_look=lambda status: seen.append(status["phase"]))

    assert seen == ["training", "training"]
