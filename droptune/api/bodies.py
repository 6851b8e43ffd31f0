"""Reading what a request carries: strictly, with a sentence for everything that is wrong."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection
from typing import Any

from droptune.api.messages import ApiRequest
from droptune.api.problems import ApiError, bad_request, not_found
from droptune.domain.dataset import DatasetRef, is_name

LONGEST_BODY = 16_384
LONGEST_REASON = 2_000
LONGEST_NAME = 100
MOST_METRICS = 50
LARGEST_METRIC = 1e15
METRIC_NAME = "[A-Za-z0-9_./@%:()+-][A-Za-z0-9 _./@%:()+-]{0,63}"
_METRIC = re.compile(METRIC_NAME)
_RUN_ID = re.compile("[a-z0-9-]{1,100}")


def read_object(request: ApiRequest, known: Collection[str]) -> dict[str, Any]:
    """Return the body's JSON object, `{}` for an empty body; unknown keys are refused."""
    if len(request.body) > LONGEST_BODY:
        raise ApiError(
            413,
            "body-too-long",
            f"The body has {len(request.body)} bytes.",
            f"Send at most {LONGEST_BODY}; datasets are dropped into storage.",
        )
    keys = ", ".join(known)
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise bad_request(
            "not-json", "The body is not JSON.", f"Send a JSON object with: {keys}."
        ) from None
    if not isinstance(body, dict):
        raise bad_request(
            "not-an-object", "The body is not a JSON object.", f"Send an object with: {keys}."
        )
    for key in body:
        if key not in known:
            raise _unknown_key(key, known)
    return body


def _unknown_key(key: str, known: Collection[str]) -> ApiError:
    message = f"The key {key[:80]!r} is not known."
    return bad_request("unknown-key", message, _hint(key, known))


def check_query(request: ApiRequest, known: Collection[str]) -> None:
    """Refuse a query that the route does not read: a misspelt filter would show everything.

    `code`, in which Azure takes a key, is left alone: the host has judged it.
    """
    for key in request.query:
        if key not in known and key != "code":
            message = f"The query's {key[:80]!r} is not known."
            raise bad_request("unknown-query", message, _hint(key, known))


def _hint(key: str, known: Collection[str]) -> str:
    if not known:
        return "Leave it out: this route reads no query."
    close = difflib.get_close_matches(key, list(known), 1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(known)}."


def bad_word(word: str, known: Collection[str]) -> ApiError:
    """Return the answer to a word that nobody can say of a run."""
    return bad_request("bad-word", f"word: {word[:40]!r} is not known.", f"Use {', '.join(known)}.")


def read_limit(text: str, most: int) -> int:
    """Return how many rows a page shall have; raises a 400."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= most:
        raise bad_request("bad-limit", f"limit: {text[:20]!r}.", f"Use a number from 1 to {most}.")
    return int(text)


def read_text(body: dict[str, Any], key: str, longest: int) -> str:
    """Return a text of the body, "" when it is not there."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_request(
            "wrong-type", f"{key}: not a text but {type(value).__name__}.", f"Send {key} as text."
        )
    if len(value) > longest:
        raise bad_request(
            "too-long",
            f"{key}: {len(value)} characters.",
            f"Send at most {longest:,} characters.",
        )
    return value


def read_metrics(body: dict[str, Any]) -> dict[str, float]:
    """Return the figures of somebody's own evaluation, {} when there are none; raises a 400."""
    value = body.get("metrics")
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MOST_METRICS:
        what = f"{len(value)} entries" if isinstance(value, dict) else f"{type(value).__name__}"
        raise bad_request(
            "bad-metrics",
            f"metrics: {what}.",
            f'Send an object of at most {MOST_METRICS} figures, such as {{"accuracy": 0.93}}.',
        )
    return {_metric_name(name): _figure(name, figure) for name, figure in value.items()}


def _metric_name(name: str) -> str:
    if not _METRIC.fullmatch(name):
        raise bad_request(
            "bad-metrics",
            f"metrics: {name[:80]!r} cannot name a figure.",
            "Use 1 to 64 of letters, digits, space and _ . / @ % : ( ) + -, not a space first.",
        )
    return name


def _figure(name: str, figure: Any) -> float:
    is_number = not isinstance(figure, bool) and isinstance(figure, int | float)
    if is_number and abs(figure) <= LARGEST_METRIC:  # NaN is not
        return float(figure)
    raise bad_request(
        "bad-metrics",
        f"metrics: {name} is {str(figure)[:40]!r}, which is no figure that can be kept.",
        f"Send a number of at most {LARGEST_METRIC:g}.",
    )


def read_by(body: dict[str, Any], principal: str) -> str:
    """Return who says something: the name in the body, if any, beside whom the host names."""
    name = read_text(body, "by", LONGEST_NAME).strip()
    return f"{name} ({principal})" if name else principal


def run_id_of(request: ApiRequest) -> str:
    """Return the route's run id; what cannot be one is not found."""
    return checked_run_id(request.params.get("id", ""))


def checked_run_id(text: str) -> str:
    """Return a text that can be a run id; raises a 404."""
    if not _RUN_ID.fullmatch(text):
        raise no_such_run(text)
    return text


def no_such_run(run_id: str) -> ApiError:
    """Return the answer for a run that nobody knows."""
    return not_found(
        "run-not-found",
        f"There is no run {run_id[:120]!r}.",
        "GET /api/runs lists the runs.",
        link="runs",
    )


def project_of(request: ApiRequest) -> str:
    """Return the route's project; what cannot be one is not found."""
    project = request.params.get("project", "")
    if not is_name(project):
        raise no_such_project(project)
    return project


def no_such_project(project: str) -> ApiError:
    """Return the answer for a project that nobody knows."""
    return not_found(
        "project-not-found",
        f"There is no project {project[:80]!r}.",
        "GET /api/projects lists the projects; dropping a dataset makes one.",
        link="projects",
    )


def dataset_of(request: ApiRequest) -> DatasetRef:
    """Return the route's dataset; what cannot be one is not found."""
    project, version = request.params.get("project", ""), request.params.get("version", "")
    if not (is_name(project) and is_name(version)):
        raise no_such_dataset(f"{project}/{version}")
    return DatasetRef(project=project, version=version)


def no_such_dataset(name: str) -> ApiError:
    """Return the answer for a dataset that nobody knows."""
    return not_found(
        "dataset-not-found",
        f"Nothing is known of a dataset {name[:140]!r}.",
        "Drop <project>/<version>/training.jsonl into the container datasets; "
        "GET /api/datasets lists what is there.",
        link="datasets",
    )
