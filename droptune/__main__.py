"""Run Droptune: from a clone, prepare first what is missing; from a wheel, go straight on.

This module and `droptune.setup` use the standard library alone and run on any Python from 3.9.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run the command line and return its exit code."""
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file():
        from droptune.setup import enter

        return enter(root, sys.argv[1:])
    from droptune.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
