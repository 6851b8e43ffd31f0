"""Faults, scripted through `/emulator/faults`: what goes wrong, with which request or thing.

A fault is `{"on": …, "match": …, "then": …, "times": 1, "skip": 0}` and more for some `then`.
`match` is a pattern with `*`; the fault strikes `times` times, after `skip` that it lets pass.

| on         | match                 | then          | more                                      |
| ---------- | --------------------- | ------------- | ----------------------------------------- |
| request    | "POST /openai/v1/…"   | `answer`      | `status`, `body`, `headers`; nothing done |
|            | (no query)            | `reset`       | the connection drops; nothing done        |
|            |                       | `lose_answer` | done, then the connection drops           |
|            |                       | `late_answer` | done, and the answer waits `seconds`      |
| job        | suffix of a new job   | `fail`        | `when` (0 to 1 of its time), `code`,      |
|            |                       |               | `message`                                 |
|            |                       | `cancel`      | `when`; as if somebody else did it        |
|            |                       | `hide`        | lists show it `seconds` later             |
| file       | name of a new file    | `error`       | `message`                                 |
|            |                       | `wait`        | is processed `seconds` later              |
| model      | name of a base model  | `retire`      | no further job may train it               |
| deployment | name of a new one     | `fail`        | ends `Failed`; `code`, `message`          |
|            |                       | `hang`        | stays `Creating`                          |
|            |                       | `lag`         | answers `seconds` after `Succeeded`       |

`POST` takes one fault or a list and adds them, `GET` lists them with how often each struck
(`used`), `DELETE` removes all. The seconds of `late_answer` are real ones, all others emulated.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.errors import ApiError, invalid_payload
from emulator.records import Json
from emulator.state import State
from emulator.wire import emulator_of

_KINDS: dict[str, tuple[str, ...]] = {
    "request": ("answer", "reset", "lose_answer", "late_answer"),
    "job": ("fail", "cancel", "hide"),
    "file": ("error", "wait"),
    "model": ("retire",),
    "deployment": ("fail", "hang", "lag"),
}
_DEFAULTS: dict[tuple[str, str], Json] = {
    ("request", "answer"): {"status": 500, "headers": {}},
    ("request", "late_answer"): {"seconds": 60},
    ("job", "fail"): {"when": 0.5, "code": "internalFailure", "message": "Internal error."},
    ("job", "cancel"): {"when": 0.5},
    ("job", "hide"): {"seconds": 60},
    ("file", "error"): {"message": "Validation of jsonl file failed: asked for by a fault."},
    ("file", "wait"): {"seconds": 86_400},
    ("deployment", "fail"): {"code": "InternalServerError", "message": "Asked for by a fault."},
    ("deployment", "lag"): {"seconds": 600},
}
_OPTIONAL = {("request", "answer"): ("body",)}


def fate_of(state: State, on: str, subject: str) -> Json:
    """Return the fault that strikes, which is counted, or {}."""
    for fault in state.faults:
        if fault["on"] != on or not fnmatchcase(subject, fault["match"]):
            continue
        if fault["used"] >= fault["times"]:
            continue
        if fault["skip"] > 0:
            fault["skip"] -= 1
            continue
        fault["used"] += 1
        return dict(fault)
    return {}


def is_retired(state: State, model: str) -> bool:
    """Whether a base model is trained no more."""
    return any(
        fault["on"] == "model" and fnmatchcase(model, fault["match"]) for fault in state.faults
    )


def answer_of(fault: Json) -> Response:
    """Return the answer that a fault gives in place of the service's own."""
    status, headers = int(fault["status"]), dict(fault["headers"])
    if "body" in fault:
        return JSONResponse(fault["body"], status, headers)
    return ApiError(status, str(status), "Asked for by a fault.", headers).response()


async def add_faults(request: Request) -> JSONResponse:
    """POST /emulator/faults."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise invalid_payload("The body is not JSON.") from None
    faults = [_checked(fault) for fault in (body if isinstance(body, list) else [body])]
    emulator_of(request).state.faults.extend(faults)
    return JSONResponse({"faults": emulator_of(request).state.faults}, 201)


async def list_faults(request: Request) -> JSONResponse:
    """GET /emulator/faults."""
    return JSONResponse({"faults": emulator_of(request).state.faults})


async def remove_faults(request: Request) -> Response:
    """DELETE /emulator/faults."""
    emulator_of(request).state.faults.clear()
    return Response(status_code=204)


def _checked(fault: Any) -> Json:
    """Return a fault with its defaults; what it does not know is refused, not ignored."""
    if not isinstance(fault, dict) or fault.get("then") not in _KINDS.get(str(fault.get("on")), ()):
        raise invalid_payload(f"A fault has `on` and `then` of {_KINDS}; this has not: {fault}")
    kind = (fault["on"], fault["then"])
    known = {"on": "", "then": "", "match": "*", "times": 1, "skip": 0} | _DEFAULTS.get(kind, {})
    unknown = set(fault) - set(known) - set(_OPTIONAL.get(kind, ()))
    if unknown:
        raise invalid_payload(f"A fault of {kind} has no {', '.join(sorted(unknown))}.")
    return known | fault | {"used": 0}
