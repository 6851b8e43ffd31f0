"""Tests of what HTTP shows."""
