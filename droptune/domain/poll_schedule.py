"""How long to wait between two looks at something slow."""

from __future__ import annotations


def delay(*, first_seconds: float, longest_seconds: float, polls: int) -> float:
    """Return seconds until the next look after `polls` looks: doubled each time, up to the
    longest."""
    doublings = min(max(polls, 0), 32)  # keeps the product finite
    return min(first_seconds * 2.0**doublings, longest_seconds)
