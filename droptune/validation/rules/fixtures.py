"""Small pieces of examples, from which rules' fixtures are written."""

from __future__ import annotations

from typing import Any


def user(content: Any = "What is the biggest ocean?", **more: Any) -> dict[str, Any]:
    """Return a user's message."""
    return {"role": "user", "content": content, **more}


def assistant(content: Any = "The Pacific.", **more: Any) -> dict[str, Any]:
    """Return an assistant's message."""
    return {"role": "assistant", "content": content, **more}


def system(content: Any = "Answer in few words.", **more: Any) -> dict[str, Any]:
    """Return a system message."""
    return {"role": "system", "content": content, **more}


def chat(*messages: Any, **top: Any) -> dict[str, Any]:
    """Return a chat example; one question and its answer where nothing else is given."""
    return {"messages": list(messages) or [user(), assistant()], **top}


def call(arguments: Any = "{}", *, id: str = "call_1", name: str = "look_up") -> dict[str, Any]:
    """Return a tool call."""
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: Any) -> dict[str, Any]:
    """Return an assistant's message that calls tools."""
    return {"role": "assistant", "tool_calls": list(calls) or [call()]}


def answer(id: str = "call_1", content: str = "found") -> dict[str, Any]:
    """Return a tool's answer."""
    return {"role": "tool", "tool_call_id": id, "content": content}


def tool(name: str = "look_up", **function: Any) -> dict[str, Any]:
    """Return the description of a tool."""
    parameters = {"type": "object", "properties": {"q": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters} | function}


def image(url: str = "https://example.com/a.png", **more: Any) -> dict[str, Any]:
    """Return a part that shows an image."""
    return {"type": "image_url", "image_url": {"url": url, **more}}


def text(content: Any = "What is this?") -> dict[str, Any]:
    """Return a text part."""
    return {"type": "text", "text": content}


def pair(
    preferred: Any = None, other: Any = None, *, prompt: Any = None, **top: Any
) -> dict[str, Any]:
    """Return a preference pair."""
    return {
        "input": {"messages": prompt if prompt is not None else [user()]},
        "preferred_output": preferred if preferred is not None else [assistant()],
        "non_preferred_output": other if other is not None else [assistant("No idea.")],
        **top,
    }
