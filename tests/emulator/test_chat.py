"""Chat completions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, RateLimitError

from tests.emulator.resources import MODEL, Resource, chat_data, jsonl

ASK: Any = [{"role": "user", "content": "What is the weather in Oslo?"}]


def tool_data(examples: int = 12) -> bytes:
    """Return examples that call a tool."""
    rows = []
    for n in range(examples):
        function = {"name": "get_weather", "arguments": json.dumps({"city": f"City{n}"})}
        call = {"id": "call_1", "type": "function", "function": function}
        ask = {"role": "user", "content": f"What is the weather in City{n}?"}
        rows.append({"messages": [ask, {"role": "assistant", "tool_calls": [call]}]})
    return jsonl(rows)


def test_base_deployment_answers_from_the_start(resource: Resource) -> None:
    """A resource begins with deployments of its base models."""
    completion = resource.v1.chat.completions.create(model=MODEL, messages=ASK)

    assert completion.choices[0].message.content
    assert completion.usage is not None
    assert completion.usage.total_tokens == (
        completion.usage.prompt_tokens + completion.usage.completion_tokens
    )


def test_dated_surface_names_the_deployment_in_the_path(resource: Resource) -> None:
    """The older client reaches the same deployment."""
    old = resource.dated.chat.completions.create(model=MODEL, messages=ASK)
    new = resource.v1.chat.completions.create(model=MODEL, messages=ASK)

    assert old.choices[0].message.content == new.choices[0].message.content


def test_tools_are_called_as_in_the_data(resource: Resource) -> None:
    """A model that learned to call a tool calls it, with the words of the question."""
    model = resource.trained(tool_data()).fine_tuned_model
    assert model is not None
    resource.deployed("tools", model)

    choice = resource.ask("tools", "What is the weather in Oslo?")

    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Oslo"}


def test_long_answer_is_cut(resource: Resource) -> None:
    """The answer ends where the tokens do, and says so."""
    choice = resource.ask(MODEL, "Hello?", max_completion_tokens=3)

    assert choice.finish_reason == "length"
    assert len(choice.message.content.split()) <= 3


def test_model_that_reasons_refuses_the_old_limit(resource: Resource) -> None:
    """`max_tokens` is for older models alone; its successor is for all."""
    resource.put("thinker", "o4-mini", version="2025-04-16")
    resource.advance(600)

    with pytest.raises(BadRequestError) as refused:
        resource.ask("thinker", "Hello?", max_tokens=3)

    assert refused.value.code == "unsupported_parameter"
    assert resource.ask("thinker", "Hello?", max_completion_tokens=3)


def test_unknown_deployment_is_not_found(resource: Resource) -> None:
    """A model's name is no deployment's."""
    with pytest.raises(NotFoundError) as refused:
        resource.ask("gpt-4.1-mini-2025-04-14", "Hello?")

    assert refused.value.code == "DeploymentNotFound"


def test_capacity_one_takes_one_request_a_minute(resource: Resource) -> None:
    """The second call is asked to wait, and after that wait it is answered."""
    model = resource.trained(chat_data()).fine_tuned_model
    assert model is not None
    resource.deployed("d", model, capacity=1)
    resource.ask("d", "Hello?")

    with pytest.raises(RateLimitError) as refused:
        resource.ask("d", "Hello?")
    wait = int(refused.value.response.headers["retry-after"])
    resource.advance(wait)

    assert 0 < wait <= 60
    assert resource.ask("d", "Hello?")


@pytest.mark.parametrize(
    "body", [{"messages": []}, {"messages": "x"}, {"messages": [{}]}, {"tools": {}}, {}]
)
def test_impossible_request_is_refused(resource: Resource, body: Any) -> None:
    """Messages are needed, each with a role."""
    with pytest.raises(BadRequestError):
        resource.v1.chat.completions.create(model=MODEL, messages=[], extra_body=body)


@pytest.mark.parametrize("more", [{"stream": True}, {"n": 2}])
def test_streams_and_choices_are_not_emulated(resource: Resource, more: Any) -> None:
    """What is not emulated is 501."""
    with pytest.raises(APIStatusError) as refused:
        resource.v1.chat.completions.create(model=MODEL, messages=ASK, **more)

    assert refused.value.status_code == 501
