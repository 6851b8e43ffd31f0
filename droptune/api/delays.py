"""An answer to what is written already and begins later: Durable could not be told of it."""

from __future__ import annotations

import json
from dataclasses import replace

from droptune.api.messages import ApiResponse, to_json

CODE = "delayed"


def delayed(response: ApiResponse) -> ApiResponse:
    """Return an answer that says, in `problem`, that what was asked for is kept and begins by
    itself: 202 as without it. A page leads on as it did."""
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    document = json.loads(response.body)
    problem = {
        "type": f"urn:droptune:problem:{CODE}",
        "title": "Accepted, and delayed",
        "status": response.status,
        "code": CODE,
        "detail": "What you asked for is written, but the app could not wake what carries it out.",
        "remedy": "Nothing is lost: a timer takes it up within minutes, a waiting step within the "
        "hour. Asking again is safe and may be faster.",
    }
    return replace(response, body=to_json(document | {"problem": problem}))
