"""What writers drop: small datasets that are valid, with canaries where nothing may leak."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

CANARY = "canary-of-the-training-data"
MODEL = "gpt-4.1-mini"
_EXAMPLES = 10


@lru_cache(maxsize=256)
def examples(project: str, variant: str, role: str = "training") -> bytes:
    """Return ten examples; the first alone, which may be asked as a question, has no canary."""
    rows = []
    for number in range(_EXAMPLES):
        mark = f" {CANARY}" if number else ""
        rows.append(
            {
                "messages": [
                    {"role": "user", "content": f"{project} {variant} {role} {number}?"},
                    {"role": "assistant", "content": f"Yes{mark} {variant}{number}."},
                ]
            }
        )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def job_file(*, seed: int = 1, **pipeline: Any) -> bytes:
    """Return a fine-tune-job.yaml (JSON is YAML)."""
    return json.dumps({"model": MODEL, "seed": seed, "pipeline": pipeline}).encode()


def content(spec: Mapping[str, Any]) -> bytes:
    """Return the bytes that a happening's specification names."""
    if "pipeline" in spec:
        return job_file(seed=spec["seed"], **spec["pipeline"])
    return examples(spec["project"], spec["variant"], spec["role"])
