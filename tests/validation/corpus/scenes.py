"""All scenes of the corpus."""

from __future__ import annotations

from tests.validation.corpus import answers, consistency, content, similarity, structure
from tests.validation.corpus.scene import Scene

SCENES: tuple[Scene, ...] = (
    *structure.SCENES,
    *similarity.SCENES,
    *answers.SCENES,
    *consistency.SCENES,
    *content.SCENES,
)
