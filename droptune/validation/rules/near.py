"""Which sketched examples are near duplicates of which."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from droptune.validation.rules.sketches import LEAST_HASHES, Rows, Sketch, join_rows

NEAR, NEAR_BY_ESTIMATE, ANSWERS_NEAR = 0.9, 0.87, 0.5
_COMMON, _COMMON_SHARE = 8, 0.02
_SMALLEST, _NEIGHBOURS = 4, 8
_SMALL_CHANGE, _FINE_LEVEL = 24, 2
_OWN_NEAR = 0.7
_TELLING_ANSWER = 40
_MOST_PAIRS = 300_000
_AT_ONCE, _NOTHING = 4_096, 0xFFFFFFFF
_MIX, _MIX_TOLD = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F  # odd, so that nothing is lost


class NearPairs:
    """Finds pairs of near duplicates: within rows, or of later rows in earlier ones."""

    def __init__(self, earlier: Rows, later: Rows | None = None) -> None:
        """Compare two sets of rows, or one with itself."""
        self._split = len(earlier) if later is not None else 0
        self._rows = earlier if later is None else join_rows([earlier, later])
        self._common = _common_hashes(self._rows)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield (row, row before), ascending; rows of `later` count from 0.

        Of each row only the first that it is near to.
        """
        done = -1
        for row, before in self._candidates():
            if row != done and self._is_near(row, before):
                done = row
                yield row - self._split, before

    def _candidates(self) -> Iterator[tuple[int, int]]:
        import numpy as np

        keys, rows = _keys(self._rows, self._common)
        found = []
        for step in range(1, _NEIGHBOURS + 1):
            same = keys[step:] == keys[:-step]
            if self._split:
                same &= (rows[step:] >= self._split) & (rows[:-step] < self._split)
            found.append((rows[step:][same] << 32) | rows[:-step][same])
        if self._split:
            found.append(self._bridges(keys, rows))
        pairs = _distinct(np.sort(np.concatenate(found)))
        for may_be_near in (self._are_told_alike, self._may_share_enough, self._share_enough):
            pairs = pairs[may_be_near(pairs >> 32, pairs & 0xFFFFFFFF)][:_MOST_PAIRS]
        return zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True)

    def _are_told_alike(self, later: Any, earlier: Any) -> Any:
        """Return which pairs have as many turns and the same numbers: all but a pair by chance."""
        told = _told(self._rows)
        return told[later] == told[earlier]

    def _may_share_enough(self, later: Any, earlier: Any) -> Any:
        """Return which pairs may differ in so few hashes as near duplicates do.

        Two texts differ in at least as many hashes as their marks do in bits. With d hashes in one
        alone and n in both together the share is (n - d) / (n + d) at most. Levels differ by one at
        most, else one text is twice as long as the other.
        """
        import numpy as np

        levels = self._rows.user.level.astype(np.int8)
        marks, sizes = _marks(self._rows.user)
        finer = levels[later] - levels[earlier]
        mine, its = (finer < 0).astype(np.int64), (finer > 0).astype(np.int64)
        both = sizes[mine, later] + sizes[its, earlier]
        differ = np.bitwise_count(marks[mine, later] ^ marks[its, earlier])
        return (both - differ + 2 >= NEAR_BY_ESTIMATE * (both + differ)) & (abs(finer) <= 1)

    def _share_enough(self, later: Any, earlier: Any) -> Any:
        """Return which pairs may share as many hashes as near duplicates do."""
        import numpy as np

        sketch, enough = self._rows.user, np.zeros(len(later), dtype=bool)
        for start in range(0, len(later), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            level = np.maximum(sketch.level[later[part]], sketch.level[earlier[part]])
            mine, its = (_table(sketch, rows[part], level) for rows in (later, earlier))
            both = np.sort(np.concatenate((mine, its), axis=1), axis=1)
            shared = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] != _NOTHING)).sum(axis=1)
            union = (both != _NOTHING).sum(axis=1) - shared
            enough[part] = shared + 1 >= min(NEAR, NEAR_BY_ESTIMATE) * union
        return enough

    def _bridges(self, keys: Any, rows: Any) -> Any:
        """Return the pair of each later row with the first earlier row of the same key.

        Neighbours alone would miss it where many of one side have the same key.
        """
        import numpy as np

        begins = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
        first = rows[np.flatnonzero(begins)][np.cumsum(begins) - 1]
        across = (rows >= self._split) & (first < self._split)
        return (rows[across] << 32) | first[across]

    def _is_near(self, row: int, before: int) -> bool:
        """Whether two rows are near duplicates.

        The user's turns have to be: as many, the same numbers, 0.9 of the shingles. Texts from one
        template are alike too, and so are two questions on one document. Therefore the answers have
        to be alike, or the texts differ in a word or two and all else is the same.
        """
        _, _, _, text, edges, rest, answer, _ = self._rows.meta[row] == self._rows.meta[before]
        if not (text or rest or answer or self._answers_alike(row, before)):
            return False
        mine, its = _both(self._rows.user, row, before)
        shared = mine & its
        union = len(mine) + len(its) - len(shared)
        level = int(max(self._rows.user.level[row], self._rows.user.level[before]))
        least = NEAR_BY_ESTIMATE if level else NEAR
        if union < LEAST_HASHES or len(shared) < least * union:
            return False
        lengths = self._rows.meta[row, -1], self._rows.meta[before, -1]
        telling = bool(answer) and lengths[0] >= _TELLING_ANSWER
        if text and rest:  # within a file, short answers that differ are told of as contradictions
            return bool(answer or self._split) or max(lengths) >= _TELLING_ANSWER
        if not self._is_own(mine, its, shared):
            return telling
        if text:
            return bool(answer)
        if telling or self._answers_alike(row, before):
            return True
        if level <= _FINE_LEVEL and (union - len(shared)) << level <= _SMALL_CHANGE:
            return bool(answer or rest)
        return bool(answer and edges)

    def _is_own(self, mine: set[int], its: set[int], shared: set[int]) -> bool:
        """Whether they are alike in what is their own, not in a template that many share."""
        common = shared & self._common
        if 2 * len(common) <= len(shared):
            return True
        own, its_own = mine - self._common, its - self._common
        both = own & its_own
        return len(both) >= LEAST_HASHES // 2 and len(both) >= _OWN_NEAR * len(own | its_own)

    def _answers_alike(self, row: int, before: int) -> bool:
        mine, its = _both(self._rows.answer, row, before)
        both = len(mine & its)
        return both >= LEAST_HASHES // 2 and both >= ANSWERS_NEAR * len(mine | its)


def _marks(sketch: Sketch) -> tuple[Any, Any]:
    """Return 64 bits for each text, which of 64 remainders its hashes have, and how many it has;
    once of all hashes, and once of those that are left one level higher."""
    import numpy as np

    sizes = sketch.sizes()
    marked = np.zeros((2, len(sizes) << 6), dtype=bool)
    at = np.repeat(np.arange(len(sizes)) << 6, sizes) | (sketch.hashes & np.uint32(63))
    halves = (np.uint64(1) << (np.uint64(31) - sketch.level)).astype(np.uint32)
    left = sketch.hashes < np.repeat(halves, sizes)
    marked[0, at] = marked[1, at[left]] = True
    return np.packbits(marked, axis=1).view(np.uint64), np.stack((sizes, _counts(left, sketch)))


def _counts(mask: Any, sketch: Sketch) -> Any:
    """Return how many of each text's hashes a mask has."""
    import numpy as np

    before = np.append(np.int32(0), np.cumsum(mask, dtype=np.int32))
    return before[sketch.ends] - before[sketch.ends - sketch.sizes()]


def _table(sketch: Sketch, rows: Any, level: Any) -> Any:
    """Return the hashes of rows below the limits of levels, a row each, filled up with nothing."""
    import numpy as np

    starts = np.where(rows > 0, sketch.ends[rows - 1], 0)
    sizes = sketch.ends[rows] - starts
    columns = np.arange(int(sizes.max()))
    there = columns < sizes[:, None]
    hashes = sketch.hashes[np.where(there, starts[:, None] + columns, 0)].astype(np.uint64)
    limits = (np.uint64(1) << (np.uint64(32) - level.astype(np.uint64)))[:, None]
    return np.where(there & (hashes < limits), hashes, np.uint64(_NOTHING)).astype(np.uint32)


def _both(sketch: Sketch, row: int, before: int) -> tuple[set[int], set[int]]:
    """Return the hashes of two texts that can be compared: those below the lower limit."""
    mine, its = set(sketch.of(row).tolist()), set(sketch.of(before).tolist())
    level, its_level = int(sketch.level[row]), int(sketch.level[before])
    if level != its_level:
        limit = 1 << (32 - max(level, its_level))
        mine, its = ({each for each in hashes if each < limit} for hashes in (mine, its))
    return mine, its


def _common_hashes(rows: Rows) -> frozenset[int]:
    """Return the hashes that many rows have: of templates and of frequent words."""
    import numpy as np

    ordered = np.sort(rows.user.hashes)
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    hashes, counts = ordered[starts], np.diff(np.append(starts, len(ordered)))
    most = max(_COMMON, int(_COMMON_SHARE * len(rows)))
    return frozenset(hashes[counts > most].tolist())


def _keys(rows: Rows, common: frozenset[int]) -> tuple[Any, Any]:
    """Return keys that near duplicates have in common, and the rows that have them, in order; what
    one row has alone is left out.

    A key is made of two of a text's four smallest hashes, first of all of them, then of those that
    are not common, and of what is the same in near duplicates. The smallest are the same however
    long the texts are.
    """
    import numpy as np

    user, sizes = rows.user, rows.user.sizes()
    own = ~_are_in(user.hashes, common)
    own_sizes = _counts(own, user)
    smallest = np.concatenate(
        (_smallest(user.hashes, sizes), _smallest(user.hashes[own], own_sizes))
    )
    one, two = (list(each) for each in zip(*combinations(range(_SMALLEST), 2), strict=True))
    there = smallest[:, two] > 0
    pairs = (smallest[:, one] << np.uint64(32)) | smallest[:, two]
    told = np.tile(_told(rows) * _MIX_TOLD, 2)[:, None]
    bits = np.uint64(len(rows).bit_length())  # a key gives up its last bits for its row
    whose = np.tile(np.arange(len(rows), dtype=np.uint64), 2)[:, None]
    packed = _distinct(np.sort(((((pairs ^ told) * _MIX) >> bits << bits) | whose)[there]))
    keys, owners = packed >> bits, packed & ((np.uint64(1) << bits) - np.uint64(1))
    again = keys[1:] == keys[:-1]
    shared = (np.append(again, False) | np.append(False, again))[: len(keys)]
    return keys[shared], owners[shared].astype(np.int64)


def _told(rows: Rows) -> Any:
    """Return what has to be the same in near duplicates: the number of turns, and all digits."""
    import numpy as np

    meta = rows.meta.astype(np.uint64)
    return (meta[:, 1] << np.uint64(32)) | meta[:, 2]


def _distinct(ordered: Any) -> Any:
    import numpy as np

    return np.concatenate((ordered[:1], ordered[1:][ordered[1:] != ordered[:-1]]))


def _are_in(hashes: Any, known: frozenset[int]) -> Any:
    """Return which hashes are known; most are told apart by their last 16 bits, so this is faster
    than numpy's own."""
    import numpy as np

    those = np.array(sorted(known | {_NOTHING}), dtype=np.uint32)
    ends = np.zeros(1 << 16, dtype=bool)
    ends[those & np.uint32(0xFFFF)] = True
    found = ends[hashes & np.uint32(0xFFFF)]
    at = np.flatnonzero(found)
    found[at] = those[np.searchsorted(those, hashes[at])] == hashes[at]
    return found


def _smallest(hashes: Any, sizes: Any) -> Any:
    """Return the first hashes of each text, which are its smallest; 0 where it has fewer."""
    import numpy as np

    starts = np.cumsum(sizes) - sizes
    found = np.zeros((len(sizes), _SMALLEST), dtype=np.uint64)
    for at in range(_SMALLEST):
        there = sizes > at
        found[there, at] = hashes[starts[there] + at]
    return found
