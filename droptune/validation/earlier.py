"""What is kept of a version's test data, so that later versions are not trained on it."""

from __future__ import annotations

import base64

from droptune.validation.arrays import has_numpy
from droptune.validation.reading import Digest, InOneGo, Plan
from droptune.validation.report import EarlierTest, ValidationRequest
from droptune.validation.rules.duplicates import Digests
from droptune.validation.rules.example import Asked
from droptune.validation.rules.sketches import Sketches, pack
from droptune.validation.sources import Source
from droptune.validation.tokens.vocabulary import DEFAULT_ENCODING

_FAMILIES = ("duplicates", "similarity")


def keep_test(source: Source, *, name: str, data_format: str = "supervised") -> EarlierTest:
    """Read a version's test file and return what is to be kept of it; no text is.

    Takes 8 bytes an example, and about 300 more for its sketch (65,536 sketches at most).
    """
    asked = Asked(request=ValidationRequest(families=_FAMILIES), format=data_format, model=None)
    plan = Plan(asked=asked, encoding=DEFAULT_ENCODING)
    states = InOneGo(plan).scan(source, Digest()).states
    rows = states[Sketches].rows() if has_numpy() else None
    return EarlierTest(
        name=name,
        digests=base64.b64encode(states[Digests].digests.tobytes()).decode(),
        sketches=pack(rows) if rows is not None else "",
    )
