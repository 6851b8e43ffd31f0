"""The app as the command line sees it: JSON over HTTP, problem documents as refusals."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlencode

from droptune.cli.refusals import Exit, Refusal

Document = dict[str, Any]
# Given what a refused request was answered in WWW-Authenticate, returns headers that may open it.
SignIn = Callable[[str], dict[str, str]]
_TIMEOUT_SECONDS = 60
_UNAUTHORISED = (401, 403)


class RefusedError(Refusal):
    """The app answered no."""

    def __init__(self, status: int, document: Document) -> None:
        """Take sentence and remedy from the document."""
        message = str(document.get("detail") or f"The app answered {status}.")
        lasting = 400 <= status < 500 and status not in _UNAUTHORISED
        super().__init__(
            message,
            str(document.get("remedy") or ""),
            code=Exit.NO if lasting else Exit.NOT_REACHED,
        )
        self.status = status
        self._document = document

    @property
    def document(self) -> Document:
        """The problem document, as the route sent it."""
        return self._document


class AppClient:
    """Speaks to one app; a key travels in a header and never in a URL."""

    def __init__(
        self, base_url: str, *, key: str | None = None, sign_in: SignIn | None = None
    ) -> None:
        """Name the app; `sign_in` is asked once, when the app wants to know who asks."""
        self.base_url = base_url.rstrip("/")
        self._sign_in = sign_in
        self._headers = {"Accept": "application/json"}
        if key:
            self._headers["x-functions-key"] = key

    def get(self, *path: str, query: Mapping[str, str | int | None] | None = None) -> Document:
        """Return what a route shows; raises RefusedError for a no, Refusal when out of reach."""
        given = {key: value for key, value in (query or {}).items() if value is not None}
        data = self._ask("GET", path, query=f"?{urlencode(given)}" if given else "")
        return _read(data, self._url(path))

    def get_text(self, *path: str) -> str:
        """Return what a route shows as text."""
        return self._ask("GET", path).decode("utf-8", "replace")

    def post(self, *path: str, body: Document | None = None) -> Document:
        """Say something to a route; safe to repeat, as every route of the app is."""
        data = self._ask("POST", path, body=json.dumps(body or {}).encode())
        return _read(data, self._url(path))

    def _url(self, path: tuple[str, ...]) -> str:
        return "/".join([self.base_url, "api", *(quote(part, safe="") for part in path)])

    def _ask(
        self, method: str, path: tuple[str, ...], *, query: str = "", body: bytes | None = None
    ) -> bytes:
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        url = self._url(path) + query
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError as error:
            if error.code not in _UNAUTHORISED or self._sign_in is None:
                raise RefusedError(error.code, _problem(error)) from None
            challenge = error.headers.get("WWW-Authenticate") or ""
            error.close()
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Refusal(
                f"The app at {self.base_url} cannot be reached: {reason}.",
                "Start one with python3 -m droptune up, or name one with --app URL.",
            ) from None
        sign_in, self._sign_in = self._sign_in, None
        self._headers |= sign_in(challenge)
        return self._ask(method, path, query=query, body=body)


def _read(data: bytes, url: str) -> Document:
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Refusal(f"{url} answered something that is not Droptune's.", "Check the address.")
    return document


def _problem(error: urllib.error.HTTPError) -> Document:
    with error:
        try:
            document = json.loads(error.read())
        except (ValueError, OSError):
            document = None
    if isinstance(document, dict) and document:
        return document
    known = {401: "The app wants a key.", 403: "The app wants another key."}
    remedy = "Set DROPTUNE_KEY to a function key of the app, or az login as one who may read it."
    if error.code not in known:
        remedy = "droptune doctor looks at the app."
    return {"detail": known.get(error.code, f"The app answered {error.code}."), "remedy": remedy}
