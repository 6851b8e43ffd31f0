"""Examples that are nearly the same, contradict each other, or were tested on before."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.arrays import has_numpy
from droptune.validation.report import EarlierTest
from droptune.validation.rules.duplicates import Digests
from droptune.validation.rules.example import DatasetView, FileView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.near import NearPairs
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.sketches import Rows, Sketches, unpack

rules = Family("similarity")
LISTED = 20
LONG = (
    "My parcel was to arrive on Monday. The tracking page says that it left the depot, and since "
    "then nothing has changed. Can you find out where it is, and when it comes?"
)
NEARLY = LONG.replace("nothing has changed", "nothing at all has changed").upper()
TOLD = "I am sorry for the delay. The parcel is at the depot and comes tomorrow before noon."
_WISHES = (
    "change my address", "return shoes", "pay by invoice", "close the account", "get a receipt",
    "track a parcel", "use a voucher", "order as a guest", "reach a person", "change the size",
)  # fmt: skip
OTHERS = tuple(
    chat(user(f"How do I {wish}, please? I have never done it."), assistant(f"Press {wish}."))
    for wish in _WISHES
)
ONE, ALMOST = chat(user(LONG), assistant(TOLD)), chat(user(NEARLY), assistant(TOLD))


@rules.dataset(
    "near-duplicate-example",
    Severity.WARNING,
    says="What the user says is nearly the same as in another example (0.9 of the shingles), "
    "and the rest as well.",
    fix="Keep one of them, or make them differ in what matters.",
    formats=("supervised", "reinforcement"),
    states=(Sketches, Digests),
    fails=case(*OTHERS, ONE, ALMOST),
    passes=case(*OTHERS, ONE),
)
def near_duplicate_example(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each line that is nearly the same as one before; exact ones aside."""
    for file in dataset.files:
        rows = file.state(Sketches).rows()
        if rows is None:
            continue
        pairs = ((row, rows, file, before) for row, before in NearPairs(rows))
        yield from _places(file, pairs, _part_of(file))


@rules.dataset(
    "near-leaked-example",
    Severity.WARNING,
    says="A validation or test example is nearly the same as one that is trained on.",
    fix="Remove it from one of them, so that the model is tested on what it has not seen.",
    states=(Sketches, Digests),
    fails=case(*OTHERS, ONE, validation=(ALMOST,)),
    passes=case(*OTHERS, validation=(ALMOST,)),
)
def near_leaked_example(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each later role's line that is nearly one of an earlier role's."""
    for at, file in enumerate(dataset.files):
        rows = file.state(Sketches).rows()
        for earlier in dataset.files[:at] if rows is not None else ():
            known = earlier.state(Sketches).rows()
            if rows is None or known is None or earlier.role is file.role:
                continue
            pairs = ((row, known, earlier, before) for row, before in NearPairs(known, rows))
            of = f" of the {earlier.role.value} data{_part_of(file, earlier)}"
            yield from _places(file, pairs, of)


def _part_of(*files: FileView) -> str:
    """Return what to add where only a part of the examples was compared."""
    halvings = max(file.state(Sketches).halvings for file in files)
    return f" (1 in {1 << halvings:,} was compared)" if halvings else ""


def _places(
    file: FileView, pairs: Iterable[tuple[int, Rows, FileView, int]], of: str
) -> Iterator[Place]:
    """Yield places for pairs that are not the same to the byte; each example once."""
    rows, own, seen, rest = file.state(Sketches).rows(), file.state(Digests), set[int](), 0
    for row, known, earlier, before in pairs:
        line = int(rows.meta[row, 0]) if rows is not None else 0
        line_before = int(known.meta[before, 0])
        digest = _digest(own, line)
        if digest in seen or digest == _digest(earlier.state(Digests), line_before):
            continue
        seen.add(digest)
        if len(seen) > LISTED:
            rest += 1
            continue
        said = f"the example is nearly the same as line {line_before}{of}"
        yield Place(message=said, file=file.name, line=line)
    if rest:
        yield Place(message="and more", file=file.name, count=rest)


def _digest(found: Digests, line: int) -> int:
    return found.digests[bisect_left(found.lines, line)]


@rules.dataset(
    "earlier-test-leaked",
    Severity.WARNING,
    says="A training example stands in the test data of an earlier version, as it is or nearly.",
    fix="Remove it: what was learned can no longer be tested with that version's data.",
    states=(Sketches, Digests),
    fails=lambda: case(*OTHERS, earlier=(_kept(OTHERS[0]),)),
    passes=lambda: case(*OTHERS, earlier=(_kept(ONE),)),
)
def earlier_test_leaked(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each training line that an earlier version was tested with."""
    for earlier in dataset.asked.request.earlier:
        tested = frozenset(digests_of(earlier))
        known = _known(earlier)
        for file in dataset.training:
            own, rows = file.state(Digests), file.state(Sketches).rows()
            lines = {
                line: f"an example of {earlier.name}"
                for line, digest in zip(own.lines, own.digests, strict=True)
                if digest in tested
            }
            if rows is not None and known is not None:
                for row, _ in NearPairs(known, rows):
                    said = f"nearly an example of {earlier.name}"
                    lines.setdefault(int(rows.meta[row, 0]), said)
            yield from _listed(file, lines)


def _known(earlier: EarlierTest) -> Rows | None:
    """Return the sketches that are kept of an earlier version; None if there is nothing to use."""
    try:
        return unpack(earlier.sketches) if earlier.sketches and has_numpy() else None
    except ValueError:
        return None


def _listed(file: FileView, lines: dict[int, str]) -> Iterator[Place]:
    for line in sorted(lines)[:LISTED]:
        said = f"the example is {lines[line]}, which that version was tested with"
        yield Place(message=said, file=file.name, line=line)
    if len(lines) > LISTED:
        yield Place(message="and more", file=file.name, count=len(lines) - LISTED)


def digests_of(earlier: EarlierTest) -> array[int]:
    """Return the digests that are kept of an earlier version; none if they cannot be read."""
    found = array("Q")
    try:
        found.frombytes(base64.b64decode(earlier.digests))
    except (binascii.Error, ValueError):
        return array("Q")
    return found


def _kept(*examples: dict[str, Any]) -> EarlierTest:
    lines = [json.dumps(example, ensure_ascii=False).encode() for example in examples]
    digests = b"".join(hashlib.sha256(line).digest()[:8] for line in lines)
    return EarlierTest(name="v1/test.jsonl", digests=base64.b64encode(digests).decode())
