"""The route of the sweep: what nobody needs any more, why, and to be rid of it."""

from __future__ import annotations

from droptune.api.bodies import read_object
from droptune.api.messages import ApiRequest, ApiResponse, json_response
from droptune.api.problems import bad_request
from droptune.api.services import ApiServices


def sweep(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/sweep: delete what nobody needs; with `{"dry_run": true}` only list it."""
    dry_run = read_object(request, ("dry_run",)).get("dry_run", False)
    if not isinstance(dry_run, bool):
        message = f"dry_run: not true or false but {type(dry_run).__name__}."
        raise bad_request("wrong-type", message, "Send true to list only, false to delete.")
    swept = services.sweep(dry_run)
    return json_response(swept.to_payload(), headers={"Cache-Control": "no-store"})
