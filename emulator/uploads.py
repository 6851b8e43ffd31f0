"""Uploads: a large file in parts. Dated surface only; v1 has no such routes (facts 1.2)."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.errors import invalid_payload, not_found, wrong_state
from emulator.files import check_name, check_room, file_body, keep_file, limit_rate
from emulator.multipart import read_form
from emulator.records import Json, Upload
from emulator.resource import Emulator
from emulator.wire import emulator_of, json_object

MOST_OF_A_PART = 64 * 1024 * 1024
_HOUR = 3600
_PIECE = 1 << 20


async def create_upload(request: Request) -> JSONResponse:
    """POST /uploads: announce a file; it expires after an hour. Source: OAI, createUpload."""
    emulator = emulator_of(request)
    limit_rate(emulator)
    body = await json_object(request)
    name, purpose, size = body.get("filename"), body.get("purpose"), body.get("bytes")
    if not isinstance(name, str) or not isinstance(size, int) or not body.get("mime_type"):
        raise invalid_payload("filename, purpose, bytes and mime_type are required.")
    check_name(name, str(purpose))
    check_room(emulator, str(purpose), size)
    upload = Upload(
        id=emulator.state.new_id("upload_"),
        name=name,
        purpose=str(purpose),
        size=size,
        created_at=emulator.now,
        expires_at=emulator.now + _HOUR,
    )
    emulator.state.save(upload)
    return JSONResponse(_body(emulator, upload))


async def add_part(request: Request) -> JSONResponse:
    """POST /uploads/{id}/parts: up to 64 MB in the field `data`. Source: OAI, addUploadPart."""
    emulator, upload = emulator_of(request), _pending(request)
    folder = emulator.state.directory / "files"
    form = await read_form(request, folder, most_bytes=MOST_OF_A_PART)
    try:
        part = form.files.get("data")
        if part is None:
            raise invalid_payload("The data field is required.")
        part_id = emulator.state.new_id("part_")
        part.path.replace(emulator.state.content_path(part_id))
    finally:
        form.discard()
    upload.parts[part_id] = part.size
    emulator.state.save(upload)
    body = {"id": part_id, "object": "upload.part", "upload_id": upload.id}
    return JSONResponse(body | {"created_at": emulator.seen(emulator.now)})


async def complete_upload(request: Request) -> JSONResponse:
    """POST /uploads/{id}/complete: join the parts in the order named. Source: OAI.

    The bytes must be as many as announced, and have the MD5 that is named.
    """
    emulator, upload = emulator_of(request), _pending(request)
    body = await json_object(request)
    ids = body.get("part_ids")
    if not isinstance(ids, list) or not ids or any(id not in upload.parts for id in ids):
        raise invalid_payload("part_ids must name parts of this upload.")
    if sum(upload.parts[id] for id in ids) != upload.size:
        raise invalid_payload("The parts do not have the number of bytes that was announced.")
    upload.state = "completing"  # refuses a second request meanwhile; never saved
    try:
        upload.file_id = await _complete(emulator, upload, ids, body.get("md5"))
    except BaseException:
        upload.state = "pending"
        raise
    upload.state = "completed"
    _remove_parts(emulator, upload)
    return JSONResponse(_body(emulator, upload))


async def _complete(emulator: Emulator, upload: Upload, ids: list[str], md5: object) -> str:
    path, found = await asyncio.to_thread(_join, emulator, ids)
    try:
        if md5 not in (None, found):
            raise invalid_payload("The content does not have the MD5 that was named.")
        return (await keep_file(emulator, upload.name, upload.purpose, path)).id
    finally:
        path.unlink(missing_ok=True)


async def cancel_upload(request: Request) -> JSONResponse:
    """POST /uploads/{id}/cancel. Source: OAI, cancelUpload."""
    emulator, upload = emulator_of(request), _pending(request)
    upload.state = "cancelled"
    _remove_parts(emulator, upload)
    return JSONResponse(_body(emulator, upload))


def _remove_parts(emulator: Emulator, upload: Upload) -> None:
    """Save an upload that is over; its parts go."""
    emulator.state.save(upload)
    for id in upload.parts:
        emulator.state.content_path(id).unlink(missing_ok=True)


def _join(emulator: Emulator, ids: list[str]) -> tuple[Path, str]:
    digest = hashlib.md5(usedforsecurity=False)
    folder = emulator.state.directory / "files"
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as whole:
        for id in ids:
            with emulator.state.content_path(id).open("rb") as part:
                while piece := part.read(_PIECE):
                    digest.update(piece)
                    whole.write(piece)
        return Path(whole.name), digest.hexdigest()


def _pending(request: Request) -> Upload:
    emulator = emulator_of(request)
    upload = emulator.state.uploads.get(request.path_params["upload_id"])
    if upload is None:
        raise not_found("upload")
    if upload.status(emulator.now) != "pending":
        raise wrong_state(f"The upload is {upload.status(emulator.now)}.")
    return upload


def _body(emulator: Emulator, upload: Upload) -> Json:
    file = emulator.state.files.get(upload.file_id)
    shown = file_body(emulator, file, v1=False) if file else None
    return {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.size,
        "created_at": emulator.seen(upload.created_at),
        "filename": upload.name,
        "purpose": upload.purpose,
        "status": upload.status(emulator.now),
        "expires_at": emulator.seen(upload.expires_at),
    } | ({"file": shown} if shown else {})
