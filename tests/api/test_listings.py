"""Lists: each stored version read once, pages that stay where they are, dates asked once."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from typing import Any

from activities.run_records import RunRecords
from droptune.api.documents import Documents
from droptune.api.retirement import RetirementDates
from droptune.domain.deployment import AccountModel
from droptune.domain.errors import TransientError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import Word
from droptune.domain.services import StoredBlob

from .world import NOW, MemoryBlobs, StoppedClock, World, a_kept_model, a_run, read


class CountingBlobs(MemoryBlobs):
    """A container that counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def find(self, name: str) -> StoredBlob | None:
        self.reads.append(name)
        return super().find(name)


def test_document_is_read_again_only_when_it_changed():
    """A listing's ETag says which version is known already."""
    blobs, documents = CountingBlobs(), Documents()
    for name in ("a", "b"):
        blobs.put(name, {"n": name})

    first = documents.load(blobs, blobs.list(), dict)
    blobs.put("b", {"n": "changed"})
    second = documents.load(blobs, blobs.list(), dict)

    assert first == [{"n": "a"}, {"n": "b"}]
    assert second == [{"n": "a"}, {"n": "changed"}]
    assert sorted(blobs.reads) == ["a", "b", "b"]


def test_damaged_document_is_left_out_and_hurts_no_other():
    """Bytes that are no JSON object, or that cannot be parsed, read as None."""
    blobs = CountingBlobs()
    blobs.put("a", b"{")
    blobs.put("b", [1])
    blobs.put("c", {"n": 1})

    def parse(document: dict[str, Any]) -> int:
        return int(document["n"])

    assert Documents().load(blobs, blobs.list(), parse) == [None, None, 1]


def test_memory_of_documents_is_bounded():
    """What was not asked for lately is forgotten, and simply read again."""
    blobs, documents = CountingBlobs(), Documents(most=2)
    for name in ("a", "b", "c"):
        blobs.put(name, {"n": name})

    for _ in range(2):
        assert len(documents.load(blobs, blobs.list(), dict)) == 3

    assert len(blobs.reads) > 3


def test_damaged_run_does_not_take_the_dashboard_away():
    """The others are shown, and that one is missing is said."""
    world = World()
    world.keep(a_run())
    broken = world.keep(a_run("shop-v1-zz"))
    world.runs.put(broken.ref.record, b"{")

    html = world.get("dashboard").body.decode()

    assert "shop-v1-aa" in html
    assert "shop-v1-zz" not in html
    assert "1 record cannot be read" in html


def test_record_of_an_ended_run_is_read_once():
    """An open page costs a listing, and two reads for each run that is still under way."""
    world = World()
    runs = CountingBlobs()
    world.runs, world.services = runs, world.with_runs(runs)
    for number in range(20):
        world.keep(a_run(f"shop-v1-{number:02}", phase=Phase.FAILED))
    open_run = world.keep(a_run())
    etag = world.get("dashboard").headers["ETag"]
    runs.reads.clear()

    response = world.get("dashboard", if_none_match=etag)

    assert response.status == 304
    assert sorted(runs.reads) == sorted([open_run.ref.record, open_run.ref.control])


def test_list_of_runs_reads_what_has_ended_once_too():
    """Programs that list cost no more than people who look, and a damaged run hides no other."""
    world = World()
    runs = CountingBlobs()
    world.runs, world.services = runs, world.with_runs(runs)
    for number in range(20):
        world.keep(a_run(f"shop-v1-{number:02}", phase=Phase.FAILED))
    broken = world.keep(a_run("shop-v1-zz"))
    world.runs.put(broken.ref.record, b"{")
    first = read(world.get("runs"))
    runs.reads.clear()

    second = read(world.get("runs"))

    assert len(first["runs"]) == 20
    assert second == first
    assert runs.reads == [broken.ref.record]


def test_list_of_runs_goes_on_behind_its_first_listing():
    """A project whose runs are all older than the newest 201 is found."""
    world = World()
    for number in range(205):
        world.keep(a_run(f"new-v1-{number:03}", project="new", phase=Phase.FAILED))
    old = a_run("old-v1-a", project="old", created_at=NOW - timedelta(days=9), phase=Phase.FAILED)
    world.keep(old)

    assert [run["id"] for run in read(world.get("runs?project=old"))["runs"]] == ["old-v1-a"]


def test_run_that_is_promoted_after_its_end_is_read_again():
    """Whoever changes an ended run's record writes its row again, and lists show it at once."""
    world = World()
    runs = RunRecords(world.runs, world.clock)
    record = world.keep(a_kept_model())
    before = world.get("dashboard").body.decode()
    asked = replace(world.promotion, message="Deploying.")

    runs.list_again(runs.update(record.ref, lambda r: replace(r, promotion=asked, updated_at=NOW)))
    under_way = world.get("dashboard").body.decode()
    done = asked.ended(at=NOW, message="Promoted: shop-1.", error=None)
    later = NOW + timedelta(minutes=1)
    runs.list_again(runs.update(record.ref, lambda r: replace(r, promotion=done, updated_at=later)))
    after = world.get("dashboard").body.decode()

    assert "Nobody approved" in before
    assert "Being promoted, as Ada asked" in under_way
    assert "Promoted later, as Ada asked" in after


def test_end_and_word_of_a_run_change_the_dashboard():
    """What is remembered never hides what is new."""
    world = World()
    record = world.keep(a_run())
    etags = [world.get("dashboard").headers["ETag"]]

    world.keep(record, Word(word="pause", at=NOW, by="ann"))
    etags.append(world.get("dashboard").headers["ETag"])
    ended = record.ended(Phase.FAILED, Outcome.NONE, at=NOW, message="Gone.", error=None)
    world.keep(ended)
    response = world.get("dashboard")

    assert len({*etags, response.headers["ETag"]}) == 3
    assert b"Gone." in response.body


def test_datasets_come_in_pages_that_end_with_rejected_paths():
    """Every dataset and every path exactly once, whatever the size of the page."""
    world = World()
    for version in ("v1", "v2", "v3"):
        world.datasets.put(f"shop/{version}/training.jsonl", b"x")
    world.datasets.put("stray.txt", b"x")
    world.datasets.put("a b/v1/training.jsonl", b"x")

    seen, after = [], ""
    while after is not None:
        query = f"limit=2&after={after}" if after else "limit=2"
        page = read(world.get(f"datasets?{query}"))
        seen += [each.get("path") or each["version"] for each in page["datasets"]]
        after = page["next"]

    assert seen == ["v1", "v2", "v3", "a b/v1/training.jsonl", "stray.txt"]


def test_misspelt_filter_is_refused_with_the_right_one():
    """A filter that is ignored would show everything as if it had been asked for."""
    response = World().get("runs?projct=shop")

    assert response.status == 400
    assert read(response)["code"] == "unknown-query"
    assert read(response)["remedy"] == "Did you mean 'project'?"
    assert read(response)["link"] == "http://127.0.0.1:7071/api/openapi.json"


class Account:
    """An account that lists one model, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.held: Future[None] | None = None

    def list_models(self) -> list[AccountModel]:
        self.asked += 1
        if self.held:
            self.held.result()
        if self.fails:
            raise TransientError("busy")
        until = NOW + timedelta(days=365)
        return [AccountModel(name="gpt-4.1-mini", version="2025-04-14", inference_until=until)]


def test_date_of_retirement_is_asked_once_an_hour():
    """With or without version, also for the base of a fine-tuned model; None for others."""
    account, clock = Account(), StoppedClock()
    dates = RetirementDates(account, clock)

    found = [dates("gpt-4.1-mini"), dates("gpt-4.1-mini-2025-04-14.ft-x"), dates("gpt-9")]
    once = account.asked
    clock.at += timedelta(hours=1)
    dates("gpt-4.1-mini")

    assert found == [NOW + timedelta(days=365)] * 2 + [None]
    assert (once, account.asked) == (1, 2)


def test_failing_account_is_asked_again_after_a_while():
    """The date is not known meanwhile, and the page is there."""
    account, clock = Account(), StoppedClock()
    account.fails = True
    dates = RetirementDates(account, clock)

    during = [dates("gpt-4.1-mini"), dates("gpt-4.1-mini")]
    account.fails = False
    clock.at += timedelta(minutes=6)

    assert during == [None, None]
    assert dates("gpt-4.1-mini") is not None
    assert account.asked == 2


def test_slow_account_does_not_hold_a_page_up():
    """After its patience the page goes on without the date; the answer is there the next time."""
    account = Account()
    account.held = Future()
    dates = RetirementDates(account, StoppedClock(), patience_seconds=0.01)

    at_first = dates("gpt-4.1-mini")
    account.held.set_result(None)
    dates.close()

    assert at_first is None
    assert dates("gpt-4.1-mini") is not None
