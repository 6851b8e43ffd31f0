"""Forms with a file, read as they arrive: the file goes to disk and is never held in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

from starlette.requests import Request

from emulator.errors import invalid_payload

_MOST_OF_A_FIELD = 1 << 20


@dataclass(kw_only=True, slots=True)
class Part:
    """A file of a form; `path` is a temporary file that the receiver moves or removes."""

    name: str
    filename: str
    content_type: str
    path: Path
    size: int = 0
    sha256: str = ""


@dataclass(kw_only=True, slots=True)
class Form:
    """The fields of a form and its files, by name."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, Part] = field(default_factory=dict)

    def discard(self) -> None:
        """Remove the temporary files that were not moved."""
        for part in self.files.values():
            part.path.unlink(missing_ok=True)


async def read_form(request: Request, folder: Path, *, most_bytes: int) -> Form:
    """Read a form; files go to `folder`, and more than `most_bytes` of one is refused."""
    boundary = _header(request.headers.get("content-type", "")).get_boundary()
    if boundary is None:
        raise invalid_payload("The request is not multipart/form-data.")
    reader = _Reader(request.stream(), b"\r\n--" + boundary.encode())
    form = Form()
    try:
        await _fill(form, reader, folder, most_bytes)
    except BaseException:
        form.discard()
        raise
    return form


async def _fill(form: Form, reader: _Reader, folder: Path, most_bytes: int) -> None:
    await reader.skip_preamble()
    while (header := await reader.next_header()) is not None:
        name = str(header.get_param("name", "", "content-disposition"))
        filename = header.get_filename()
        if filename is None:
            form.fields[name] = await _read_field(reader)
        else:
            part = Part(
                name=name,
                filename=filename,
                content_type=header.get("content-type", ""),
                path=_temporary(folder),
            )
            form.files[name] = part
            await _read_file(reader, part, most_bytes)


async def _read_field(reader: _Reader) -> str:
    content = bytearray()

    def write(data: bytes) -> None:
        content.extend(data)
        if len(content) > _MOST_OF_A_FIELD:
            raise invalid_payload("A field of the form is too long.")

    await reader.copy_content(write)
    return content.decode(errors="replace")


async def _read_file(reader: _Reader, part: Part, most_bytes: int) -> None:
    digest = hashlib.sha256()
    with part.path.open("wb") as file:

        def write(data: bytes) -> None:
            part.size += len(data)
            if part.size > most_bytes:
                raise invalid_payload(f"The file is larger than {most_bytes} bytes.")
            digest.update(data)
            file.write(data)

        await reader.copy_content(write)
    part.sha256 = digest.hexdigest()


def _temporary(folder: Path) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        return Path(file.name)


def _header(content_type: str) -> Message:
    message = Message()
    message["content-type"] = content_type
    return message


class _Reader:
    """Cuts a stream at a mark, holding no more than a piece of it."""

    def __init__(self, stream: AsyncIterator[bytes], mark: bytes) -> None:
        self._stream = stream
        self._mark = mark
        self._buffer = bytearray(b"\r\n")  # so that the first mark looks like the others

    async def skip_preamble(self) -> None:
        """Go behind the first mark."""
        await self._copy_until(self._mark, lambda data: None)

    async def next_header(self) -> Message | None:
        """Return the next part's header, or None at the end of the form."""
        await self._fill(2)
        if self._buffer[:2] == b"--":
            async for _ in self._stream:
                pass
            return None
        lines = bytearray()
        await self._copy_until(b"\r\n\r\n", lines.extend)
        header = Message()
        for line in lines.decode(errors="replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                header[name.strip()] = value.strip()
        return header

    async def copy_content(self, write: Callable[[bytes], object]) -> None:
        """Pass the part's content on and go behind the mark that ends it."""
        await self._copy_until(self._mark, write)

    async def _copy_until(self, mark: bytes, write: Callable[[bytes], object]) -> None:
        while (end := self._buffer.find(mark)) < 0:
            sure = len(self._buffer) - len(mark) + 1
            if sure > 0:
                write(bytes(self._buffer[:sure]))
                del self._buffer[:sure]
            await self._fill(len(self._buffer) + 1)
        write(bytes(self._buffer[:end]))
        del self._buffer[: end + len(mark)]

    async def _fill(self, length: int) -> None:
        while len(self._buffer) < length:
            piece = await anext(self._stream, None)
            if piece is None:
                raise invalid_payload("The form ends too early.")
            self._buffer += piece
