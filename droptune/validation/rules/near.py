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

        keys, rows = _keys(self._rows.user, self._common)
        order = np.lexsort((rows, keys))
        keys, rows = keys[order], rows[order]
        found = []
        for step in range(1, _NEIGHBOURS + 1):
            same = keys[step:] == keys[:-step]
            later, earlier = rows[step:][same].astype(np.int64), rows[:-step][same]
            wanted = later > earlier
            if self._split:
                wanted = (later >= self._split) & (earlier < self._split)
            later, earlier = later[wanted], earlier[wanted]
            found.append((later << 32) | earlier)
        if self._split:
            found += self._bridges(keys, rows)
        pairs = np.sort(np.concatenate(found))
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])] if len(pairs) else pairs
        pairs = pairs[self._may_be_near(pairs >> 32, pairs & 0xFFFFFFFF)][:_MOST_PAIRS]
        pairs = pairs[_share_enough(self._rows.user, pairs >> 32, pairs & 0xFFFFFFFF)]
        return zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True)

    def _may_be_near(self, later: Any, earlier: Any) -> Any:
        """Return which pairs have as many turns and the same numbers."""
        import numpy as np

        meta = self._rows.meta.astype(np.uint64)
        told = (meta[:, 1] << np.uint64(32)) | meta[:, 2]
        return told[later] == told[earlier]

    def _bridges(self, keys: Any, rows: Any) -> list[Any]:
        """Return the pair of each later row with the first earlier row of the same key.

        Neighbours alone would miss it where many of one side have the same key.
        """
        import numpy as np

        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        first = rows[starts][np.cumsum(np.append(True, keys[1:] != keys[:-1])) - 1]
        across = (rows >= self._split) & (first < self._split)
        return [(rows[across].astype(np.int64) << 32) | first[across]]

    def _is_near(self, row: int, before: int) -> bool:
        """Whether two rows are near duplicates.

        The user's turns have to be: as many, the same numbers, 0.9 of the shingles. Texts from one
        template are alike too, and so are two questions on one document. Therefore the answers have
        to be alike, or the texts differ in a word or two and all else is the same.
        """
        mine, its = _both(self._rows.user, row, before)
        shared = mine & its
        union = len(mine) + len(its) - len(shared)
        level = int(max(self._rows.user.level[row], self._rows.user.level[before]))
        least = NEAR_BY_ESTIMATE if level else NEAR
        if union < LEAST_HASHES or len(shared) < least * union:
            return False
        _, _, _, text, edges, rest, answer, _ = self._rows.meta[row] == self._rows.meta[before]
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


def _share_enough(sketch: Sketch, later: Any, earlier: Any) -> Any:
    """Return which pairs may share as many hashes as near duplicates do; most candidates do not."""
    import numpy as np

    enough = np.zeros(len(later), dtype=bool)
    for start in range(0, len(later), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        level = np.maximum(sketch.level[later[part]], sketch.level[earlier[part]])
        mine, its = (_table(sketch, rows[part], level) for rows in (later, earlier))
        both = np.sort(np.concatenate((mine, its), axis=1), axis=1)
        shared = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] != _NOTHING)).sum(axis=1)
        union = (both != _NOTHING).sum(axis=1) - shared
        enough[part] = shared + 1 >= min(NEAR, NEAR_BY_ESTIMATE) * union
    return enough


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
    limit = 1 << (32 - int(max(sketch.level[row], sketch.level[before])))
    mine, its = ({each for each in sketch.of(at).tolist() if each < limit} for at in (row, before))
    return mine, its


def _common_hashes(rows: Rows) -> frozenset[int]:
    """Return the hashes that many rows have: of templates and of frequent words."""
    import numpy as np

    ordered = np.sort(rows.user.hashes)
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    hashes, counts = ordered[starts], np.diff(np.append(starts, len(ordered)))
    most = max(_COMMON, int(_COMMON_SHARE * len(rows)))
    return frozenset(hashes[counts > most].tolist())


def _keys(sketch: Sketch, common: frozenset[int]) -> tuple[Any, Any]:
    """Return keys that near duplicates have in common, and whose they are.

    A key is a pair of a text's four smallest hashes, first of all of them, then of those that are
    not common. The smallest are the same however long the texts are.
    """
    import numpy as np

    own = ~_are_in(sketch.hashes, common)
    sizes = sketch.sizes()
    before = np.append(0, np.cumsum(own))
    own_sizes = before[sketch.ends] - before[sketch.ends - sizes]
    keys, owners = [], []
    for hashes, count in ((sketch.hashes, sizes), (sketch.hashes[own], own_sizes)):
        smallest = _smallest(hashes, count)
        for one, two in combinations(range(_SMALLEST), 2):
            there = smallest[:, two] > 0
            keys.append(((smallest[:, one] << np.uint64(32)) | smallest[:, two])[there])
            owners.append(np.flatnonzero(there))
    return np.concatenate(keys), np.concatenate(owners)


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
