"""Call the current model of a Droptune project, and go on calling while that model changes.

    DROPTUNE_APP=https://<app> DROPTUNE_KEY=<function key> AZURE_OPENAI_API_KEY=<key> \\
        python caller.py support-bot "How long should I steep Harbour Green?"
With Microsoft Entra ID pass `azure.identity.get_bearer_token_provider(…)` as `api_key`.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import requests
from openai import NotFoundError, OpenAI


class CurrentModel:
    """The champion of a project; threads may share it.

    The pointer is kept for as long as the app allows, then asked for again with its ETag. While the
    app is away the last pointer holds: a replaced deployment lives for twice that time at least.
    Should a deployment be gone all the same, the pointer is read at once.
    """

    def __init__(
        self, app: str, project: str, *, key: str, api_key: str | Callable[[], str],
        longest_seconds: float = 300,
    ) -> None:  # fmt: skip
        self._url = f"{app.rstrip('/')}/api/projects/{project}/champion"
        self._headers = {"x-functions-key": key}
        self._api_key, self._longest = api_key, longest_seconds
        self._known: tuple[OpenAI, str] | None = None
        self._fresh_until, self._looking = 0.0, Lock()

    def ask(self, messages: list[Any], **options: Any) -> Any:
        """Return the chat completion of whatever model is current."""
        client, deployment = self._current()
        try:
            return client.chat.completions.create(model=deployment, messages=messages, **options)
        except NotFoundError:
            client, deployment = self._look()
            return client.chat.completions.create(model=deployment, messages=messages, **options)

    def _current(self) -> tuple[OpenAI, str]:
        is_fresh = time.monotonic() < self._fresh_until
        if self._known and (is_fresh or self._looking.locked()):  # while one looks, others go on
            return self._known
        with self._looking:
            return self._look()

    def _look(self) -> tuple[OpenAI, str]:
        try:
            answer = requests.get(self._url, headers=self._headers, timeout=5)
            answer.raise_for_status()
        except requests.RequestException:
            if self._known is None:
                raise
            self._fresh_until = time.monotonic() + min(5, self._longest)
            return self._known
        allowed = re.search(r"max-age=(\d+)", answer.headers.get("Cache-Control", "max-age=0"))
        self._fresh_until = time.monotonic() + min(int(allowed[1]), self._longest) if allowed else 0
        if answer.status_code != 304 or self._known is None:
            champion, self._headers["If-None-Match"] = answer.json(), answer.headers["ETag"]
            base_url = champion["endpoint"].rstrip("/") + "/openai/v1/"
            self._known = OpenAI(base_url=base_url, api_key=self._api_key), champion["deployment"]
        return self._known


if __name__ == "__main__":
    app, key, api_key = (os.environ.get(name, "") for name in
                         ("DROPTUNE_APP", "DROPTUNE_KEY", "AZURE_OPENAI_API_KEY"))  # fmt: skip
    model = CurrentModel(app, sys.argv[1], key=key, api_key=api_key)
    said = model.ask([{"role": "user", "content": sys.argv[2]}], max_completion_tokens=500)
    sys.stdout.write(f"{said.choices[0].message.content}\n")
