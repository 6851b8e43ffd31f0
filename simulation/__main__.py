"""`python -m simulation --seeds 0-999`: exit code 1 when a promise did not hold."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from simulation.campaign import Extent, Tally, campaign
from simulation.profiles import BEYOND, PROFILES, profile_of
from simulation.runner import Result, run
from simulation.shrinking import shrink

_SHOWN_FAILURES = 3
_A_MINUTE = 10_000  # seeds
_MINUTES = 60  # a long campaign goes on to later minutes' seeds, which nobody has run yet


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for."""
    asked = _parser().parse_args(arguments)
    if asked.seed is not None:
        return _one(asked.seed, asked.profile or profile_of(asked.seed), asked.trace)
    return _many(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="droptune simulate")
    parser.add_argument("--seeds", default="0-199", help="first and last seed: 0-999")
    parser.add_argument("--fresh", action="store_true", help="seeds that nobody has run before")
    parser.add_argument("--seed", type=int, help="one schedule")
    parser.add_argument("--profile", choices=[*PROFILES, *BEYOND])
    parser.add_argument("--trace", action="store_true", help="tell the whole story of --seed")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after")
    parser.add_argument("--at-least", type=int, default=0, help="but not before so many have run")
    longest = "seconds after which it stops even so"
    parser.add_argument("--longest", type=float, default=float("inf"), help=longest)
    parser.add_argument("--json", action="store_true")
    return parser


def _one(seed: int, profile: str, trace: bool) -> int:
    result = run(seed, profile)
    if trace:
        _tell(result)
    for each in result.outcomes:
        _say("run " + " ".join(each))
    for violation in result.violations:
        _say(f"VIOLATION {violation}")
    _say(f"seed {seed} ({profile}): {len(result.violations)} violations")
    return 1 if result.violations else 0


def _many(asked: argparse.Namespace) -> int:
    seeds = _fresh() if asked.fresh else _named(asked.seeds)
    tally, began = Tally(), time.monotonic()
    extent = Extent(seconds=asked.seconds, at_least=asked.at_least, longest=asked.longest)
    for outcome in campaign(seeds, asked.profile, extent):
        tally.add(outcome)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{tally.schedules} of {len(seeds)}, {len(tally.failed)} failed")
    elapsed = time.monotonic() - began
    if asked.json:
        _say(json.dumps(_document(tally, elapsed), indent=1))
    else:
        _show(tally, elapsed)
        _show_failures(tally)
        if tally.schedules < asked.at_least:
            _say(f"ONLY {tally.schedules} of at least {asked.at_least} schedules were run")
    return 1 if tally.failed else 0


def _named(asked: str) -> range:
    first, _, last = asked.partition("-")
    return range(int(first), int(last or first) + 1)


def _fresh() -> range:
    """Return seeds that belong to this minute and those after it, and say which."""
    first = int(time.time() // 60) * _A_MINUTE
    _say(f"fresh seeds from {first} on")
    return range(first, first + _MINUTES * _A_MINUTE)


def _document(tally: Tally, elapsed: float) -> dict[str, object]:
    failed = [
        {"seed": each.seed, "profile": each.profile, "said": [*each.violations, each.broke]}
        for each in tally.failed
    ]
    return {
        "schedules": tally.schedules,
        "seconds": round(elapsed, 1),
        "per_second": round(tally.schedules / elapsed, 2),
        "cpu_seconds_each": round(tally.cpu_seconds / max(tally.schedules, 1), 3),
        "points": tally.points,
        "restarts": tally.restarts,
        "profiles": dict(tally.profiles.most_common()),
        "faults": dict(tally.struck.most_common()),
        "happenings": dict(tally.happened.most_common()),
        "runs": dict(tally.ended.most_common()),
        "failed": failed,
    }


def _show(tally: Tally, elapsed: float) -> None:
    cores = os.cpu_count() or 1
    rate = tally.schedules / elapsed
    _say(
        f"{tally.schedules} schedules in {elapsed:.0f} s: {rate:.1f} a second on {cores} cores, "
        f"{tally.cpu_seconds / max(tally.schedules, 1):.2f} s of processor time each"
    )
    _say(f"{tally.points} points passed, {tally.restarts} restarts after crashes")
    for title, counts in (
        ("faults", tally.struck),
        ("from outside", tally.happened),
        ("runs ended", tally.ended),
    ):
        said = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        _say(f"{title}: {said}")
    _say(f"failed: {len(tally.failed)}")


def _show_failures(tally: Tally) -> None:
    for each in tally.failed:
        said = each.broke or "; ".join(each.violations)
        _say(f"seed {each.seed} ({each.profile}): {said}")
    for each in [failed for failed in tally.failed if not failed.broke][:_SHOWN_FAILURES]:
        shortest = shrink(run(each.seed, each.profile))
        _say(f"\nthe shortest story found of seed {each.seed}:")
        _tell(shortest)


def _tell(result: Result) -> None:
    for at, what in result.trace:
        hours, rest = divmod(int(at), 3600)
        _say(f"{hours:4d}:{rest // 60:02d}:{rest % 60:02d}  {what}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # so that nothing depends on it, ever
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "simulation", *sys.argv[1:]])
    sys.exit(main())
