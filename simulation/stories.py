"""Stories: everything that happens from outside in one schedule, drawn from its seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulation.actors import Happening
from simulation.datasets import MODEL
from simulation.profiles import Profile
from simulation.receiver import SETTING

_HOUR = 3600.0
_BOUND = 600.0  # seconds within which the service is trusted to list a new job
_TIGHT: tuple[dict[str, float], ...] = (
    {},
    {"limit_queued": 1},
    {"limit_fine_tuned_deployments": 1},
    {"limit_files": 2},
)
_WORDS = ("cancel", "pause", "resume", "approve", "approve", "approve", "reject")


@dataclass(frozen=True, kw_only=True)
class Story:
    """One schedule before anything has struck.

    Attributes:
        happenings: in order of time.
        settings: environment variables of the app.
        service: settings of the emulated service.
    """

    happenings: tuple[Happening, ...]
    settings: dict[str, str]
    service: dict[str, float]


def draw(seed: int, profile: Profile) -> Story:
    """Return the story of a seed."""
    chance = random.Random(f"story {seed}")
    found = [*_sweeps(chance)]
    for project, version in _datasets(chance, profile):
        found += _dataset(chance, profile, project, version)
    if profile.people:
        found += _people(chance)
        found += _promotions(random.Random(f"promotions {seed}"))
    found += [
        Happening(at=chance.uniform(0, 2 * _HOUR), what="look", about={"nth": chance.randrange(4)})
        for _ in range(3)
    ]
    if profile.service:
        found += _service(chance)
    if profile.deployments:
        found += _deployments(chance)
    if profile.hidden_seconds:
        found += _hidden(chance, profile.hidden_seconds)
    if profile.hub and chance.random() < 0.7:
        found.append(Happening(at=chance.uniform(5, 2 * _HOUR), what="lose hub"))
    if profile.storage and chance.random() < 0.7:
        about = {"seconds": chance.choice((5, 60, 900))}
        found.append(Happening(at=chance.uniform(5, 2 * _HOUR), what="outage", about=about))
    if chance.random() < 0.2:
        found.append(Happening(at=chance.uniform(5, 1.5 * _HOUR), what="upgrade"))
    if profile.tells:
        found += [Happening(at=float(at), what="tell") for at in range(60, int(2 * _HOUR), 300)]
    if profile.retires:
        at = 2 * _HOUR * chance.random() ** 2
        found.append(Happening(at=at, what="retire", about={"model": MODEL}))
    if profile.outside:
        found += _outside(chance)
    return Story(
        happenings=tuple(sorted(found, key=lambda each: each.at)),
        settings=_settings(chance, profile),
        service=_limits(chance, profile),
    )


def _looks(chance: random.Random) -> Iterator[Happening]:
    for _ in range(3):
        at, about = chance.uniform(0, 2 * _HOUR), {"nth": chance.randrange(4)}
        yield Happening(at=at, what="look", about=about)


def _sweeps(chance: random.Random) -> Iterator[Happening]:
    """The timers, in a few of the times at which they fire."""
    for _ in range(chance.randrange(2, 5)):
        yield Happening(at=_whole(chance.uniform(0, 2 * _HOUR), 300), what="sweep")
    for _ in range(chance.randrange(0, 2)):
        yield Happening(at=_whole(chance.uniform(0, 3 * _HOUR), 300), what="clean up")


def _whole(at: float, unit: float) -> float:
    return at - at % unit + unit


def _datasets(chance: random.Random, profile: Profile) -> list[tuple[str, str]]:
    many = chance.choice((2, 3)) if profile.several else 1
    if profile.limits:
        many = 3
    places = [("shop", "v1"), ("shop", "v2"), ("bank", "v1")]
    return places[:many] if chance.random() < 0.5 else places[::-1][:many]


def _dataset(
    chance: random.Random, profile: Profile, project: str, version: str
) -> Iterator[Happening]:
    begun = 60.0 if profile.at_once else chance.uniform(1, 400)
    folder, variant = f"{project}/{version}", "a" if profile.alike else chance.choice("aab")
    slow = 40.0 if profile.writers else 4.0
    files: dict[str, dict[str, Any]] = {
        f"{folder}/fine-tune-job.yaml": {"pipeline": _pipeline(chance, profile), "seed": 1},
        f"{folder}/training.jsonl": _spec(project, variant, "training"),
    }
    if chance.random() < 0.3:
        files[f"{folder}/validation.jsonl"] = _spec(project, variant, "validation")
    paths = list(files)
    chance.shuffle(paths)
    for path in paths:
        at = begun + chance.uniform(0, slow)
        yield from _written(chance, profile, at, path, files[path])
    if profile.writers:
        yield from _overwritten(chance, profile, begun, paths, files)
    if profile.events:
        for _ in range(chance.randrange(3)):
            at = begun + chance.choice((1, 60, 4000, 9000)) * chance.random()
            yield Happening(at=at, what="event", about={"path": chance.choice(paths)})


def _spec(project: str, variant: str, role: str) -> dict[str, Any]:
    return {"project": project, "variant": variant, "role": role}


def _written(
    chance: random.Random, profile: Profile, at: float, path: str, spec: dict[str, Any]
) -> Iterator[Happening]:
    yield Happening(at=at, what="write", about={"path": path, "spec": spec})
    lost = profile.events and chance.random() < 0.3
    if not lost:
        late = chance.choice((0, 1, 30, 5000) if profile.events else (0, 1, 4))
        yield Happening(at=at + late * chance.random(), what="event", about={"path": path})


def _overwritten(
    chance: random.Random,
    profile: Profile,
    begun: float,
    paths: Sequence[str],
    files: dict[str, dict[str, Any]],
) -> Iterator[Happening]:
    for _ in range(chance.randrange(1, 4)):
        at = begun + chance.choice((15, 130, 400, 1.5 * _HOUR)) * chance.random()
        path = chance.choice(paths)
        spec = dict(files[path])
        if "variant" in spec and chance.random() < 0.6:
            spec["variant"] = chance.choice("abc")
        yield from _written(chance, profile, at, path, spec)


def _pipeline(chance: random.Random, profile: Profile) -> dict[str, Any]:
    asks = 0.3 if profile.people else 0.05
    deploy: dict[str, Any] = {}
    if chance.random() < 0.75:
        sku = chance.choice(("GlobalStandard", "Standard"))
        deploy["production"] = {"sku": sku, "capacity": 50}
    if chance.random() < 0.3:
        deploy["candidate"] = {"sku": "GlobalStandard"}
    approval = {
        "timeout_hours": 2,
        "promotion": chance.choice(("never", "never", "never", "replace", "always")),
        "training": "always" if chance.random() < asks else "over_budget",
    }
    if profile.promotes:
        deploy = {"production": {"sku": "GlobalStandard", "capacity": 50}}
        approval |= {"promotion": "never", "training": "over_budget"}
    if approval["training"] == "over_budget":
        del approval["training"]  # as it is without a word
    run = {"run_usd": chance.choice((0.001, 0.01))} if profile.poor else {}
    hosting = 5000 if profile.promotes else chance.choice((5000, 5000, 5000, 5000, 0))
    pipeline: dict[str, Any] = {"deploy": deploy} if deploy else {}
    if chance.random() < 0.3:
        pipeline["retention"] = {"rollback_hours": 1}
    if profile.tells:
        pipeline["notify"] = [{"url_setting": SETTING, "format": "cloudevents"}]
    return pipeline | {"approval": approval, "budget": run | {"hosting_usd_month": hosting}}


def _people(chance: random.Random) -> Iterator[Happening]:
    for _ in range(chance.randrange(1, 5)):
        at, nth = 100 + 2 * _HOUR * chance.random() ** 3, chance.randrange(3)
        kind = chance.random()
        if kind < 0.7:
            about: dict[str, Any] = {"word": chance.choice(_WORDS), "nth": nth}
            yield Happening(at=at, what="word", about=about)
            if about["word"] == "pause":
                resumed = about | {"word": "resume"}
                yield Happening(at=at + chance.uniform(10, _HOUR), what="word", about=resumed)
        elif kind < 0.9:
            about = {"wish": chance.choice(("retry", "retry", "again")), "nth": nth}
            yield Happening(at=at + _HOUR / 2, what="wish", about=about)
        else:
            yield Happening(at=at + _HOUR, what="rollback", about={"project": "shop"})


def _promotions(chance: random.Random) -> Iterator[Happening]:
    """Wishes for what ended without a promotion, some of them twice, and too early."""
    for _ in range(chance.randrange(4)):
        at, about = chance.uniform(600, 4 * _HOUR), {"nth": chance.randrange(3)}
        yield Happening(at=at, what="promote", about=about)
        if chance.random() < 0.4:
            again = at + chance.choice((0, 1, 60, 3600)) * chance.random()
            yield Happening(at=again, what="promote", about=about)
        if chance.random() < 0.2:
            stopped = about | {"word": "cancel"}
            yield Happening(at=at + chance.uniform(1, 300), what="word", about=stopped)


def _service(chance: random.Random) -> Iterator[Happening]:
    if chance.random() < 0.4:
        about: dict[str, Any] = {"on": "job", "then": "fail", "when": chance.random()}
        more = {"code": "internalFailure", "message": "It broke."}
        yield Happening(at=0, what="fate", about=about | more)
    if chance.random() < 0.2:
        about = {"on": "job", "then": "cancel", "when": chance.random()}
        yield Happening(at=0, what="fate", about=about)
    if chance.random() < 0.2:
        about = {"on": "file", "then": "error", "message": "line 3: canary-of-the-training-data"}
        yield Happening(at=0, what="fate", about=about)
    if chance.random() < 0.3:
        at, about = chance.uniform(200, 2 * _HOUR), {"nth": chance.randrange(3)}
        yield Happening(at=at, what="cancel outside", about=about)


def _deployments(chance: random.Random) -> Iterator[Happening]:
    fates: dict[str, dict[str, Any]] = {
        "fail": {"code": "Broken", "message": "?"},
        "hang": {},
        "lag": {"seconds": 900},
    }
    for then, more in fates.items():
        if chance.random() < 0.25:
            about = {"on": "deployment", "then": then, "skip": chance.randrange(2)} | more
            yield Happening(at=0, what="fate", about=about)
    for _ in range(chance.randrange(3)):
        at, about = chance.uniform(600, 2 * _HOUR), {"nth": chance.randrange(3)}
        yield Happening(at=at, what="remove deployment", about=about)


def _outside(chance: random.Random) -> Iterator[Happening]:
    """Whoever has rights in the portal uses them, and the service takes its time."""
    for what in ("terminate", "terminate", "purge", "pause job", "pause job"):
        if chance.random() < 0.6:
            at = 2 * _HOUR * chance.random() ** 2
            about: dict[str, Any] = {} if what == "purge" else {"nth": chance.randrange(6)}
            if what == "pause job":
                about["seconds"] = chance.choice((60, 1200, 9000))
            yield Happening(at=at, what=what, about=about)
    if chance.random() < 0.5:
        about = {"on": "file", "then": "wait", "seconds": chance.choice((1200, 864_000))}
        yield Happening(at=0, what="fate", about=about)


def _hidden(chance: random.Random, most: float) -> Iterator[Happening]:
    beyond = most > _BOUND
    if beyond or chance.random() < 0.6:
        seconds = chance.uniform(1.2 * _BOUND if beyond else 1, most)
        about = {"on": "job", "then": "hide", "seconds": seconds, "times": 2}
        yield Happening(at=0, what="fate", about=about)


def _settings(chance: random.Random, profile: Profile) -> dict[str, str]:
    settings = {"LIMITS_RUNS_PER_DAY": chance.choice(("20", "20", "2"))}
    if profile.tells:
        settings[SETTING] = "https://example.com/told"
    if profile.poor:
        settings["BUDGET_PROJECT_DAY_USD"] = chance.choice(("0.004", "0.02"))
        settings["BUDGET_PROJECT_MONTH_USD"] = "0.02"
    if profile.hosts:
        settings["BUDGET_APP_HOSTING_USD_MONTH"] = chance.choice(("2000", "4000"))
    if profile.several and chance.random() < 0.5:
        settings["BUDGET_APP_DAY_USD"] = "0.02"
    return settings


def _limits(chance: random.Random, profile: Profile) -> dict[str, float]:
    service: dict[str, float] = {
        "file_processing_seconds": chance.choice((1, 20, 300)),
        "queue_seconds": chance.choice((0, 30, 1200)),
        "training_seconds": chance.choice((30, 300, 3000)),
        "training_cap_seconds": 4000,
        "deployment_seconds": chance.choice((1, 60, 300)),
        "readiness_lag_seconds": chance.choice((0, 120)),
    }
    if profile.outside:
        service["training_seconds"] = 900  # long enough to be paused
    if profile.limits:
        service |= {"limit_running": 1, "training_seconds": chance.choice((30, 300))}
        service |= chance.choice(_TIGHT)
    return service
