"""Makes a chat corpus of any size from text on this machine: prose, code, a hundred languages.

    python -m benchmarks.corpus --out chat100.jsonl --mb 100

The same seed on the same machine gives the same corpus. Its shape: 24 system prompts that repeat,
one line in eight a short classification, the rest one to four turns; three lines in ten are
written with escapes, as writers that know only ASCII do.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import random
import re
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOTS = ("/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/lib", sys.prefix)
LABELS = ("billing", "delivery", "complaint", "praise", "other", "spam", "refund", "account")
_TAG = re.compile(r"<[^>]{0,500}>")
_BLANKS = re.compile(r"[ \t]{3,}|\n{3,}")
_POOL_CHARS = 80_000_000
_PIECE_CHARS = 120_000


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mb", type=float, default=100)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--roots", nargs="*", default=ROOTS)
    given = parser.parse_args()
    lines, size = write_corpus(given.out, int(given.mb * 1e6), given.seed, given.roots)
    print(f"{given.out}: {lines:,} lines, {size / 1e6:.1f} MB")


def write_corpus(
    out: Path, size_bytes: int, seed: int, roots: tuple[str, ...] = ROOTS
) -> tuple[int, int]:
    """Write about `size_bytes` of chat lines; return the number of lines and of bytes."""
    dice = random.Random(seed)
    pool = gather(dice, roots)
    prompts = [_window(dice, pool, dice.randint(300, 2500)) for _ in range(24)]
    lines = written = 0
    with out.open("wb") as stream:
        while written < size_bytes:
            example = _classification(dice, pool) if dice.random() < 0.12 else None
            example = example or _conversation(dice, pool, prompts)
            text = json.dumps({"messages": example}, ensure_ascii=dice.random() < 0.3)
            data = text.encode("utf-8", "replace") + b"\n"
            stream.write(data)
            lines, written = lines + 1, written + len(data)
    return lines, written


def _conversation(dice: random.Random, pool: list[str], prompts: list[str]) -> list[dict[str, str]]:
    messages = []
    if dice.random() < 0.3:
        messages.append({"role": "system", "content": dice.choice(prompts)})
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
        for role, longest in (("user", 900), ("assistant", 1400)):
            length = int(min(longest, dice.expovariate(1 / (longest * 0.5)) + 20))
            messages.append({"role": role, "content": _window(dice, pool, length)})
    return messages


def _classification(dice: random.Random, pool: list[str]) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": f"Answer with one of {', '.join(LABELS)}."},
        {"role": "user", "content": _window(dice, pool, dice.randint(60, 500))},
        {"role": "assistant", "content": dice.choice(LABELS)},
    ]


def _window(dice: random.Random, pool: list[str], length: int) -> str:
    piece = dice.choice(pool)
    start = dice.randrange(max(1, len(piece) - length))
    text = piece[start : start + length].strip()
    return text.replace("<|", "< |") or "nothing"


def gather(dice: random.Random, roots: tuple[str, ...]) -> list[str]:
    """Return pieces of text: a third prose, a third code, a third translations."""
    pool: list[str] = []
    for kind, endings in _KINDS.items():
        files = sorted(
            path for root in roots for ending in endings for path in Path(root).rglob(ending)
        )
        dice.shuffle(files)
        taken = 0
        for text in _texts(files, _READERS[kind]):
            pool.append(text)
            taken += len(text)
            if taken > _POOL_CHARS // 3:
                break
    return pool


def _texts(files: list[Path], read: Callable[[Path], str]) -> Iterator[str]:
    for path in files:
        try:
            text = _BLANKS.sub("\n", read(path)).strip()
        except (OSError, ValueError, struct.error, EOFError):
            continue
        for start in range(0, len(text), _PIECE_CHARS):
            if len(piece := text[start : start + _PIECE_CHARS]) > 200:
                yield piece


def _read_prose(path: Path) -> str:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return html.unescape(_TAG.sub(" ", text)) if path.suffix == ".html" else text


def _read_code(path: Path) -> str:
    return path.read_text("utf-8")


def _read_catalogue(path: Path) -> str:
    """Return the translations of a gettext catalogue."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, _, table = struct.unpack_from(f"{order}3I", data, 8)
    rows = (struct.unpack_from(f"{order}2I", data, table + 8 * row) for row in range(1, count))
    return "\n".join(data[start : start + size].decode("utf-8") for size, start in rows)


_KINDS = {
    "prose": ("*.html", "*.md", "*.rst", "*.txt", "*.[1-8].gz"),
    "code": ("*.py", "*.pl", "*.js", "*.h"),
    "catalogue": ("*.mo",),
}
_READERS = {"prose": _read_prose, "code": _read_code, "catalogue": _read_catalogue}

if __name__ == "__main__":
    main()
