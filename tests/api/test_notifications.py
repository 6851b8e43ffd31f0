"""What others were told of a run is shown, and told again to whom it could not be told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import jsonschema
import pytest

from droptune.api import openapi
from droptune.domain.notifications import events_of
from droptune.domain.outbox import Delivery, Subscription, deliveries
from droptune.domain.phases import Outcome, Phase

from .world import NOW, URL, World, a_run, read

ID = "shop-v1-aa"
TEAM = Subscription(url_setting="NOTIFY_TEAM", format="slack")
MINUTE = timedelta(minutes=1)


class Told:
    """A world with a failed run that two receivers were to be told of: one is down."""

    def __init__(self) -> None:
        self.world = World()
        record = a_run().ended(Phase.FAILED, Outcome.NONE, at=NOW, message="x", error=None)
        self.world.keep(record)
        self.replayed: list[str] = []
        self.world.services = replace(self.world.services, replay=self._replay)
        ops = Subscription(url_setting="NOTIFY_OPS")
        events = events_of(record, app_url=URL)
        given_up, taken = deliveries(events, [TEAM, ops], now=NOW)
        for _ in range(12):
            given_up = given_up.failed(at=NOW, problem="transient", answer="5xx", status=503)
        self.keep(given_up)
        self.keep(taken.delivered(at=NOW + MINUTE))

    def keep(self, delivery: Delivery) -> None:
        self.world.runs.put(delivery.name, delivery.to_payload())

    def _replay(self, run_id: str) -> int:
        self.replayed.append(run_id)
        return 1


def test_notifications_say_who_was_told_what_and_what_came_of_it():
    """Event, target by the name of its setting, tries, the class of the last answer, the state."""
    response = Told().world.get(f"runs/{ID}/notifications")

    shown = read(response)["notifications"]
    assert [(each["event"], each["target"], each["state"]) for each in shown] == [
        ("run.failed", "NOTIFY_OPS", "delivered"),
        ("run.failed", "NOTIFY_TEAM", "undelivered"),
    ]
    assert (shown[1]["attempts"], shown[1]["answer"], shown[1]["next_at"]) == (12, "5xx", None)
    assert shown[0]["tried_at"] == "2026-05-04T12:01:00Z"
    assert shown[0]["id"] == f"{ID}:1:failed"


def test_notifications_are_what_the_openapi_document_promises():
    """The published schema and the code name the same fields."""
    components = openapi.document([], "1", URL)

    shown = read(Told().world.get(f"runs/{ID}/notifications"))

    jsonschema.validate(shown, components | {"$ref": "#/components/schemas/Notifications"})
    [first, _] = shown["notifications"]
    assert set(first) == set(components["components"]["schemas"]["Notification"]["properties"])


def test_run_that_nobody_is_told_of_has_an_empty_list():
    """That is no error: nobody asked to be told."""
    world = World()
    world.keep(a_run())

    assert read(world.get(f"runs/{ID}/notifications")) == {"notifications": []}


def test_unchanged_notifications_are_not_sent_again():
    """A caller that has them gets a 304."""
    world = Told().world
    etag = world.get(f"runs/{ID}/notifications").headers["ETag"]

    assert world.get(f"runs/{ID}/notifications", if_none_match=etag).status == 304


def test_damaged_delivery_hides_no_other():
    """What cannot be read is left out."""
    world = Told().world
    world.runs.put(f"_outbox/{ID}:1:zzz/0.json", b"{")

    assert len(read(world.get(f"runs/{ID}/notifications"))["notifications"]) == 2


def test_replay_tries_the_undelivered_again_and_shows_all():
    """The answer says how many; repeating it is safe."""
    told = Told()

    response = told.world.post(f"runs/{ID}/notifications/replay")

    assert response.status == 202
    assert told.replayed == [ID]
    assert read(response)["replayed"] == 1
    assert len(read(response)["notifications"]) == 2


@pytest.mark.parametrize("method", ["get", "post"])
def test_notifications_of_a_run_that_is_not_there_are_a_404(method: str):
    """With a sentence and a remedy."""
    world = World()

    if method == "get":
        response = world.get("runs/nobody/notifications")
    else:
        response = world.post("runs/nobody/notifications/replay")

    assert (response.status, read(response)["code"]) == (404, "run-not-found")


def test_replay_reads_no_body():
    """A key that means nothing here is refused."""
    response = Told().world.post(f"runs/{ID}/notifications/replay", {"all": True})

    assert (response.status, read(response)["code"]) == (400, "unknown-key")


def test_replay_from_another_site_is_refused():
    """A foreign page cannot make the app post."""
    told = Told()

    response = told.world.post(f"runs/{ID}/notifications/replay", origin="https://evil.example")

    assert (response.status, told.replayed) == (403, [])


def test_page_shows_notifications_and_offers_to_send_the_undelivered_again():
    """Each with its state; the button says what it does."""
    html = Told().world.get(f"dashboard/runs/{ID}").body.decode()

    section = html.partition('<section id="notifications"')[2].partition("</section>")[0]
    assert "<h2>Notifications</h2>" in section
    assert section.count("<li>") == 2
    assert "12 tries, the last: <bdi>5xx</bdi>" in section
    assert "Tries 1 undelivered notification again" in section
    assert '<input type="hidden" name="word" value="replay">' in section


def test_dashboard_names_the_runs_that_somebody_could_not_be_told_of():
    """Who was not told does not look at the run's page of his own accord."""
    told = Told()
    before = told.world.get("dashboard")
    told.world.runs.put(f"_undelivered/{ID}:1:failed/{TEAM.key}", b"")

    after = told.world.get("dashboard", if_none_match=before.headers["ETag"])

    assert b"could not be told" not in before.body
    assert b"Somebody could not be told of 1 run<" in after.body
    assert f"/api/dashboard/runs/{ID}#notifications".encode() in after.body


def test_dashboard_forgets_after_a_week_what_nobody_sent_again():
    """A webhook that is gone for good does not stand there for a month; the run's page has it."""
    told = Told()
    told.world.runs.put(f"_undelivered/{ID}:1:failed/{TEAM.key}", b"")
    told.world.clock.at += timedelta(days=8)

    assert b"could not be told" not in told.world.get("dashboard").body


def test_page_without_undelivered_notifications_offers_nothing():
    """What was taken is not sent again by a click."""
    told = Told()
    for name in [name for name in told.world.runs.blobs if name.startswith("_outbox/")]:
        stored = Delivery.from_payload(json.loads(told.world.runs.blobs[name]))
        told.keep(stored.delivered(at=NOW))

    assert b'value="replay"' not in told.world.get(f"dashboard/runs/{ID}").body


def test_page_is_made_anew_when_a_notification_changed():
    """What a browser has is not what there is any more."""
    told = Told()
    etag = told.world.get(f"dashboard/runs/{ID}").headers["ETag"]
    same = told.world.get(f"dashboard/runs/{ID}", if_none_match=etag).status
    event = events_of(a_run(phase=Phase.ESTIMATING), app_url=URL)
    told.keep(deliveries(event, [TEAM], now=NOW)[0])

    changed = told.world.get(f"dashboard/runs/{ID}", if_none_match=etag).status

    assert (same, changed) == (304, 200)


def test_button_on_the_page_replays_and_leads_back():
    """A form of our own page is enough; the browser GETs the page again."""
    told = Told()

    response = told.world.post(
        f"dashboard/runs/{ID}", urlencode({"word": "replay"}).encode(), origin=URL
    )

    assert (response.status, told.replayed) == (303, [ID])
    assert response.headers["Location"] == f"/api/dashboard/runs/{ID}#notifications"


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}])
def test_button_of_another_site_replays_nothing(headers: dict[str, str]):
    """Without our own Origin no form is believed."""
    told = Told()

    response = told.world.post(
        f"dashboard/runs/{ID}", urlencode({"word": "replay"}).encode(), **headers
    )

    assert (response.status, told.replayed) == (403, [])
