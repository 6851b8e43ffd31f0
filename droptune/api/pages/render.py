"""Templates to answers: everything is escaped, and nothing but our own style may load."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from droptune.api.messages import ApiResponse

if TYPE_CHECKING:
    import jinja2


@cache
def _environment() -> jinja2.Environment:
    import jinja2  # the wheel's command line imports this package without it

    return jinja2.Environment(
        loader=jinja2.PackageLoader("droptune.api.pages"),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
    )


@cache
def _style() -> str:
    return resources.files("droptune.api.pages").joinpath("style.css").read_text("utf-8")


@cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def page(
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> ApiResponse:
    """Answer with a page; values of the context are text, never markup."""
    from markupsafe import Markup

    html = _environment().get_template(template).render(context, style=Markup(_style()))
    own = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _policy(),
        "Cache-Control": "no-store",
    }
    body = html.encode("utf-8", "replace")
    return ApiResponse(status=status, headers=own | dict(headers or {}), body=body)
