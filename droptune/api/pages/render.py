"""Templates to answers: everything is escaped, and nothing but our own files may load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from droptune.api.messages import ApiRequest, ApiResponse, etag_of, is_known
from droptune.api.pages import wording
from droptune.api.pages.assets import assets
from droptune.api.problems import ApiError

if TYPE_CHECKING:
    import jinja2

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FILTERS = ("iso", "full", "day", "ago", "took", "money", "count", "size", "words")
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@cache
def _environment() -> jinja2.Environment:
    import jinja2  # the wheel's command line imports this package without it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("droptune.api.pages"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=wording.inert,
    )
    environment.filters |= {name: getattr(wording, name) for name in _FILTERS}
    return environment


def page(
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> ApiResponse:
    """Answer with a page; values of the context are text, never markup."""
    html = markup(template, {**context, "assets": assets()})
    return ApiResponse(
        status=status, headers=_HEADERS | dict(headers or {}), body=html.encode("utf-8", "replace")
    )


def markup(template: str, context: Mapping[str, Any]) -> str:
    """Return a filled template; values of the context are text, never markup."""
    return _environment().get_template(template).render(context)


def page_unless_known(
    request: ApiRequest, state: object, template: str, context: Callable[[], Mapping[str, Any]]
) -> ApiResponse:
    """Answer 304 when the caller's page shows this state already, without making the page."""
    etag = etag_of([assets().version, request.principal, state])
    if is_known(request, etag):
        return ApiResponse(status=304, headers={"ETag": etag, "Cache-Control": "no-store"})
    return page(template, {**context(), "etag": etag}, headers={"ETag": etag})


def show_problem(error: ApiError) -> ApiResponse:
    """Answer with a page that says what is wrong and what would be right."""
    context = {
        "title": "This did not work",
        "detail": str(error),
        "remedy": error.remedy,
        "code": error.code,
        "status": error.status,
    }
    return page("problem.html", context, status=error.status, headers=error.headers)
