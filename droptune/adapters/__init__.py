"""Implementations of the Protocols in `droptune.domain.services`, one vendor SDK per module."""
