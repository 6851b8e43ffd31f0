"""What every request passes: credential, faults, the time, and durability before the answer."""

from __future__ import annotations

import asyncio
import hmac
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.errors import ApiError
from emulator.faults import answer_of, fate_of
from emulator.records import Json
from emulator.resource import Emulator


class ConnectionDroppedError(Exception):
    """Raised instead of an answer where there is no connection to drop: calls in process."""


class Gate:
    """Wraps the routes. Nothing that is answered can be lost any more when it is answered."""

    def __init__(self, app: ASGIApp, emulator: Emulator) -> None:
        self._app = app
        self._emulator = emulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(self._emulator, send)
        refusal = _refusal(scope, self._emulator.key)
        if refusal is not None:
            await refusal.response()(scope, receive, answer.send)
            return
        await self._emulator.settle()
        fault = self._fault(scope)
        if fault.get("then") == "answer":
            await answer_of(fault)(scope, receive, answer.send)
        elif fault.get("then") == "reset":
            await _drop(scope, receive)
        else:
            answer.fault = fault
            await self._app(scope, receive, answer.send)
            if fault.get("then") == "lose_answer":
                await _drop(scope, receive)

    def _fault(self, scope: Scope) -> Json:
        if scope["path"].startswith("/emulator/"):
            return {}
        return fate_of(self._emulator.state, "request", f"{scope['method']} {scope['path']}")


class _Answer:
    """Makes everything durable before the first byte goes out, and names the request."""

    def __init__(self, emulator: Emulator, send: Send) -> None:
        self._emulator = emulator
        self._send = send
        self.fault: Json = {}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["apim-request-id"] = str(uuid.uuid4())
            self._emulator.state.commit()
            if self.fault.get("then") == "late_answer":
                await asyncio.sleep(float(self.fault["seconds"]))
        if self.fault.get("then") != "lose_answer":
            await self._send(message)


def _refusal(scope: Scope, key: str) -> ApiError | None:
    """Return a 401 for a request without the key. Unverified: the gateway's texts."""
    headers = Headers(scope=scope)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = [token if scheme.lower() == "bearer" else ""]
    is_arm = scope["path"].lower().startswith("/subscriptions/")
    if not is_arm:
        given.append(headers.get("api-key", ""))
    if any(hmac.compare_digest(each.encode(), key.encode()) for each in given):
        return None
    if is_arm:
        text = "Authentication failed. The 'Authorization' header is missing or not valid."
        return ApiError(401, "AuthenticationFailed", text)
    return ApiError(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide "
        "a valid key for an active subscription and use a correct regional API endpoint for your "
        "resource.",
    )


async def _drop(scope: Scope, receive: Receive) -> None:
    """Drop the connection without an answer."""
    transport = scope.get("state", {}).get("transport")
    if transport is None:
        raise ConnectionDroppedError(scope["path"])
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
