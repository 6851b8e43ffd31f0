"""Whom a run was told to, as its page shows it, and the button that tells again."""

from __future__ import annotations

import json
from dataclasses import replace

from playwright.sync_api import expect

from droptune.domain.outbox import UNDELIVERED, Delivery
from tests.api.world import NOW, World

from .conftest import let_it_look
from .stories import ID, a_success, keep_documents, keep_notifications


def stored(world: World) -> list[Delivery]:
    """Return what lies in the outbox of the run."""
    names = [name for name in world.runs.blobs if name.startswith(f"_outbox/{ID}:")]
    return [Delivery.from_payload(json.loads(world.runs.blobs[name])) for name in names]


def a_told_world() -> World:
    """Return a world with a run that not everybody could be told of, and a way to tell again."""
    world = World()
    record = world.keep(a_success())
    keep_documents(world, record)
    keep_notifications(world, record)

    def replay(run_id: str) -> int:
        undelivered = [each for each in stored(world) if each.state == UNDELIVERED]
        for each in undelivered:
            world.runs.put(each.name, each.replayed(at=NOW).to_payload())
        return len(undelivered)

    world.services = replace(world.services, replay=replay)
    return world


def test_undelivered_notification_is_sent_again_from_the_page(serve, open_page):
    """The page says who has it and who has not; one click, and it is under way again; once it is
    taken the page says so by itself."""
    world = a_told_world()
    page = open_page(f"{serve(world).url}/runs/{ID}")
    section = page.locator("#notifications")

    expect(section.locator("li")).to_have_count(3)
    expect(section.locator("li", has_text="NOTIFY_ON_CALL")).to_contain_text("undelivered")
    section.get_by_role("button", name="Send again").click()

    expect(section.locator("li", has_text="NOTIFY_ON_CALL")).to_contain_text("waiting")
    expect(section.get_by_role("button", name="Send again")).to_have_count(0)
    assert page.url.endswith(f"/runs/{ID}#notifications")

    for each in stored(world):
        world.runs.put(each.name, each.delivered(at=NOW).to_payload())
    let_it_look(page)

    expect(section.locator("li", has_text="delivered")).to_have_count(3)
    expect(page.locator("#live")).to_be_hidden()
