"""Our own controls: the clock and the settings. They are not Azure's and never in its paths."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.clock import AdvancingClock
from emulator.errors import invalid_payload
from emulator.wire import emulator_of, json_object

_LONGEST_SECONDS = 10 * 366 * 86400


async def get_clock(request: Request) -> JSONResponse:
    """GET /emulator/clock: the emulated time."""
    return JSONResponse({"now": emulator_of(request).now_at.isoformat()})


async def advance_clock(request: Request) -> JSONResponse:
    """POST /emulator/clock/advance `{"seconds": n}`: let n emulated seconds pass at once."""
    emulator = emulator_of(request)
    seconds = (await json_object(request)).get("seconds")
    if not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST_SECONDS:
        raise invalid_payload(f"seconds must be a number from 0 to {_LONGEST_SECONDS}.")
    if not isinstance(emulator.clock, AdvancingClock):
        raise invalid_payload("This clock is moved by its owner.")
    emulator.clock.advance(seconds)
    await emulator.settle()
    return await get_clock(request)


async def get_settings(request: Request) -> JSONResponse:
    """GET /emulator/settings: durations in emulated seconds, and limits."""
    return JSONResponse(asdict(emulator_of(request).state.settings))


async def change_settings(request: Request) -> JSONResponse:
    """PATCH /emulator/settings: change some; what is being made keeps its times."""
    changes = await json_object(request)
    if any(
        isinstance(value, bool) or not isinstance(value, int | float) or value < 0
        for value in changes.values()
    ):
        raise invalid_payload("Settings are numbers that are not negative.")
    try:
        emulator_of(request).state.set_settings(changes)
    except KeyError as error:
        raise invalid_payload(f"There is no setting {error.args[0]}.") from None
    return await get_settings(request)
