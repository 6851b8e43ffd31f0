"""The running host, asked everything that its OpenAPI document allows and forbids: does it ever
answer with a server error, or otherwise than it declares? Once with made-up names, and once with
those of what is there.

    python -m benchmarks.contract [--examples 100]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import describe
from droptune.cli.app_client import AppClient, Document
from droptune.cli.folders import read_folder
from droptune.cli.follow import follow
from droptune.cli.local_app import ROOT, LocalApp
from droptune.cli.submit import drop
from droptune.cli.targets import Target

KEY = "a-key-of-this-test"
# 405: a method; the others: what this app answers to data that is wrong.
_CONFIGURATION = """\
[checks]
negative_data_rejection.expected-statuses = [
    "400", "401", "403", "404", "405", "409", "413", "422"
]
"""
_NAMES = """
[parameters]
"path.project" = "{project}"
"path.version" = "{version}"
"path.id" = "{id}"
"path.name" = "report.html"
"""
_CASES = re.compile(r"Test cases:\s+([\d,]+) generated")


class GuardedApp(LocalApp):
    """A local installation whose host asks for a function key, as Azure's does."""

    def _environ(self) -> dict[str, str]:
        return super()._environ() | {"DEVHOST_KEY": KEY}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What schemathesis said.

    Attributes:
        cases: how many requests it made up.
        said: its whole report.
    """

    cases: int
    holds: bool
    said: str


def fill(app: LocalApp) -> Document:
    """Give every route something to show; return the run whose model was promoted."""
    client = AppClient(app.app_url, key=KEY)
    target = Target(client=client, local=app.installation())
    for sample in ("broken", "support-bot"):
        dataset = read_folder(ROOT / "samples" / sample, project=sample, version="v1")
        run = drop(target, dataset, storage=app.storage_connection_string)
        *_, ended = follow(client, run["id"], every=0.2)
    return ended


def ask_everything(app: LocalApp, run: Document, *, examples: int) -> list[Verdict]:
    """Ask with made-up names, then with a run's."""
    names = {name: str(run[name]) for name in ("project", "version", "id")}
    configurations = (_CONFIGURATION, _CONFIGURATION + _NAMES.format(**names))
    return [_ask(app, each, examples) for each in configurations]


def _ask(app: LocalApp, text: str, examples: int) -> Verdict:
    """Run schemathesis on an installation: boundaries, random data, and sequences of calls.

    With one worker: Python 3.11 fails now and then at reading source in two threads.
    """
    with tempfile.TemporaryDirectory() as place:
        configuration = Path(place) / "schemathesis.toml"
        configuration.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
                *("run", f"{app.app_url}/api/openapi.json", "-H", f"x-functions-key: {KEY}"),
                *(
                    "--max-examples",
                    str(examples),
                    "--seed",
                    "1",
                ),
                *("--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure"),
            ],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
    cases = _CASES.search(done.stdout)
    return Verdict(
        cases=int(cases[1].replace(",", "")) if cases else 0,
        holds=done.returncode == 0,
        said=done.stdout + done.stderr,
    )


def main() -> None:
    """Ask, and print how often and what was found; exit with 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="of random data a route")
    options = parser.parse_args()
    print(describe())
    with (
        tempfile.TemporaryDirectory() as state,
        GuardedApp(state=Path(state), time_scale=200) as app,
    ):
        verdicts = ask_everything(app, fill(app), examples=options.examples)
    for verdict in verdicts:
        print(verdict.said)
    holds = all(verdict.holds for verdict in verdicts)
    cases = sum(verdict.cases for verdict in verdicts)
    print(f"cases {cases}; {'all as declared' if holds else 'NOT as declared'}")
    raise SystemExit(0 if holds else 1)


if __name__ == "__main__":
    main()
