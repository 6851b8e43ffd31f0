"""Who may see the pages: whom Entra vouches for, or who bought a cookie with the app's key."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from droptune.api.bodies import LONGEST_BODY
from droptune.api.messages import HOLDER_OF_THE_KEY, ApiRequest, ApiResponse
from droptune.api.origin import is_ours
from droptune.api.pages.render import page
from droptune.api.problems import ApiError, bad_request
from droptune.api.services import ApiServices

COOKIE = "droptune_session"
HOME = "/api/dashboard"
LIFETIME = timedelta(hours=12)
_TARGET = re.compile(r"/api/dashboard(/runs/[a-z0-9-]{1,100})?")
_TOKEN = re.compile(r"(\d{1,12})\.([0-9a-f]{64})")


def may_see(request: ApiRequest, services: ApiServices) -> bool:
    """Whether the pages are open, Entra names a principal, or the cookie is a live one."""
    if services.app_key is None or request.principal not in ("", HOLDER_OF_THE_KEY):
        return True
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return False
    token = _TOKEN.fullmatch(cookies[COOKIE].value) if COOKIE in cookies else None
    if token is None or int(token[1]) <= services.clock.now().timestamp():
        return False
    return hmac.compare_digest(token[2], _signature(services.app_key, token[1]))


def new_cookie(services: ApiServices, app_key: str, asked: str) -> str:
    """Return the Set-Cookie header of a session; the cookie does not hold the key."""
    expires = str(int((services.clock.now() + LIFETIME).timestamp()))
    secure = "; Secure" if services.base(asked).startswith("https:") else ""
    return (
        f"{COOKIE}={expires}.{_signature(app_key, expires)}; Path={HOME}; "
        f"Max-Age={int(LIFETIME.total_seconds())}; HttpOnly; SameSite=Strict{secure}"
    )


def _signature(app_key: str, expires: str) -> str:
    return hmac.new(app_key.encode(), f"session:{expires}".encode(), hashlib.sha256).hexdigest()


def ask_to_sign_in(request: ApiRequest, *, wrong: bool = False, target: str = "") -> ApiResponse:
    """Answer 401 with a form; the way back is one of our own pages."""
    wanted = target or request.path
    context = {
        "title": "Sign in",
        "wrong": wrong,
        "target": wanted if _TARGET.fullmatch(wanted) else HOME,
    }
    return page("sign_in.html", context, status=401)


def open_session(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/dashboard/session: a form with `key` and `next`; the key buys a cookie."""
    form = read_form(request, services)
    target = form.get("next", HOME)
    target = target if _TARGET.fullmatch(target) else HOME
    if services.app_key is None:
        return see(target)
    given, key = form.get("key", "").encode(), services.app_key.encode()
    if not hmac.compare_digest(given, key):
        return ask_to_sign_in(request, wrong=True, target=target)
    return see(target, {"Set-Cookie": new_cookie(services, services.app_key, request.url)})


def see(target: str, headers: dict[str, str] | None = None) -> ApiResponse:
    """Answer that the browser shall GET a page of ours."""
    return ApiResponse(status=303, headers={"Location": target} | (headers or {}))


def read_form(request: ApiRequest, services: ApiServices) -> dict[str, str]:
    """Return a form that a page of ours sent; raises a 403 for any other sender."""
    if not is_ours(request, services):
        raise ApiError(
            403, "foreign-origin", "The form was not sent by Droptune's page.", "Use the page."
        )
    if len(request.body) > LONGEST_BODY:
        raise ApiError(413, "body-too-long", "The form is too long.", "Shorten the reason.")
    try:
        pairs = parse_qsl(request.body.decode("utf-8"), max_num_fields=10)
    except ValueError:
        raise bad_request("bad-form", "The form cannot be read.", "Use the page.") from None
    return dict(pairs)
