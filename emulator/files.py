"""Files: upload, import, list, get, content, delete."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from emulator.errors import invalid_payload, not_emulated, not_found, too_many
from emulator.examples import inspect
from emulator.faults import fate_of
from emulator.importing import fetch
from emulator.learning import forget_content
from emulator.multipart import Form, read_form
from emulator.records import Json, StoredFile
from emulator.resource import Emulator
from emulator.wire import created, emulator_of, is_v1, json_object, page

PURPOSES = ("assistants", "batch", "fine-tune", "evals")
_ALL = 10_000


async def create_file(request: Request) -> JSONResponse:
    """POST /files: keep the bytes; processing takes its time. 201 with Location.

    Source: dated contract; the texts are on record (facts 1.3). Differs: v1's contract says 200.
    """
    emulator = emulator_of(request)
    limit_rate(emulator)
    limits = emulator.state.settings
    folder = emulator.state.directory / "files"
    form = await read_form(request, folder, most_bytes=limits.limit_file_bytes)
    try:
        file = await _keep(emulator, form)
    finally:
        form.discard()
    return created(request, file_body(emulator, file, v1=is_v1(request)))


async def _keep(emulator: Emulator, form: Form) -> StoredFile:
    part = form.files.get("file")
    if part is None:
        raise invalid_payload("The file field is required.")
    if not part.content_type:
        raise invalid_payload("The file has no or an empty content type specified.")
    if any(name.startswith("expires_after") for name in form.fields):
        raise not_emulated("files that expire")
    purpose = form.fields.get("purpose", "")
    check_name(part.filename, purpose)
    return await keep_file(emulator, part.filename, purpose, part.path, sha256=part.sha256)


async def import_file(request: Request) -> JSONResponse:
    """POST /files/import: read the content from a URL. Dated surface only.

    Source: S-EX, import_file. Differs: it is read before the answer, and only then `pending`.
    """
    emulator = emulator_of(request)
    limit_rate(emulator)
    body = await json_object(request)
    if "expires_after" in body:
        raise not_emulated("files that expire")
    name, purpose = str(body.get("filename") or ""), str(body.get("purpose") or "")
    check_name(name, purpose)
    state = emulator.state
    path, problem = await asyncio.to_thread(
        fetch,
        str(body.get("content_url") or ""),
        state.directory / "files",
        most_bytes=state.settings.limit_file_bytes,
    )
    file = await keep_file(emulator, name, purpose, path, problem=problem)
    return created(request, file_body(emulator, file, v1=False))


def check_name(name: str, purpose: str) -> None:
    """Refuse a purpose or a name. Source: real texts (AIBOX-46, facts 1.3)."""
    if purpose not in PURPOSES:
        raise invalid_payload("Invalid value for purpose.")
    if not name.isprintable():
        raise invalid_payload("fileName contains an invalid filename.")
    if purpose == "fine-tune" and not name.endswith(".jsonl"):
        raise invalid_payload("fileName contains an invalid filename: wrong suffix.")


def limit_rate(emulator: Emulator) -> None:
    """Refuse more than so many uploads a second. Source: facts 1.8. Unverified: the answer."""
    times, now = emulator.state.upload_times, emulator.now
    while times and times[0] <= now - 1:
        times.popleft()
    if len(times) >= emulator.state.settings.limit_uploads_per_second:
        raise too_many("Too many upload requests in a second.", seconds=1)
    times.append(now)


async def keep_file(
    emulator: Emulator, name: str, purpose: str, path: Path, *, sha256: str = "", problem: str = ""
) -> StoredFile:
    """Make a file of what lies at `path`, which moves. The limits are those of facts 1.8."""
    state, size = emulator.state, path.stat().st_size
    check_room(emulator, purpose, size)
    found = await asyncio.to_thread(inspect, path, state.count_tokens)
    check_room(emulator, purpose, size)  # others may have come in meanwhile
    fate = fate_of(state, "file", name)
    late = float(fate["seconds"]) if fate.get("then") == "wait" else 0.0
    file = StoredFile(
        id=state.new_id("file-"),
        name=name,
        purpose=purpose,
        size=size,
        created_at=emulator.now,
        processing_seconds=state.settings.file_processing_seconds + late,
        sha256=sha256,
        format=found.format,
        examples=found.examples,
        tokens=found.tokens,
        problem=problem or str(fate.get("message") or found.problem * (purpose == "fine-tune")),
    )
    path.replace(state.content_path(file.id))
    state.save(file)
    return file


def check_room(emulator: Emulator, purpose: str, size: int) -> None:
    """Refuse a file for which there is no place. Source: facts 1.8. Unverified: the texts."""
    limits = emulator.state.settings
    if size > limits.limit_file_bytes:
        raise invalid_payload(f"The file is larger than {limits.limit_file_bytes} bytes.")
    files = [file for file in emulator.state.live_files() if file.purpose == "fine-tune"]
    if purpose != "fine-tune":
        return
    if len(files) >= limits.limit_files:
        raise too_many(f"The resource has {limits.limit_files} fine-tuning files, the most it may.")
    if sum(file.size for file in files) + size > limits.limit_total_bytes:
        raise too_many(f"The files would exceed {limits.limit_total_bytes} bytes in all.")


async def list_files(request: Request) -> JSONResponse:
    """GET /files: newest first on v1; the dated list has neither pages nor an end mark.

    Source: facts 1.2 (S-2402, S-2504, S-V1).
    """
    emulator, purpose = emulator_of(request), request.query_params.get("purpose")
    v1 = is_v1(request)
    bodies = [
        file_body(emulator, file, v1=v1)
        for file in emulator.state.live_files()
        if purpose in (None, file.purpose)
    ]
    if not v1:
        return JSONResponse({"object": "list", "data": bodies})
    if request.query_params.get("order") != "asc":
        bodies.reverse()
    return page(request, bodies, default=_ALL)


async def get_file(request: Request) -> JSONResponse:
    """GET /files/{id}."""
    emulator = emulator_of(request)
    return JSONResponse(file_body(emulator, _file(request), v1=is_v1(request)))


async def get_file_content(request: Request) -> Response:
    """GET /files/{id}/content: the bytes as they came. Unverified: the content type."""
    emulator, file = emulator_of(request), _file(request)
    path = emulator.state.content_path(file.id)
    kind, size = "application/octet-stream", path.stat()  # known here, so no thread has to look
    return FileResponse(path, media_type=kind, filename=file.name, stat_result=size)


async def delete_file(request: Request) -> Response:
    """DELETE /files/{id}: v1 and the preview answer with an object, 2024's versions with 204.

    Source: facts 1.2. Unverified: that a job which was created on it goes on.
    """
    emulator, file = emulator_of(request), _file(request)
    file.deleted_at = emulator.now
    emulator.state.save(file)
    forget_content(emulator.state, file)
    if request.query_params.get("api-version", "").startswith("2024-"):
        return Response(status_code=204)
    return JSONResponse({"id": file.id, "object": "file", "deleted": True})


def _file(request: Request) -> StoredFile:
    found = emulator_of(request).state.find_file(request.path_params["file_id"])
    if found is None:
        raise not_found("file")
    return found


def file_body(emulator: Emulator, file: StoredFile, *, v1: bool) -> Json:
    """Return a file as on the wire. Source: NB-SARC. Unverified: where the problem stands."""
    status = file.status(emulator.now)
    body: Json = {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": emulator.seen(file.created_at),
        "filename": file.name,
        "purpose": file.purpose,
        "status": status,
    }
    if status == "error":
        error = {"code": "jsonlValidationFailed", "message": file.problem}
        body |= {"status_details": file.problem} if v1 else {"error": error}
    return body
