"""CRC-32 of texts that mostly repeat, such as system prompts: reckoned once for each."""

from __future__ import annotations

import zlib

_MOST_TEXTS, _LONGEST = 256, 16_000  # 4 MB of characters at most
_known: dict[str, int] = {}


def crc_of(text: str) -> int:
    """Return the CRC-32 of a text's UTF-8."""
    found = _known.get(text)
    if found is None:
        found = zlib.crc32(text.encode("utf-8", "surrogatepass"))
        if len(text) <= _LONGEST:
            if len(_known) >= _MOST_TEXTS:
                _known.clear()
            _known[text] = found
    return found
