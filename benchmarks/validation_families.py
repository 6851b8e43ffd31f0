"""What each family of rules costs: processor time on a corpus, over that of counting alone.

    python -m benchmarks.validation_families FILE [--profile FAMILY]

Microseconds are for each line; the profile names the functions that take them.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from pathlib import Path

from droptune.domain.dataset import Role
from droptune.validation import FileSource, ValidationRequest, validate
from droptune.validation.rules import FAMILIES

NONE = ("none of them",)
_ROUNDS = 3


def main() -> None:
    """Print the families, the dearest first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--profile", default="", metavar="FAMILY")
    given = parser.parse_args()
    if given.profile:
        profile = cProfile.Profile()
        profile.runcall(_run, given.file, (given.profile,))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    lines = _run(given.file, NONE)
    base = _seconds(given.file, NONE)
    names = dict.fromkeys(family.name for family in FAMILIES)
    costs = {name: _seconds(given.file, (name,)) - base for name in names}
    print(f"{'counting alone':20s} {base * 1e6 / lines:7.1f} us a line")
    for name, cost in sorted(costs.items(), key=lambda each: -each[1]):
        print(f"{name:20s} {cost * 1e6 / lines:7.1f} us a line")


def _seconds(file: Path, families: tuple[str, ...]) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        _run(file, families)
        times.append(time.process_time() - started)
    return min(times)


def _run(file: Path, families: tuple[str, ...]) -> int:
    request = ValidationRequest(model="gpt-4o", method="supervised", families=families)
    report = validate([FileSource(path=file, role=Role.TRAINING)], request=request)
    return report.files[0].examples


if __name__ == "__main__":
    main()
