"""The lab's own way to count a dataset's tokens, with the right encoding: what we measure against.

    python -m benchmarks.validation_lab FILE

The whole file as a list of objects; every string encoded; the assistant's encoded once more; numpy
over lists of counts. Source: OpenAI cookbook, data preparation and analysis for chat fine-tuning,
which the lab's notebook copies. Two things differ from it: the encoding is the model's (o200k_base,
where the lab had cl100k_base), and it comes from the pinned vocabulary, not from a download.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from droptune.validation.tokens import load_encoding


def main() -> None:
    """Print the distributions of total and assistant tokens."""
    encoding = load_encoding("o200k_base")

    def num_tokens_from_messages(
        messages: list[dict[str, str]], tokens_per_message: int = 3, tokens_per_name: int = 1
    ) -> int:
        num_tokens = 0
        for message in messages:
            num_tokens += tokens_per_message
            for key, value in message.items():
                num_tokens += len(encoding.encode(value))
                if key == "name":
                    num_tokens += tokens_per_name
        num_tokens += 3
        return num_tokens

    def num_assistant_tokens_from_messages(messages: list[dict[str, str]]) -> int:
        num_tokens = 0
        for message in messages:
            if message["role"] == "assistant":
                num_tokens += len(encoding.encode(message["content"]))
        return num_tokens

    with open(sys.argv[1], encoding="utf-8") as f:
        dataset = [json.loads(line) for line in f]

    total_tokens = []
    assistant_tokens = []
    for ex in dataset:
        messages = ex.get("messages", {})
        total_tokens.append(num_tokens_from_messages(messages))
        assistant_tokens.append(num_assistant_tokens_from_messages(messages))
    print(json.dumps({"total": _figures(total_tokens), "assistant": _figures(assistant_tokens)}))


def _figures(values: list[int]) -> dict[str, Any]:
    return {
        "n": len(values),
        "sum": sum(values),
        "min": min(values),
        "max": max(values),
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "p5": float(np.quantile(values, 0.05)),
        "p95": float(np.quantile(values, 0.95)),
    }


if __name__ == "__main__":
    main()
