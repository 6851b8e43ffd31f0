"""Chat completions: a fine-tuned deployment answers as its training data would."""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.errors import ApiError, invalid_payload, not_emulated
from emulator.learner import answer, base_answer
from emulator.records import Deployment, Json
from emulator.resource import Emulator
from emulator.wire import emulator_of, json_object

_MOST_MESSAGES, _MOST_TOOLS = 2048, 128
_MINUTE = 60
_REQUESTS_PER_UNIT = 6
_REASONS = re.compile(r"o\d|gpt-5")


async def create_chat_completion(request: Request) -> JSONResponse:
    """POST /chat/completions, and …/deployments/{name}/chat/completions on the dated surface.

    Source: DeploymentNotFound is real (ERR-DNF). Differs: no streaming; one choice; sampling
    options have no effect; tools are called as in the training data, asked for or not.
    """
    emulator = emulator_of(request)
    body = await json_object(request)
    deployment = _deployment(emulator, request.path_params.get("name") or body.get("model"))
    messages = _messages(body)
    _refuse_old_limit(deployment, body)
    prompt_tokens = _count(emulator, json.dumps(messages, ensure_ascii=False))
    _limit_rate(emulator, deployment, prompt_tokens)
    said = await _answer(emulator, deployment, messages)
    message, tokens, reason = _cut(emulator, said, body)
    return JSONResponse(
        {
            "id": _completion_id(emulator, deployment),
            "object": "chat.completion",
            "created": emulator.seen(emulator.now),
            "model": deployment.model,
            "choices": [
                {"index": 0, "finish_reason": reason, "message": message, "logprobs": None}
            ],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": tokens,
                "total_tokens": prompt_tokens + tokens,
            },
        }
    )


def _deployment(emulator: Emulator, name: Any) -> Deployment:
    found = emulator.state.find_deployment(name) if isinstance(name, str) else None
    if found is None or not found.answers(emulator.now):
        raise ApiError(
            404,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again.",
        )
    return found


def _messages(body: Json) -> list[Json]:
    """Return the messages. Source: the limits (facts 1.8). Unverified: the texts."""
    if body.get("stream"):
        raise not_emulated("streamed answers")
    if body.get("n") not in (None, 1):
        raise not_emulated("more than one choice")
    messages, tools = body.get("messages"), body.get("tools") or []
    if not isinstance(messages, list) or not 0 < len(messages) <= _MOST_MESSAGES:
        raise invalid_payload(f"messages must have 1 to {_MOST_MESSAGES} entries.")
    if any(not isinstance(each, dict) or "role" not in each for each in messages):
        raise invalid_payload("Every message must have a role.")
    if not isinstance(tools, list) or len(tools) > _MOST_TOOLS:
        raise invalid_payload(f"tools may have {_MOST_TOOLS} entries.")
    return messages


def _refuse_old_limit(deployment: Deployment, body: Json) -> None:
    """Refuse `max_tokens` where a model reasons. Source: OAI, `max_tokens` of chat completions:
    deprecated, "not compatible with o-series models". Unverified: gpt-5; the text is OpenAI's."""
    if "max_tokens" in body and _REASONS.match(deployment.model):
        raise ApiError(
            400,
            "unsupported_parameter",
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
        )


def _limit_rate(emulator: Emulator, deployment: Deployment, tokens: int) -> None:
    """Refuse what the capacity does not allow within a minute.

    Source: a unit is 1,000 tokens and 6 requests a minute; a fine-tuned deployment of capacity 1
    takes about one request a minute (facts 1.9, 2.3). Unverified: the text; answers do not count.
    """
    calls, now = emulator.state.calls.setdefault(deployment.id, deque()), emulator.now
    while calls and calls[0][0] <= now - _MINUTE:
        calls.popleft()
    most = deployment.capacity * (1 if deployment.job_id else _REQUESTS_PER_UNIT)
    spent = sum(each for _, each in calls)
    if calls and (len(calls) >= most or spent + tokens > deployment.capacity * 1000):
        wait = max(1, round(calls[0][0] + _MINUTE - now))
        message = f"The deployment's rate limit is exceeded. Please retry after {wait} seconds."
        raise ApiError(429, "429", message, {"Retry-After": str(wait)})
    calls.append((now, tokens))


async def _answer(emulator: Emulator, deployment: Deployment, messages: list[Json]) -> Json:
    deployment.last_used_at = emulator.now
    emulator.state.save(deployment)
    if not deployment.job_id:
        return base_answer(messages)
    learned = await emulator.learned(emulator.state.jobs[deployment.job_id])
    return {"role": "assistant", "content": None, "refusal": None} | answer(
        learned.memory, messages
    )


def _cut(emulator: Emulator, said: Json, body: Json) -> tuple[Json, int, str]:
    """Return the message, cut to the tokens asked for, their number, and why it ends."""
    calls = said.get("tool_calls") or said.get("function_call")
    content = said.get("content") or ""
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    tokens = _count(emulator, content) + (_count(emulator, json.dumps(calls)) if calls else 0)
    if isinstance(most, int) and tokens > most and not calls:
        pieces = re.findall(r"\s*\S+", content)
        while pieces and _count(emulator, "".join(pieces)) > most:
            pieces.pop()
        return said | {"content": "".join(pieces)}, most, "length"
    reason = "tool_calls" if said.get("tool_calls") else "function_call" if calls else "stop"
    return said, tokens, reason


def _count(emulator: Emulator, text: str) -> int:
    return max(1, emulator.state.count_tokens(text))


def _completion_id(emulator: Emulator, deployment: Deployment) -> str:
    called = sum(map(len, emulator.state.calls.values()))
    digest = hashlib.sha256(f"{deployment.id} {emulator.now} {called}".encode()).hexdigest()
    return f"chatcmpl-{digest[:29]}"
