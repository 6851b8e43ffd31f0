"""Droptune: drop a dataset, come back to a better model in production, or to a reasoned no."""

__version__ = "0.1.0"
