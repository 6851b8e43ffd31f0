"""How requests are read and answers written on every surface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.errors import invalid_payload, not_found

if TYPE_CHECKING:
    from emulator.resource import Emulator

Json = dict[str, Any]
LONGEST_PAGE = 100


def emulator_of(request: Request) -> Emulator:
    """Return the resource that a request is for."""
    emulator: Emulator = request.app.state.emulator
    return emulator


def is_v1(request: Request) -> bool:
    """Whether a request uses the v1 surface of the data plane."""
    return request.url.path.startswith("/openai/v1/")


async def json_object(request: Request, refusal: str = "The body is not a JSON object.") -> Json:
    """Return the body; anything but a JSON object is refused."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise invalid_payload(refusal) from None
    if not isinstance(body, dict):
        raise invalid_payload(refusal)
    return body


def created(request: Request, body: Json) -> JSONResponse:
    """Answer 201 with the new resource and its place. Source: dated contract (S-2402)."""
    place = f"{str(request.url).partition('?')[0].removesuffix('/import')}/{body['id']}"
    return JSONResponse(body, 201, {"Location": place})


def page(request: Request, entries: list[Json], *, default: int) -> JSONResponse:
    """Answer with the entries behind `after`, `limit` at most. Source: v1 contract.

    Unverified: 404 for an unknown cursor, 400 for a bad limit.
    """
    after = request.query_params.get("after")
    if after is not None:
        ids = [entry["id"] for entry in entries]
        if after not in ids:
            raise not_found(f"cursor {after!r}")
        entries = entries[ids.index(after) + 1 :]
    limit = _limit(request, default)
    return JSONResponse(
        {
            "object": "list",
            "data": entries[:limit],
            "has_more": len(entries) > limit,
            **_ends(entries[:limit]),
        }
    )


def _ends(entries: list[Json]) -> Json:
    return {"first_id": entries[0]["id"], "last_id": entries[-1]["id"]} if entries else {}


def _limit(request: Request, default: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not text.isdecimal() or not 0 < int(text) <= max(LONGEST_PAGE, default):
        raise invalid_payload(f"The limit {text!r} is not a number from 1 to {LONGEST_PAGE}.")
    return int(text)
