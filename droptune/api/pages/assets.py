"""What pages load: style, script and icon, under names that change with their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from droptune.api.messages import ApiRequest, ApiResponse, is_known
from droptune.api.problems import not_found
from droptune.api.services import ApiServices

PATH = "/api/dashboard/assets/"
_KINDS = {
    "style.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_FOREVER = "public, max-age=31536000, immutable"
_ICON_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Assets:
    """Addresses of the assets; `version` changes with any of them or with a template."""

    style: str
    script: str
    icon: str
    version: str


@cache
def assets() -> Assets:
    """Return the addresses under which this version serves its assets."""
    style, script, icon = (f"{PATH}{_name(file)}" for file in _KINDS)
    return Assets(style=style, script=script, icon=icon, version=_version())


def get_asset(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/dashboard/assets/{name}: public, the same for everybody, kept by browsers."""
    wanted = request.params.get("name", "")
    for file, kind in _KINDS.items():
        if wanted == _name(file):
            return _answer(request, file, kind)
    raise not_found("no-asset", "There is no such file.", "Load the page again.")


def _answer(request: ApiRequest, file: str, kind: str) -> ApiResponse:
    etag = f'"{_digest(file)}"'
    headers = {"Cache-Control": _FOREVER, "ETag": etag}
    if is_known(request, etag):
        return ApiResponse(status=304, headers=headers)
    own = {"Content-Type": kind, "Content-Security-Policy": _ICON_POLICY}
    return ApiResponse(status=200, headers=headers | own, body=_read(file))


def _name(file: str) -> str:
    stem, _, ending = file.partition(".")
    return f"{stem}-{_digest(file)}.{ending}"


@cache
def _digest(file: str) -> str:
    return hashlib.sha256(_read(file)).hexdigest()[:12]


@cache
def _read(file: str) -> bytes:
    return resources.files("droptune.api.pages").joinpath("assets", file).read_bytes()


def _version() -> str:
    digest = hashlib.sha256()
    templates = resources.files("droptune.api.pages").joinpath("templates")
    for file in sorted(templates.iterdir(), key=lambda each: each.name):
        digest.update(file.read_bytes())
    for name in _KINDS:
        digest.update(_read(name))
    return digest.hexdigest()[:12]
