"""The names that make everything happen once: digests, run ids, marks, names of files and
deployments."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

MARK_LENGTH = 16
LONGEST_SUFFIX, LONGEST_DEPLOYMENT_NAME = 40, 64


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys and no white space, the same for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value in canonical form, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def training_digest(
    *,
    project: str,
    content: Mapping[str, str],
    training_as_written: Mapping[str, Any],
    again: int = 1,
) -> str:
    """Return what identifies a training: equal digests are one paid job.

    `content` maps role to SHA-256 for training and validation data. A repetition that shall train
    anew (`again` > 1) enters; fields added later enter only when set.
    """
    parts: dict[str, Any] = {
        "project": project,
        "content": {role: content[role] for role in ("training", "validation") if role in content},
        "job": dict(training_as_written),
    }
    return digest(parts | ({"again": again} if again > 1 else {}))


def run_digest(
    *,
    training: str,
    version: str,
    test: str | None,
    rest_as_written: Mapping[str, Any],
    attempt: int = 1,
) -> str:
    """Return what identifies a run: the training, the exact version, test data, the rest, the
    attempt."""
    parts: dict[str, Any] = {
        "training": training,
        "version": version,
        "rest": dict(rest_as_written),
    }
    if test is not None:
        parts["test"] = test
    return digest(parts | ({"attempt": attempt} if attempt > 1 else {}))


def slug(text: str, length: int) -> str:
    """Return at most `length` of `[a-z0-9-]`, for names at Azure."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:length].strip("-") or "x"


def run_id(project: str, version: str, run: str) -> str:
    """Return a run's id, which is its Durable instance id."""
    return f"{slug(project, 40)}-{slug(version, 40)}-{run[:8]}"


def mark(training: str, attempt: int = 1) -> str:
    """Return what shows at the service that a job is ours: 16 hex, `-N` for attempt N."""
    return training[:MARK_LENGTH] + (f"-{attempt}" if attempt > 1 else "")


def job_suffix(user_suffix: str | None, training: str, attempt: int = 1) -> str:
    """Return the suffix of a job: the user's, cut to 20, then the mark (40 characters at most).

    Source: the dated contract takes 40 characters.
    """
    own = mark(training, attempt)
    length = min(20, LONGEST_SUFFIX - len(own) - 1)
    return f"{user_suffix[:length]}-{own}" if user_suffix else own


def file_name(role: str, content_sha256: str) -> str:
    """Return the name under which content is uploaded, so that it can be found again."""
    return f"droptune-{role}-{content_sha256[:32]}.jsonl"


def deployment_name(name: str, run: str, purpose: str = "", made_again: int = 0) -> str:
    """Return a deployment's name: `<name, cut to 40>-<12 hex of the run digest>`, 64 at most.

    `purpose` tells a second deployment of the same run apart; `made_again` one made anew.
    """
    ending = "".join((f"-{purpose}" if purpose else "", f"-{made_again}" if made_again else ""))
    own = f"-{run[:12]}{ending}"
    return slug(name, min(40, LONGEST_DEPLOYMENT_NAME - len(own))) + own


def is_deployment_of(name: str, run: str) -> bool:
    """Whether a deployment's name says that it was made for a run, whatever its purpose."""
    return re.fullmatch(rf"[a-z0-9-]+-{run[:12]}(-candidate)?(-\d+)*", name) is not None


def next_name(deployment: str) -> str:
    """Return the name under which a deployment is made again: `…-1`, then `…-2`, and so on."""
    stem, _, number = deployment.rpartition("-")
    if stem and re.fullmatch(r"[1-9]\d{0,2}", number):
        return f"{stem}-{int(number) + 1}"
    return f"{deployment}-1"
