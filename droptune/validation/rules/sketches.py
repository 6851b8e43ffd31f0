"""Sketches of examples: a few numbers for each, which tell how alike two texts are.

A text is compared by its shingles: every five neighbouring bytes of what is left when case, blanks
and ASCII punctuation are left out. Of a text with up to 64 shingles the sketch keeps the hashes of
all; of a longer one those below a limit that falls by powers of two with the length, so that about
32 to 64 are kept. The shares of two sketches below the lower limit estimate the Jaccard similarity.
"""

from __future__ import annotations

import base64
import zlib
from array import array
from dataclasses import dataclass
from typing import Any, Self

from droptune.validation.arrays import has_numpy
from droptune.validation.rules.example import Example
from droptune.validation.rules.repeated import crc_of
from droptune.validation.rules.turns import turns_of

MOST_ROWS = 1 << 16
SHINGLE = 5
LEAST_HASHES = 8
_KEPT, _ANSWER_KEPT, _ANSWER_BYTES = 64, 16, 256
_SHORTEST, _LONGEST = 20, 200_000
_BATCH_BYTES = 128 << 10
_MULTIPLIER = 0x01000193
_MOST_HALVINGS = 23
_PACKED_AS = 1  # another number once shingles, hashes or columns change
_WORDS = bytes(range(48, 58)) + bytes(range(65, 91)) + bytes(range(97, 123))
_LOWER = bytes(range(256)).lower()
_NO_WORDS = bytes(byte for byte in range(128) if byte not in _WORDS)
_NO_DIGITS = bytes(byte for byte in range(256) if not 48 <= byte < 58)
_META = ("line", "turns", "digits", "text", "edges", "rest", "answer", "answer_bytes")
_EDGE = 24


def normal(text: str) -> bytes:
    """Return what of a text is compared: case, blanks and ASCII punctuation do not count."""
    return text.encode("utf-8", "surrogatepass").translate(_LOWER, _NO_WORDS)


@dataclass(slots=True)
class Rows:
    """Sketched examples in the order of the file; numpy arrays.

    Attributes:
        meta: a column for each of line, number of user turns, CRC-32 of the digits in them, of
            all of them, of their first and last letters, of what else is given and of the answer,
            and the answer's length.
        user, answer: sketches of the user's turns and of the answer.
        key: by which a part of the rows is chosen where they are too many: near duplicates mostly
            have the same.
    """

    meta: Any
    user: Sketch
    answer: Sketch
    key: Any

    def __len__(self) -> int:
        return len(self.key)

    def only(self, kept: Any) -> Rows:
        """Return the rows of a mask."""
        user, answer = self.user.only(kept), self.answer.only(kept)
        return Rows(meta=self.meta[kept], user=user, answer=answer, key=self.key[kept])


@dataclass(slots=True)
class Sketch:
    """Hashes of several texts, one after the other, ascending in each.

    Attributes:
        ends: where each text's hashes end.
        level: hashes of a text are below 2^(32 - level).
    """

    hashes: Any
    ends: Any
    level: Any

    def sizes(self) -> Any:
        """Return how many hashes each text has."""
        import numpy as np

        return np.diff(self.ends, prepend=0)

    def of(self, text: int) -> Any:
        """Return the hashes of one text."""
        return self.hashes[self.ends[text - 1] if text else 0 : self.ends[text]]

    def only(self, kept: Any) -> Sketch:
        """Return the texts of a mask."""
        import numpy as np

        sizes = self.sizes()
        hashes = self.hashes[np.repeat(kept, sizes)]
        return Sketch(hashes=hashes, ends=np.cumsum(sizes[kept]), level=self.level[kept])


class Sketches:
    """Sketches of a file's examples; at most 65,536 (about 20 MB), else a part of them.

    The part is every 2nd, 4th … by a hash of the text: however the file was cut, the same.
    Short user turns (under 20 letters) are left out: they are alike by chance.

    Attributes:
        most_rows: how many are kept at most.
        halvings: how often the rows had to be halved.
    """

    most_rows = MOST_ROWS

    def __init__(self) -> None:
        """Begin with none."""
        self.halvings = 0
        self._rows: list[Rows] = []
        self._count = 0
        self._meta = array("I")
        self._texts: list[bytes] = []
        self._bytes = 0
        self._works = has_numpy()

    def add(self, example: Example) -> None:
        """Take an example in."""
        if not self._works:
            return
        users, rest, answer = turns_of(example)
        text = normal(users[0] if len(users) == 1 else "\n".join(users))[:_LONGEST]
        if len(text) < _SHORTEST:
            return
        said = normal(answer)
        self._meta.extend(
            (
                example.line,
                len(users),
                zlib.crc32(text.translate(None, _NO_DIGITS)),
                zlib.crc32(text),
                zlib.crc32(text[:_EDGE] + text[-_EDGE:]),
                crc_of("\0".join(rest)) if rest else 0,
                zlib.crc32(said) if said else zlib.crc32(answer.encode("utf-8", "surrogatepass")),
                len(said),
            )
        )
        self._texts += (text, said[:_ANSWER_BYTES])
        self._bytes += len(text)
        if self._bytes > _BATCH_BYTES:
            self._flush()

    def follow(self, earlier: Self) -> None:
        """See State."""
        self.halvings = earlier.halvings

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self._flush()
        if later.halvings > self.halvings:
            self.halvings = later.halvings
            self._thin()
        for each in later.parts():
            rows = each.only(self._mask(each)) if later.halvings < self.halvings else each
            rows.meta[:, 0] += lines
            self._rows.append(rows)
            self._count += len(rows)
        self._bound()

    def parts(self) -> list[Rows]:
        """Return all rows, in parts."""
        self._flush()
        return self._rows

    def rows(self) -> Rows | None:
        """Return all rows together; None if there are none."""
        parts = [part for part in self.parts() if len(part)]
        if len(parts) > 1:
            self._rows = parts = [join_rows(parts)]
        return parts[0] if parts else None

    def __getstate__(self) -> dict[str, Any]:
        """Hand on sketches, not texts."""
        self._flush()
        return self.__dict__

    def _flush(self) -> None:
        if not self._meta:
            return
        import numpy as np

        user, answer = _sketch(self._texts[::2], _KEPT), _sketch(self._texts[1::2], _ANSWER_KEPT)
        sizes = user.sizes()
        first = np.append(user.hashes, np.uint32(0))[user.ends - sizes]
        key = (first * np.uint32(0x9E3779B1)) >> np.uint32(8)
        meta = np.array(self._meta, dtype=np.uint32).reshape(-1, len(_META))
        rows = Rows(meta=meta, user=user, answer=answer, key=key)
        rows = rows.only((sizes >= LEAST_HASHES) & self._mask(rows))
        self._meta, self._texts, self._bytes = array("I"), [], 0
        self._rows.append(rows)
        self._count += len(rows)
        self._bound()

    def _bound(self) -> None:
        while self._count > self.most_rows and self.halvings < _MOST_HALVINGS:
            self.halvings += 1
            self._thin()

    def _mask(self, rows: Rows) -> Any:
        return (rows.key & ((1 << self.halvings) - 1)) == 0

    def _thin(self) -> None:
        self._rows = [rows.only(self._mask(rows)) for rows in self._rows]
        self._count = sum(len(rows) for rows in self._rows)


def _sketch(texts: list[bytes], kept: int) -> Sketch:
    """Sketch texts, all at once."""
    import numpy as np

    sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    data = np.frombuffer(b"".join(texts) + bytes(SHINGLE), dtype=np.uint8).astype(np.uint32)
    hashes = data[:-SHINGLE] + np.uint32(1)
    for ahead in range(1, SHINGLE):
        hashes *= np.uint32(_MULTIPLIER)
        hashes ^= data[ahead : ahead - SHINGLE]
    hashes ^= hashes >> np.uint32(15)
    hashes *= np.uint32(0x2C1B3C6D)
    hashes ^= hashes >> np.uint32(12)
    hashes *= np.uint32(0x297A2D39)
    hashes ^= hashes >> np.uint32(15)
    shingles = np.maximum(sizes - SHINGLE + 1, 0)
    level = np.ceil(np.log2(np.maximum(shingles, kept) / kept)).astype(np.uint8)
    limits = (np.uint64(1) << (np.uint64(32) - level)) - np.uint64(1)
    whole = hashes <= np.repeat(limits.astype(np.uint32), sizes)
    ends = np.cumsum(sizes)
    for back in range(1, SHINGLE):
        crossing = ends - back
        whole[crossing[sizes >= back]] = False
    chosen = np.flatnonzero(whole)
    text = np.repeat(
        np.arange(len(texts), dtype=np.uint64), np.diff(np.searchsorted(chosen, ends), prepend=0)
    )
    both = np.sort((text << np.uint64(32)) | hashes[chosen])
    both = both[np.append(both[1:] != both[:-1], True)] if len(both) else both
    counts = np.bincount((both >> np.uint64(32)).astype(np.int64), minlength=len(texts))
    return Sketch(hashes=both.astype(np.uint32), ends=np.cumsum(counts), level=level)


def join_rows(parts: list[Rows]) -> Rows:
    """Return rows of several parts, one after the other."""
    import numpy as np

    return Rows(
        meta=np.concatenate([part.meta for part in parts]),
        user=_joined_sketches([part.user for part in parts]),
        answer=_joined_sketches([part.answer for part in parts]),
        key=np.concatenate([part.key for part in parts]),
    )


def _joined_sketches(parts: list[Sketch]) -> Sketch:
    import numpy as np

    return Sketch(
        hashes=np.concatenate([part.hashes for part in parts]),
        ends=np.cumsum(np.concatenate([part.sizes() for part in parts])),
        level=np.concatenate([part.level for part in parts]),
    )


def pack(rows: Rows) -> str:
    """Return rows as text, for keeping; see `unpack`."""
    import numpy as np

    columns = (
        np.array([_PACKED_AS, len(rows)], dtype="<u4"),
        rows.meta.astype("<u4").ravel(),
        rows.key.astype("<u4"),
        *(
            part
            for sketch in (rows.user, rows.answer)
            for part in (
                sketch.ends.astype("<u4"),
                sketch.level.astype("<u4"),
                sketch.hashes.astype("<u4"),
            )
        ),
    )
    return base64.b64encode(zlib.compress(b"".join(map(bytes, columns)), 1)).decode()


def unpack(text: str) -> Rows:
    """Return the rows that were packed.

    Raises:
        ValueError: the text is none of ours.
    """
    import numpy as np

    try:
        data = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<u4")
        return _unpacked(data)
    except (zlib.error, ValueError, IndexError) as error:
        raise ValueError("these are no sketches of this version") from error


def _unpacked(data: Any) -> Rows:
    import numpy as np

    at, count = 2, int(data[1])
    if data[0] != _PACKED_AS or not 0 < count <= MOST_ROWS:
        raise ValueError(data[0])

    def take(size: int) -> Any:
        nonlocal at
        if at + size > len(data):
            raise IndexError(at)
        at += size
        return data[at - size : at].astype(np.uint32)

    def sketch() -> Sketch:
        ends, level = take(count).astype(np.int64), take(count).astype(np.uint8)
        return Sketch(hashes=take(int(ends[-1])), ends=ends, level=level)

    meta, key = take(count * len(_META)).reshape(count, len(_META)), take(count)
    return Rows(meta=meta, key=key, user=sketch(), answer=sketch())
