"""What a local app writes down about itself."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from droptune.cli.installation import (
    FILE,
    Installation,
    claim_state,
    find_installation,
    is_claimed,
    write_installation,
)
from droptune.cli.refusals import Refusal
from droptune.cli.targets import find_target

INSTALLATION = Installation(
    app_url="http://127.0.0.1:1",
    emulator_url="http://127.0.0.1:2",
    storage_connection_string="AccountKey=x;",
    pids={"app": 7},
)


def test_what_is_written_is_found(tmp_path: Path) -> None:
    """Other commands read back everything, and only its owner can."""
    write_installation(tmp_path, INSTALLATION)

    assert find_installation(tmp_path) == INSTALLATION
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"app_url": 1}', b'{"other": 1}'])
def test_a_file_that_is_none_counts_as_nothing(tmp_path: Path, data: bytes) -> None:
    """A half-written or foreign file is no installation and no crash."""
    (tmp_path / FILE).write_bytes(data)

    assert find_installation(tmp_path) is None


def test_one_local_app_holds_a_state(tmp_path: Path) -> None:
    """A second claim gets nothing until the first is let go."""
    first = claim_state(tmp_path / "state")

    second = claim_state(tmp_path / "state")

    assert first is not None
    assert second is None
    assert is_claimed(tmp_path / "state")
    first.close()
    assert not is_claimed(tmp_path / "state")


def test_an_app_that_has_ended_is_not_spoken_to(tmp_path: Path) -> None:
    """An address that was left behind by an app that has ended is not believed."""
    write_installation(tmp_path, INSTALLATION)

    with pytest.raises(Refusal, match="No local app runs"):
        find_target(None, tmp_path, {})


def test_a_state_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A state that is a file is a sentence, not a crash."""
    (tmp_path / "state").write_text("")

    with pytest.raises(Refusal, match="cannot be written"):
        claim_state(tmp_path / "state")
