"""Decisions and data: pure functions over frozen dataclasses, standard library only."""
