"""One validation in a fresh process, as the command line does it, for measuring.

python -m benchmarks.validation_run FILE --workers 2 [--only file,lines,shapes]
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from droptune.domain.dataset import Role
from droptune.validation import FileSource, ValidationRequest, validate

FIGURES = ("n", "sum", "min", "max", "mean", "median", "p5", "p95")  # the lab's, and p5, p95


def main() -> None:
    """Print the distributions of total and assistant tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="", help="families of rules, with commas")
    given = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does
    families = tuple(name for name in given.only.split(",") if name)
    request = ValidationRequest(model="gpt-4o", method="supervised", families=families)
    source = FileSource(path=given.file, role=Role.TRAINING)
    report = validate([source], request=request, workers=given.workers).to_payload()
    tokens = report["files"][0]["tokens"]
    print(
        json.dumps(
            {kind: {key: tokens[kind][key] for key in FIGURES} for kind in ("total", "assistant")}
        )
    )


if __name__ == "__main__":
    main()
