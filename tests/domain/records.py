"""Run records, where a test cares for some of their fields alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from droptune.domain.phases import Phase
from droptune.domain.run import PhaseChange, RunRecord
from tests.fakes.clock import START


def a_record(*phases: Phase, **fields: Any) -> RunRecord:
    """Return the record of a run that went through some phases, a minute each."""
    record = RunRecord(
        id="bot-v1-0a1b2c3d",
        project="bot",
        version="v1",
        training_digest="ab" * 32,
        run_digest="0a1b2c3d4e5f" + "0" * 52,
        created_at=START,
        updated_at=START,
        settled_at=START,
        submit_after=START,
    )
    history = tuple(
        PhaseChange(phase=phase, at=START + timedelta(minutes=minute))
        for minute, phase in enumerate(phases)
    )
    phase = phases[-1] if phases else Phase.RECEIVED
    return replace(record, **({"phase": phase, "history": history} | fields))
