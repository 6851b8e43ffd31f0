"""The champion of a project: who follows whom, how long the last one stays, the way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from droptune.domain.champion import Champion, ChampionEntry, roll_back, succeed
from tests.fakes.clock import START

HOUR = timedelta(hours=1)


def an_entry(number: int, **changed: Any) -> ChampionEntry:
    """Return the holder that run `number` made: settled and promoted in the order of numbers."""
    at = START + number * timedelta(days=10)
    fields: dict[str, Any] = {
        "endpoint": "https://a.openai.azure.com",
        "deployment": f"bot-{number}",
        "model": f"gpt-4.1-mini.ft-{number}",
        "base_model": "gpt-4.1-mini",
        "run_id": f"run-{number}",
        "since": at,
        "settled_at": at,
    }
    return ChampionEntry(**(fields | changed))


def champions(*numbers: int, rollback: timedelta = 48 * HOUR) -> Champion:
    champion: Champion | None = None
    for number in numbers:
        champion = succeed(champion, an_entry(number), project="bot", rollback=rollback)
    assert champion is not None
    return champion


def test_first_model_becomes_champion() -> None:
    """There is nobody to keep warm."""
    champion = champions(1)

    assert champion.current == an_entry(1)
    assert (champion.previous, champion.keep_previous_until) == (None, None)
    assert champion.history == (an_entry(1),)


def test_successor_keeps_its_predecessor_warm() -> None:
    """Callers who still hold the old pointer are served until a rollback is no longer quick."""
    champion = champions(1, 2)

    until = an_entry(2).since + 48 * HOUR
    assert champion.current == an_entry(2)
    assert champion.previous == an_entry(1, retires_at=until)
    assert champion.keep_previous_until == until
    assert champion.deployments_in_use(until - HOUR) == {"bot-1", "bot-2"}
    assert champion.deployments_in_use(until) == {"bot-2"}


@pytest.mark.parametrize(("rollback", "kept"), [(0 * HOUR, 600), (600 * HOUR, 600 * 3600)])
def test_predecessor_stays_at_least_twice_as_long_as_a_pointer_is_kept(
    rollback: timedelta, kept: int
) -> None:
    """No caller that keeps to `max_age_seconds` meets a deployment that is gone."""
    champion = champions(1, 2, rollback=rollback)

    assert champion.max_age_seconds == 300
    assert champion.keep_previous_until == an_entry(2).since + timedelta(seconds=kept)


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(2),
        an_entry(1),
        an_entry(3, run_id="run-1"),
        an_entry(3, settled_at=an_entry(2).settled_at),
        an_entry(3, settled_at=an_entry(1).settled_at),
    ],
    ids=["itself", "one before", "a run twice", "settled together", "settled earlier"],
)
def test_only_later_data_promotes_and_no_run_twice(entry: ChampionEntry) -> None:
    """A slow old run does not replace a newer model."""
    assert succeed(champions(1, 2), entry, project="bot", rollback=HOUR) is None


def test_rollback_makes_the_previous_one_current_again() -> None:
    """Who, when and why stand in the entry; the one rolled back stays warm, too."""
    at = START + timedelta(days=21)

    champion = roll_back(champions(1, 2), at=at, by="ada", reason="worse")

    assert champion is not None
    assert champion.current == an_entry(1, since=at, by="ada", reason="worse")
    assert champion.previous is not None
    assert champion.previous.run_id == "run-2"
    assert champion.deployments_in_use(at + HOUR) == {"bot-1", "bot-2"}
    assert [entry.run_id for entry in champion.history] == ["run-1", "run-2", "run-1"]


def test_rollback_twice_is_back_where_it_was() -> None:
    """A rollback can be rolled back."""
    at = START + timedelta(days=21)
    once = roll_back(champions(1, 2), at=at, by="ada", reason="")
    assert once is not None

    twice = roll_back(once, at=at + HOUR, by="bob", reason="")

    assert twice is not None
    assert (twice.current.run_id, twice.current.reason) == ("run-2", "rolled back")


def test_without_a_predecessor_there_is_no_way_back() -> None:
    """The first champion cannot be rolled back."""
    assert roll_back(champions(1), at=START, by="ada", reason="") is None


def test_later_data_promotes_after_a_rollback() -> None:
    """A rollback does not close the line, and what was rolled back does not return by itself."""
    at = START + timedelta(days=21)
    rolled = roll_back(champions(1, 2), at=at, by="ada", reason="")

    assert succeed(rolled, an_entry(2), project="bot", rollback=HOUR) is None
    assert succeed(rolled, an_entry(3), project="bot", rollback=HOUR) is not None


def test_history_keeps_the_last_twenty() -> None:
    """A pointer that callers read often stays small."""
    history = champions(*range(1, 31)).history

    assert [entry.run_id for entry in history] == [f"run-{number}" for number in range(11, 31)]


def test_document_shows_the_current_holder_at_its_top() -> None:
    """A caller reads `endpoint` and `deployment` without knowing the rest."""
    champion = champions(1, 2)

    document = champion.to_document()

    assert (document["schema_version"], document["project"]) == (1, "bot")
    assert document["deployment"] == "bot-2"
    assert document["base_model"] == "gpt-4.1-mini"
    assert document["max_age_seconds"] == 300
    assert document["previous"]["deployment"] == "bot-1"
    assert len(document["history"]) == 2
    assert "current" not in document
    assert Champion.from_document(document) == champion


def test_document_of_a_later_version_is_read() -> None:
    """Released documents only gain fields."""
    champion = champions(1, 2)

    assert Champion.from_document({**champion.to_document(), "colour": "gold"}) == champion


def test_entry_of_a_run_is_its_newest() -> None:
    """Promoting a run again later finds what it promoted."""
    at: datetime = START + timedelta(days=21)
    champion = roll_back(champions(1, 2), at=at, by="ada", reason="")
    assert champion is not None

    assert champion.entry_of("run-1").since == at
    assert champion.has_held("run-2")
    with pytest.raises(KeyError):
        champion.entry_of("run-9")
