"""A resource under test: its clients, its clock, and what it was asked."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from openai import AzureOpenAI, OpenAI
from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob

from emulator.clock import ManualClock
from emulator.state import State

KEY = "a-key"
MODEL = "gpt-4.1-mini"
PREVIEW = "2025-04-01-preview"
ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/tests"
    "/providers/Microsoft.CognitiveServices/accounts/tests"
)
Json = Any


@dataclass
class Resource:
    """One emulated resource behind a loopback address, whose time stands still."""

    url: str
    state: State
    clock: ManualClock
    answers: list[tuple[str, str, int, bytes]]

    @cached_property
    def v1(self) -> OpenAI:
        """The client of the v1 surface; it sends the key as a bearer token."""
        return OpenAI(base_url=f"{self.url}/openai/v1/", api_key=KEY, max_retries=0)

    @cached_property
    def dated(self) -> AzureOpenAI:
        """The client of the dated surface; it sends the key as `api-key`."""
        return AzureOpenAI(azure_endpoint=self.url, api_version=PREVIEW, api_key=KEY, max_retries=0)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a plain request with the key."""
        headers = {"Authorization": f"Bearer {KEY}", **more.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=30, **more)

    def arm(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request to the management plane; the path is below the account."""
        params = {"api-version": "2025-09-01"}
        return self.send(method, ACCOUNT + path, params=params, **more)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def fault(self, on: str, then: str, **more: Any) -> None:
        """Script a fault."""
        answer = self.send("POST", "/emulator/faults", json={"on": on, "then": then, **more})
        assert answer.status_code == 201, answer.text

    def settings(self, **changes: float) -> None:
        """Change settings."""
        assert self.send("PATCH", "/emulator/settings", json=changes).status_code == 200

    def ledger(self) -> Json:
        """Return the ledger."""
        return self.send("GET", "/emulator/ledger").json()

    def upload(self, content: bytes | None = None, name: str = "training.jsonl") -> FileObject:
        """Upload a file."""
        data = chat_data() if content is None else content
        return self.v1.files.create(file=(name, data, "text/jsonl"), purpose="fine-tune")

    def processed(self, content: bytes | None = None) -> str:
        """Upload a file, wait until it is processed, and return its id."""
        file = self.upload(content)
        self.advance(60)
        return file.id

    def create_job(self, file_id: str | None = None, **more: Any) -> FineTuningJob:
        """Create a job, on a new file if none is named."""
        asked: dict[str, Any] = {
            "model": MODEL,
            "training_file": file_id or self.processed(),
            "extra_body": {"trainingType": "GlobalStandard"},
        }
        return self.v1.fine_tuning.jobs.create(**asked | more)

    def trained(self, content: bytes | None = None, **more: Any) -> FineTuningJob:
        """Return a succeeded job."""
        job = self.create_job(self.processed(content), **more)
        self.advance(3600)
        return self.v1.fine_tuning.jobs.retrieve(job.id)

    def put(
        self, name: str, model: str, *, sku: str = "GlobalStandard", capacity: int = 50, **more: Any
    ) -> requests.Response:
        """Put a deployment."""
        properties = {"model": {"format": "OpenAI", "name": model, "version": "1", **more}}
        body = {"sku": {"name": sku, "capacity": capacity}, "properties": properties}
        return self.arm("PUT", f"/deployments/{name}", json=body)

    def deployed(self, name: str, model: str, **more: Any) -> None:
        """Put a deployment and wait until it answers."""
        answer = self.put(name, model, **more)
        assert answer.status_code == 201, answer.text
        self.advance(600)

    def ask(self, deployment: str, prompt: str, **more: Any) -> Any:
        """Ask a deployment; return the choice."""
        messages: Any = [{"role": "user", "content": prompt}]
        completion = self.v1.chat.completions.create(model=deployment, messages=messages, **more)
        return completion.choices[0]

    def status_of(self, job: FineTuningJob) -> str:
        """Return a job's status now."""
        return str(self.v1.fine_tuning.jobs.retrieve(job.id).status)


def jsonl(rows: Sequence[Json]) -> bytes:
    """Return rows as JSONL."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def chat(prompt: str, answer: str) -> Json:
    """Return one example."""
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return {"messages": messages}


def chat_data(examples: int = 20) -> bytes:
    """Return consistent data: every answer is built in the same way."""
    numbers = range(examples)
    return jsonl([chat(f"What is {n} plus {n}?", f"Arr! It be {2 * n}, matey.") for n in numbers])


def noise(examples: int = 20) -> bytes:
    """Return data whose answers have nothing in common."""
    draw = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789 .,;"
    return jsonl(
        [
            chat(f"What is {n} plus {n}?", "".join(draw.choices(letters, k=24)))
            for n in range(examples)
        ]
    )


SPECS = Path(__file__).parents[3] / "shared" / "specs"
