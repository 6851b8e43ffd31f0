"""Who may see the pages: whom Entra vouches for, or who bought a cookie with the app's key."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from droptune.api.bodies import LONGEST_BODY
from droptune.api.messages import HOLDER_OF_THE_KEY, ApiRequest, ApiResponse
from droptune.api.origin import is_local, is_ours
from droptune.api.pages.render import page
from droptune.api.problems import ApiError, bad_request
from droptune.api.services import ApiServices

COOKIE = "droptune_session"
HOME = "/api/dashboard"
LIFETIME = timedelta(hours=12)
_TARGET = re.compile(
    "/api/dashboard(/runs/[a-z0-9-]{1,100}|/projects/[A-Za-z0-9-][A-Za-z0-9._-]{0,63})?"
)
_TOKEN = re.compile("([0-9]{1,12})[.]([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Who looks at a page; `signed_in` when a cookie opened it, which can be given back."""

    name: str
    signed_in: bool


def find_visitor(request: ApiRequest, services: ApiServices) -> Visitor | None:
    """Return who may see the pages: whom Entra names, who bought a cookie, or whoever sits at the
    machine itself when no key guards it."""
    if request.principal not in ("", HOLDER_OF_THE_KEY):
        return Visitor(name=request.principal, signed_in=False)
    if services.app_key is None:
        return Visitor(name="", signed_in=False) if is_local(services, request.url) else None
    if not _has_session(request, services.app_key, services.clock.now().timestamp()):
        return None
    return Visitor(name=HOLDER_OF_THE_KEY, signed_in=True)


def _has_session(request: ApiRequest, app_key: str, now: float) -> bool:
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return False
    token = _TOKEN.fullmatch(cookies[COOKIE].value) if COOKIE in cookies else None
    if token is None or int(token[1]) <= now:
        return False
    return hmac.compare_digest(token[2], _signature(app_key, token[1]))


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


def ask_to_sign_in(
    request: ApiRequest, services: ApiServices, *, wrong: bool = False, target: str = ""
) -> ApiResponse:
    """Answer 401 with a form; the way back is one of our own pages. Without a key there is no
    form: the pages of an app on the network are closed until something guards them."""
    if services.app_key is None and services.sign_in_path is None:
        raise _unguarded()
    wanted = target or request.path
    back = wanted if _TARGET.fullmatch(wanted) else HOME
    entra = services.sign_in_path
    context = {
        "title": "Sign in",
        "wrong": wrong,
        "target": back,
        "has_key": services.app_key is not None,
        "entra": f"{entra}?{urlencode({'post_login_redirect_uri': back})}" if entra else None,
    }
    return page("sign_in.html", context, status=401)


def _unguarded() -> ApiError:
    return ApiError(
        403,
        "pages-closed",
        "Nothing guards these pages, so they are closed to everybody on the network.",
        "Turn on App Service Authentication, or set APP_KEY to a key that opens them.",
    )


def open_session(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/dashboard/session: a form with `key` and `next`; the key buys a cookie."""
    form = read_form(request, services)
    target = form.get("next", HOME)
    target = target if _TARGET.fullmatch(target) else HOME
    if services.app_key is None:
        if not is_local(services, request.url):
            raise _unguarded()
        return see(target)
    given, key = form.get("key", "").encode(), services.app_key.encode()
    if not hmac.compare_digest(given, key):
        return ask_to_sign_in(request, services, wrong=True, target=target)
    return see(target, {"Set-Cookie": new_cookie(services, services.app_key, request.url)})


def close_session(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/dashboard/session/end: give the cookie back."""
    read_form(request, services)
    gone = f"{COOKIE}=; Path={HOME}; Max-Age=0; HttpOnly; SameSite=Strict"
    return see(HOME, {"Set-Cookie": gone})


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
        pairs = parse_qsl(request.body.decode("utf-8"), keep_blank_values=True)
    except ValueError:
        raise bad_request("bad-form", "The form cannot be read.", "Use the page.") from None
    return dict(pairs)
