"""Credentials, versions, and what is not emulated."""

from __future__ import annotations

import pytest
import requests

from tests.emulator.resources import KEY, PREVIEW, Resource


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"api-key": "wrong"}, 401),
        ({"Authorization": KEY}, 401),
        ({"Authorization": f"Bearer {KEY}x"}, 401),
        ({"api-key": KEY}, 200),
        ({"Authorization": f"Bearer {KEY}"}, 200),
    ],
)
def test_both_credentials_are_taken_and_nothing_else(
    resource: Resource, headers: dict[str, str], status: int
) -> None:
    """A key as `api-key` or as a bearer token; without it, 401 and a request id."""
    answer = requests.get(f"{resource.url}/openai/v1/models", headers=headers, timeout=30)

    assert answer.status_code == status
    assert answer.headers["apim-request-id"]


def test_controls_need_the_key_too(resource: Resource) -> None:
    """The ledger is nobody's but the owner's."""
    assert requests.get(f"{resource.url}/emulator/ledger", timeout=30).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/openai/v1/files", 200),
        ("/openai/v1/files?api-version=preview", 200),
        (f"/openai/v1/files?api-version={PREVIEW}", 400),
        (f"/openai/files?api-version={PREVIEW}", 200),
        ("/openai/files", 404),
        ("/openai/files?api-version=2022-01-01", 404),
        ("/openai/v1/responses", 501),
        ("/openai/v1/fine_tuning/jobs/a/checkpoints/b/copy", 501),
        ("/subscriptions/a/providers/Microsoft.Storage?api-version=1", 501),
        ("/elsewhere", 404),
    ],
)
def test_versions_and_paths(resource: Resource, path: str, status: int) -> None:
    """A surface takes its own versions; what is not emulated is 501 and says so."""
    answer = resource.send("GET", path)

    assert answer.status_code == status
    if status == 501:
        assert "does not emulate" in answer.json()["error"]["message"]


def test_error_has_a_type_on_v1_only(resource: Resource) -> None:
    """The two surfaces write errors differently."""
    new = resource.send("GET", "/openai/v1/files/x").json()["error"]
    old = resource.send("GET", f"/openai/files/x?api-version={PREVIEW}").json()["error"]

    assert new == old | {"type": "error"}


def test_settings_are_shown_and_changed(resource: Resource) -> None:
    """Durations and limits can be set; a wrong name or value is refused."""
    for wrong in ({"unknown": 1}, {"queue_seconds": "x"}, {"queue_seconds": -1}):
        assert resource.send("PATCH", "/emulator/settings", json=wrong).status_code == 400

    resource.settings(queue_seconds=7)

    assert resource.send("GET", "/emulator/settings").json()["queue_seconds"] == 7


@pytest.mark.parametrize("seconds", [-1, "x", None, 1e12])
def test_clock_goes_forward_only(resource: Resource, seconds: object) -> None:
    """The clock can be put forward by a number of seconds and by nothing else."""
    before = resource.send("GET", "/emulator/clock").json()

    answer = resource.send("POST", "/emulator/clock/advance", json={"seconds": seconds})

    assert answer.status_code == 400
    assert resource.send("GET", "/emulator/clock").json() == before


def test_advancing_moves_the_clock(resource: Resource) -> None:
    """The answer is the time after it."""
    file = resource.upload()

    resource.send("POST", "/emulator/clock/advance", json={"seconds": 60})

    assert resource.v1.files.retrieve(file.id).status == "processed"
