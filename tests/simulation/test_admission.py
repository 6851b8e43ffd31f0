"""Many drops at once: everybody gets a turn, and nobody is shown a limit as an error."""

from __future__ import annotations

from simulation.admission import LARGEST_RATIO, admit


def test_projects_that_drop_much_at_once_wait_about_equally_long() -> None:
    """Four projects share three places; `python -m simulation.admission 4 20` tries eighty runs."""
    found = admit(4, 4)

    assert found.shown == ()
    assert found.succeeded == found.runs == 16
    assert found.ratio <= LARGEST_RATIO
