"""The app's doors in this process: every HTTP function as the host serves it, keys enforced.

All of it is taken from the app's own table of functions, so that no new route is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from devhost import http
from devhost.functions import Function, LoadedApp, functions_of
from devhost.host_file import Host
from droptune.domain.services import BlobInfo, StoredBlob
from tests.app_in_memory import load_function_app, services_of
from tests.builders import World
from tests.fakes import FakeBlobStore

URL = "https://app.example"
KEY = "the-function-key"
PAGES_KEY = "the-key-of-the-pages"
CLIENT = (
    '{"taskHubName": "t", "creationUrls": {}, "managementUrls": {}, "baseUrl": "http://127.0.0.1:9"'
    ', "rpcBaseUrl": "http://127.0.0.1:9"}'
)


@dataclass(frozen=True, kw_only=True)
class Door:
    """One method of one HTTP function."""

    name: str
    method: str
    path: str
    is_anonymous: bool

    @property
    def parameters(self) -> list[str]:
        """Names of what stands in its path."""
        return re.findall(r"{(\w+)}", self.path)

    def url(self, **parameters: str) -> str:
        """Return its path, with something ordinary for what is not given."""
        return re.sub(r"{(\w+)}", lambda found: parameters.get(found[1], "x"), f"/api/{self.path}")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class WatchedBlobs(FakeBlobStore):
    """A container that remembers every name it was asked for."""

    def __init__(self, asked: list[str]) -> None:
        super().__init__()
        self._asked = asked

    def find(self, name: str) -> StoredBlob | None:
        self._asked.append(name)
        return super().find(name)

    def find_info(self, name: str) -> BlobInfo | None:
        self._asked.append(name)
        return super().find_info(name)

    def write(self, name: str, data: bytes, **conditions: Any) -> str:
        self._asked.append(name)
        return super().write(name, data, **conditions)

    def list(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> Iterator[BlobInfo]:
        self._asked += [prefix, after]
        return super().list(prefix, after=after, limit=limit)

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        self._asked.append(prefix)
        return super().list_folders(prefix)

    def open(self, name: str, **part: Any) -> Iterator[bytes]:
        self._asked.append(name)
        return super().open(name, **part)


class App:
    """An app with one world behind it; `asked` are the names that its containers were asked for."""

    def __init__(self) -> None:
        self.world = World()
        self.asked: list[str] = []
        for name in ("datasets", "runs", "registry"):
            setattr(self.world, name, WatchedBlobs(self.asked))
        self.world.registry.put("_installed.json", "{}")
        self.client = TestClient(
            Starlette(routes=http.routes(self._loaded(), KEY)),
            base_url=URL,
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    def _loaded(self) -> LoadedApp:
        module = load_function_app()
        services = services_of(self.world)
        settings = replace(services.settings, app_key=PAGES_KEY)
        built = module.build_app(replace(services, settings=settings))
        return LoadedApp(functions=functions_of(built), host=Host(), client=CLIENT)

    def sign_in(self) -> None:
        """Buy the cookie that opens the pages."""
        answer = self.client.post(
            "/api/dashboard/session", data={"key": PAGES_KEY}, headers={"Origin": URL}
        )
        assert answer.status_code == 303, answer.text

    def ask(self, door: Door, url: str, **more: Any) -> Any:
        """Ask through a door with the key that it wants, from a page of the app's own."""
        headers = {"x-functions-key": KEY, "Origin": URL} | more.pop("headers", {})
        return self.client.request(door.method, url, headers=headers, **more)


@cache
def doors() -> tuple[Door, ...]:
    """Return every method of every HTTP function that the app registers."""
    built = load_function_app().build_app(services_of(World()))
    return tuple(
        Door(
            name=function.name,
            method=str(getattr(method, "value", method)),
            path=str(function.trigger["route"]),
            is_anonymous=_level(function) == "anonymous",
        )
        for function in functions_of(built)
        if function.kind == "httpTrigger"
        for method in function.trigger["methods"]
    )


def _level(function: Function) -> str:
    level = function.trigger["authLevel"]
    return str(getattr(level, "value", level)).lower()
