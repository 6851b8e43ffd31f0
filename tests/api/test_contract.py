"""Every answer of the running app is as its OpenAPI document declares: fuzzed with schemathesis."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from droptune.domain.notifications import events_of
from droptune.domain.outbox import Subscription, deliveries
from droptune.domain.phases import Outcome
from droptune.domain.phases import Phase as RunPhase
from droptune.domain.registration import DatasetRecord, KnownFile

from .asgi import FUNCTION_KEY, asgi_app
from .world import NOW, URL, World, a_champion, a_run

CASES_FOR_EACH_OPERATION = 40
REFUSALS = ["400", "401", "403", "404", "405", "409", "413", "422"]


def a_full_world() -> World:
    """Return a world in which every route has something to show."""
    world = World()
    world.services = replace(world.services, app_url=URL)
    world.registry.put("_installed.json", {"installed_at": "2026-01-01T00:00:00Z"})
    running = world.keep(a_run(job={"id": "ftjob-1", "status": "running", "step": 3}))
    for name, text in (("report.json", b"{}"), ("metrics.json", b"[]"), ("events.jsonl", b"")):
        world.runs.put(running.ref.folder + name, text)
    ended = replace(a_run("shop-v1-bb"), outcome=Outcome.NOT_PROMOTED, phase=RunPhase.SUCCEEDED)
    world.keep(replace(ended, created_at=NOW - timedelta(days=1), ended_at=NOW))
    told = deliveries(
        events_of(running, app_url=URL), [Subscription(url_setting="NOTIFY_A")], now=NOW
    )
    world.runs.put(told[0].name, told[0].failed(at=NOW, problem="transient").to_payload())
    world.rolled_back = a_champion()
    world.registry.put("shop/champion.json", dict(a_champion().to_document()))
    world.datasets.put("shop/v1/training.jsonl", b"x")
    world.datasets.put("stray.txt", b"x")
    known = KnownFile(name="shop/v1/training.jsonl", etag="e")
    record = DatasetRecord(
        project="shop", version="v1", state="settled", files=(known,), runs=("shop-v1-aa",)
    )
    world.keep_dataset(record)
    return world


schema = schemathesis.openapi.from_asgi(
    "/api/openapi.json",
    asgi_app(a_full_world()),
    headers={"x-functions-key": FUNCTION_KEY},
    config=SchemathesisConfig.from_dict(
        {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
    ),
)


@schema.parametrize()
@settings(
    max_examples=CASES_FOR_EACH_OPERATION,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_answer_to_anything_is_as_declared(case: schemathesis.Case) -> None:
    """No 500, no status, media type, header or shape that the document does not promise."""
    case.call_and_validate(
        headers={"x-functions-key": FUNCTION_KEY, "Origin": URL}, allow_redirects=False
    )
