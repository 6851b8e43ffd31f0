"""What a validation cannot know: said at the end of each report, so that a yes is not misread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from droptune.domain.models import find_model
from droptune.validation.arrays import has_numpy
from droptune.validation.report import FileReport, ValidationRequest


def cannot_know(files: Sequence[FileReport], request: ValidationRequest) -> tuple[str, ...]:
    """Return a sentence for each thing that only the service, Azure or a person can tell."""
    return tuple(_sentences(files, request))


def _sentences(files: Sequence[FileReport], request: ValidationRequest) -> Iterator[str]:
    yield (
        "The service checks training data and the finished model for harm by its own, unpublished "
        "measure; it may refuse what is accepted here."
    )
    yield "Whether the answers are right, and whether the model learns from them: try the result."
    if request.model is None:
        yield "Nothing is checked against a model's limits, since none is named."
    elif (facts := find_model(request.model)) is None or facts.encoding is None:
        yield f"The encoding of {request.model[:80]} is not public: its tokens are an estimate."
    else:
        yield (
            f"Whether this account may train {request.model[:80]} now, in its region and within "
            "its quota: a run asks Azure before it spends."
        )
    if any(file.tokens["apart"].sum for file in files):
        yield (
            "How the service counts tools, parts and images is not published: their tokens are "
            "estimates."
        )
    if any(file.tokens["images"].sum for file in files):
        yield "Whether the images can be fetched and are allowed: nothing was loaded."
    if not has_numpy():
        yield "Near duplicates were not looked for: install droptune[fast], which brings numpy."
    yield "What Azure bills: its price on the day counts, not the list that is used here."
