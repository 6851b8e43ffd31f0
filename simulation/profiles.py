"""Profiles: which troubles a seed draws, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CRASHES = {"crash": 0.015, "blob-crash": 0.006, "hub-crash": 0.006}
ANSWERS = {"lost": 0.03, "lost-status": 0.01, "late": 0.05, "reset": 0.02, "refused": 0.02}
BUSY = {"busy": 0.06}
STORAGE = {"blob-fails": 0.01, "blob-lost": 0.01, "client-lost": 0.1}
WORKERS = {"other-worker": 0.08, "blob-other-worker": 0.04, "stall": 0.004, "blob-stall": 0.004}
ALL = CRASHES | ANSWERS | BUSY | STORAGE | WORKERS


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a seed may draw.

    Attributes:
        rates: probability of each fault at each point that offers it.
        events: duplicated, delayed and lost blob events.
        writers: overwriting, late and slow writers.
        people: words of people, each at any moment.
        service: what the service does by itself: slow, failing, cancelled, hidden.
        deployments: failing, hanging, lagging and removed deployments.
        limits: limits of the account that are reached.
        hub: the task hub is lost.
        storage: an outage.
        hidden_seconds: how long a new job may be missing from lists.
        several: more than one dataset and project.
        alike: datasets of a project hold the same training data.
        at_once: all datasets are dropped in the same moment.
        promotes: whatever is trained is put to use, without asking anybody.
        orders: the same story is told once more with its events in another order.
        poor: budgets of run and project are small.
        tells: others are told of each run.
        retires: the base model cannot be trained any more from some moment on.
        hosts: what may be deployed at one time in all is dear and scarce.
        outside: who may do so ends and purges orchestrations, and pauses jobs; the service preempts
            them, and leaves files unprocessed.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    events: bool = False
    writers: bool = False
    people: bool = False
    service: bool = False
    deployments: bool = False
    limits: bool = False
    hub: bool = False
    storage: bool = False
    hidden_seconds: float = 0
    several: bool = False
    alike: bool = False
    at_once: bool = False
    promotes: bool = False
    orders: bool = False
    poor: bool = False
    tells: bool = False
    retires: bool = False
    hosts: bool = False
    outside: bool = False


PROFILES: dict[str, Profile] = {
    "calm": Profile(),
    "crashes": Profile(rates=CRASHES),
    "answers": Profile(rates=ANSWERS | BUSY, hidden_seconds=180),
    "events": Profile(events=True, several=True),
    "writers": Profile(events=True, writers=True),
    "people": Profile(people=True, rates={"client-lost": 0.1}),
    "service": Profile(service=True, rates=BUSY, hidden_seconds=180),
    "deployments": Profile(deployments=True, several=True, rates={"lost": 0.01}),
    "limits": Profile(limits=True, several=True),
    "storage": Profile(storage=True, rates=STORAGE),
    "workers": Profile(rates=WORKERS | {"crash": 0.002}, several=True),
    "hub": Profile(hub=True, rates={"crash": 0.002, "lost": 0.01}),
    "submission": Profile(
        rates={"crash": 0.03, "late": 0.3, "lost": 0.15, "reset": 0.1, "lost-status": 0.1},
        hidden_seconds=180,
    ),
    "twins": Profile(several=True, alike=True, rates={"lost": 0.01}),
    "words": Profile(people=True),
    "promotions": Profile(several=True, promotes=True, people=True),
    "everything": Profile(
        rates={kind: rate / 3 for kind, rate in ALL.items()},
        events=True,
        writers=True,
        people=True,
        service=True,
        deployments=True,
        limits=True,
        hub=True,
        storage=True,
        hidden_seconds=120,
        several=True,
    ),
    "notifications": Profile(
        tells=True,
        people=True,
        service=True,
        rates=CRASHES | STORAGE | {"blob-crash": 0.03, "lost": 0.03, "busy": 0.1},
    ),
    "contended": Profile(several=True, at_once=True, rates={"blob-slow": 0.3}),
    "retired": Profile(retires=True, people=True, several=True, rates=CRASHES | {"lost": 0.03}),
    "orders": Profile(events=True, orders=True),
    "budgets": Profile(poor=True, several=True, people=True, rates=WORKERS | {"lost": 0.02}),
    "hosting": Profile(hosts=True, several=True, promotes=True, rates=WORKERS | {"lost": 0.02}),
    "outside": Profile(outside=True, several=True, rates={"lost": 0.02, "crash": 0.002}),
}
BEYOND = {"beyond": Profile(rates={"lost": 0.3}, hidden_seconds=1800)}
"""A new job that shows in lists later than the service is trusted to show it: jobs may be two."""


def profile_of(seed: int) -> str:
    """Return the profile that a seed has unless another is asked for."""
    names = list(PROFILES)
    return names[seed % len(names)]
