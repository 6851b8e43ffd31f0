"""A large file in parts, through the Uploads API of the dated surface.

Source: facts 1.3: one POST breaks silently above some 150 MB; v1 has no Uploads routes; a part may
have 64 MB; an upload that is never completed expires after an hour.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from openai import AzureOpenAI

SINGLE_UPLOAD_BYTES = 100_000_000
PART_BYTES = 16 << 20
_BUFFER = 1 << 16


def in_parts(client: AzureOpenAI, name: str, content: BinaryIO, size_bytes: int) -> Any:
    """Upload part after part and return the file; it exists once the last request is answered."""
    uploads = client.uploads
    created = uploads.with_raw_response.create(
        bytes=size_bytes, filename=name, mime_type="text/jsonl", purpose="fine-tune"
    )
    upload_id = created.http_response.json()["id"]
    part_ids = []
    for start in range(0, size_bytes, PART_BYTES):
        window = Window(content, start, min(PART_BYTES, size_bytes - start))
        part = cast(BinaryIO, io.BufferedReader(window, _BUFFER))
        answer = uploads.parts.with_raw_response.create(upload_id, data=("part", part))
        part_ids.append(answer.http_response.json()["id"])
    completed = uploads.with_raw_response.complete(upload_id, part_ids=part_ids)
    return completed.http_response.json()["file"]


class Window(io.RawIOBase):
    """A stretch of a seekable file, as a file of its own; nothing is copied."""

    def __init__(self, content: BinaryIO, start: int, length: int) -> None:
        """Show `length` bytes of `content` from `start`."""
        self._content, self._start, self._length = content, start, length
        self._position = 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position in the window."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the window."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        self._position = min(max(0, base + offset), self._length)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the window goes; 0 at its end."""
        wanted = min(len(buffer), self._length - self._position)
        at = self._start + self._position
        if self._content.tell() != at:
            self._content.seek(at)
        data = self._content.read(wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
