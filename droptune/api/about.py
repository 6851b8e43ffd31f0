"""Routes about the app itself: health, the schemas of the configuration file and the report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from droptune.api.messages import ApiRequest, ApiResponse, json_response, unless_known
from droptune.api.problems import ApiError, not_found
from droptune.api.records import find_document
from droptune.api.schemas import JOB_FILE, REPORT, read_schema
from droptune.api.services import ApiServices


def get_health(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/health: 200 once the installation is complete and storage answers."""
    installed = find_document(services.registry, "_installed.json")
    if installed is None:
        raise ApiError(
            503,
            "starting",
            "Droptune is starting: the installation is not complete yet.",
            "Ask again in a few seconds.",
            headers={"Retry-After": "2"},
        )
    document = {
        "status": "ok",
        "version": services.version,
        "installed_at": installed.get("installed_at"),
    }
    return json_response(document, headers={"Cache-Control": "no-store"})


def _serve(name: str) -> Callable[[ApiRequest, ApiServices], ApiResponse]:
    def get_schema(request: ApiRequest, services: ApiServices) -> ApiResponse:
        """GET /api/schemas/{name}.json: a JSON Schema as it is published."""
        try:
            data = read_schema(name)
        except OSError:
            raise not_found(
                "no-schema", "This version holds no schema.", "Look at docs/ in the repository."
            ) from None
        headers = {"Content-Type": "application/schema+json", "Cache-Control": "max-age=300"}
        response = ApiResponse(status=200, headers=headers, body=data)
        return unless_known(request, response, f'"{hashlib.sha256(data).hexdigest()[:32]}"')

    return get_schema


get_schema = _serve(JOB_FILE)
get_report_schema = _serve(REPORT)
