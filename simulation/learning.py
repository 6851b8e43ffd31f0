"""Training by the emulated service, each once a process: worlds hold the same few datasets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from emulator.examples import Example
from emulator.learner import Learned, train

_learned: dict[str, Learned] = {}


def train_once(
    examples: Sequence[Example],
    validation: Sequence[Example],
    *,
    steps: int,
    epochs: int,
    seed: int,
    remembered: Sequence[Example] = (),
) -> Learned:
    """Return what `train` does, which is the same for the same arguments."""
    texts = [[asdict(each) for each in some] for some in (examples, validation, remembered)]
    key = json.dumps([texts, steps, epochs, seed])
    if key not in _learned:
        _learned[key] = train(
            examples, validation, steps=steps, epochs=epochs, seed=seed, remembered=remembered
        )
    return _learned[key]
