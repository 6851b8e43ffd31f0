"""What starting costs: `import function_app` against the two SDKs that every such app imports, and
the launcher's own share of a command.

    python -m benchmarks.start_up
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import describe, spread

ROOT = Path(__file__).parents[1]
RUNS = 9
BASELINE = "azure.functions, azure.durable_functions"
HEAVY = ("openai", "azure.identity", "azure.storage.blob", "tiktoken", "gigatoken", "jinja2")
_IMPORT = """
import sys, time
started = time.perf_counter()
import {what}
print(time.perf_counter() - started, *[name for name in {heavy!r} if name in sys.modules])
"""
_NOWHERE = "http://127.0.0.1:1"
_ENVIRON = {
    "DATA_STORAGE": "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=Zm9v;"
    f"BlobEndpoint={_NOWHERE}/a;",
    "AZURE_OPENAI_ENDPOINT": _NOWHERE,
    "AZURE_OPENAI_API_KEY": "none",
    "ARM_ENDPOINT": _NOWHERE,
    "ARM_TOKEN": "none",
    "AZURE_OPENAI_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/providers"
    "/Microsoft.CognitiveServices/accounts/a",
}


def main() -> None:
    """Measure in turn, so that both share the machine's mood, and print the ratio."""
    print(describe())
    app, baseline = [], []
    heavy: list[str] = []
    for _ in range(RUNS):
        seconds, heavy = _import("function_app")
        app.append(seconds * 1000)
        baseline.append(_import(BASELINE)[0] * 1000)
    print(f"import function_app            {spread(app)} ms; loads {', '.join(heavy) or 'nothing'}")
    print(f"import {BASELINE}  {spread(baseline)} ms")
    print(
        f"ratio                          {statistics.median(app) / statistics.median(baseline):.2f}"
    )
    launcher = _launcher()
    print(f"launcher, all set up           {spread(launcher)} ms before the command line begins")


def _import(what: str) -> tuple[float, list[str]]:
    program = _IMPORT.format(what=what, heavy=HEAVY)
    environ = {**os.environ, **_ENVIRON}
    said = subprocess.check_output(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, text=True
    ).split()
    return float(said[0]), said[1:]


def _launcher() -> list[float]:
    """Return what `python -m droptune --help` costs more than the command line itself, in ms."""
    extra = []
    for _ in range(RUNS):
        through = _seconds([sys.executable, "-m", "droptune", "--help"])
        direct = _seconds([sys.executable, "-m", "droptune.cli", "--help"])
        extra.append((through - direct) * 1000)
    return extra


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
