"""Run Droptune: from a clone, prepare first what is missing; from a wheel, go straight on.

This module and `droptune.setup` use the standard library alone and run on any Python from 3.9.
"""

from __future__ import annotations

import sys
from pathlib import Path

OLDEST = (3, 9)
COULD_NOT_START = 3


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.version_info < OLDEST:
        sys.stderr.write("droptune: this Python is too old to start with.\n  Use 3.9 or newer.\n")
        return COULD_NOT_START
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file():
        from droptune.setup import enter

        return enter(root, sys.argv[1:])
    from droptune.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
