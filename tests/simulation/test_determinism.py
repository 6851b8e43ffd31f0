"""The same seed tells the same story, whatever else differs between two processes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def told(seed: int, profile: str, hash_seed: str) -> str:
    """Return the digest of the whole trace of a schedule, run in a process of its own."""
    command = ["simulation", "--seed", str(seed), "--profile", profile, "--trace"]
    code = f"import sys; from simulation.__main__ import main; sys.exit(main({command[1:]!r}))"
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert len(ran.stdout.splitlines()) > 20, ran.stderr.decode()
    return hashlib.sha256(ran.stdout).hexdigest()


@pytest.mark.parametrize(("seed", "profile"), [(5, "everything"), (11, "workers")])
def test_same_seed_twice_gives_the_same_trace(seed: int, profile: str) -> None:
    """Not even the seed of Python's hashes makes a difference."""
    first = told(seed, profile, "1")

    second = told(seed, profile, "2")

    assert first == second


def test_another_seed_gives_another_trace() -> None:
    """The comparison can fail."""
    first = told(5, "calm", "0")

    second = told(6, "calm", "0")

    assert first != second
