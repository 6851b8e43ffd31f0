"""The names that make everything happen once: stable for ever, and within the limits of Azure."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.domain import identity
from droptune.domain.identity import run_digest, training_digest

TRAINING = "c8926e683a52c5790758ce8961b972d2c821a92b69552419fc35777572d73194"
RUN = "ea9887bd267959280f12d879f09aa463dd5b719d22aaae0115cc55bc1a8b83a7"
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


def a_training(**changed: Any) -> str:
    given_: dict[str, Any] = {
        "project": "bot",
        "content": {"training": "aa", "validation": "bb", "test": "cc"},
        "training_as_written": {"model": "gpt-4o", "seed": 105},
    }
    return training_digest(**(given_ | changed))


def a_run(**changed: Any) -> str:
    given_: dict[str, Any] = {
        "training": TRAINING,
        "version": "v1",
        "test": "cc",
        "rest_as_written": {"name": "x"},
    }
    return run_digest(**(given_ | changed))


def test_digests_never_change() -> None:
    """A release that changed them would train everything anew; these two are for ever."""
    assert a_training() == TRAINING
    assert a_run() == RUN


def test_digest_is_that_of_canonical_json() -> None:
    """Anybody can compute it: sorted keys, no white space, UTF-8."""
    assert identity.canonical({"b": [1, None], "a": {"ü": 0.5}}) == (
        '{"a":{"ü":0.5},"b":[1,null]}'.encode()
    )
    assert identity.digest({}) == (
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"project": "Bot"},
        {"content": {"training": "ab", "validation": "bb"}},
        {"content": {"training": "aa"}},
        {"content": {"training": "bb", "validation": "aa"}},
        {"training_as_written": {"model": "gpt-4o"}},
        {"training_as_written": {"model": "gpt-4o", "seed": 106}},
        {"training_as_written": {"model": "gpt-4o", "seed": 105, "method": {"type": "dpo"}}},
        {"again": 2},
    ],
)
def test_what_changes_the_training_is_another_paid_job(changed: Any) -> None:
    """Project, content by role, model, method, seed, extra_body, and a wish to train anew."""
    assert a_training(**changed) != TRAINING


@pytest.mark.parametrize(
    "same",
    [
        {"content": {"training": "aa", "validation": "bb"}},
        {"content": {"validation": "bb", "training": "aa", "test": "dd"}},
        {"training_as_written": {"seed": 105, "model": "gpt-4o"}},
        {"again": 1},
    ],
)
def test_what_does_not_change_the_training_is_the_same_paid_job(same: Any) -> None:
    """Test data, the order of keys, and the first wish are no part of it."""
    assert a_training(**same) == TRAINING


@pytest.mark.parametrize(
    "changed",
    [
        {"training": "0" * 64},
        {"version": "V1"},
        {"test": "dd"},
        {"test": None},
        {"rest_as_written": {}},
        {"rest_as_written": {"name": "y"}},
        {"attempt": 2},
    ],
)
def test_what_changes_a_run_is_another_run(changed: Any) -> None:
    """The training, the exact version, test data, the rest of the configuration, the attempt."""
    assert a_run(**changed) != RUN


def test_first_attempt_is_the_run_itself() -> None:
    """Only repetitions enter the digest."""
    assert a_run(attempt=1) == RUN
    assert len({a_run(attempt=attempt) for attempt in range(1, 6)}) == 5


@pytest.mark.parametrize(
    ("project", "version", "expected"),
    [
        ("bot", "v1", "bot-v1-01234567"),
        ("Support.Bot_2", "2026-10-06", "support-bot-2-2026-10-06-01234567"),
        ("p" * 64, "v" * 64, f"{'p' * 40}-{'v' * 40}-01234567"),
        ("-", "a.", "x-a-01234567"),
    ],
)
def test_run_id_is_readable(project: str, version: str, expected: str) -> None:
    """A person sees project and version in it."""
    assert identity.run_id(project, version, "0123456789abcdef") == expected


@given(st.text(min_size=1), st.text(min_size=1), HEX)
def test_run_id_is_an_instance_id(project: str, version: str, run: str) -> None:
    """At most 90 of `[a-z0-9-]`, whatever the names: Durable takes 100."""
    made = identity.run_id(project, version, run)

    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,89}", made)
    assert made.endswith(f"-{run[:8]}")


@pytest.mark.parametrize(
    ("suffix", "attempt", "expected"),
    [
        (None, 1, "0123456789abcdef"),
        ("", 1, "0123456789abcdef"),
        ("support", 1, "support-0123456789abcdef"),
        ("support", 2, "support-0123456789abcdef-2"),
        ("s" * 64, 1, f"{'s' * 20}-0123456789abcdef"),
        ("s" * 64, 999, f"{'s' * 19}-0123456789abcdef-999"),
    ],
)
def test_suffix_of_a_job_carries_the_mark(suffix: str | None, attempt: int, expected: str) -> None:
    """The user's suffix, cut, then 16 hex of the training digest, then the attempt."""
    assert identity.job_suffix(suffix, "0123456789abcdef" * 4, attempt) == expected


@given(st.text("abcXYZ019_-", max_size=64), HEX, st.integers(1, 9999))
def test_suffix_of_a_job_is_one_that_the_service_takes(
    suffix: str, training: str, attempt: int
) -> None:
    """At most 40 of `[A-Za-z0-9_-]`. Source: the dated contract."""
    made = identity.job_suffix(suffix, training, attempt)

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", made)
    assert made.endswith(identity.mark(training, attempt))


@given(st.text(), HEX, st.sampled_from(["", "candidate"]), st.integers(0, 99))
def test_deployment_name_is_one_that_azure_takes(
    name: str, run: str, purpose: str, made_again: int
) -> None:
    """At most 64 of `[a-z0-9-]`, and it says whose it is."""
    made = identity.deployment_name(name, run, purpose, made_again)

    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,63}", made)
    assert identity.is_deployment_of(made, run)


def test_deployment_names_of_a_run_differ_by_purpose() -> None:
    """Candidate and production live side by side; one made again has a name of its own."""
    digest = "0123456789abcdef" * 4

    assert identity.deployment_name("Bot", digest) == "bot-0123456789ab"
    assert identity.deployment_name("Bot", digest, "candidate") == "bot-0123456789ab-candidate"
    assert identity.deployment_name("Bot", digest, made_again=2) == "bot-0123456789ab-2"
    assert not identity.is_deployment_of("bot-0123456789ab", "1" * 64)


@pytest.mark.parametrize(
    ("name", "following"),
    [
        ("bot-0123456789ab", "bot-0123456789ab-1"),
        ("bot-0123456789ab-1", "bot-0123456789ab-2"),
        ("bot-0123456789ab-9", "bot-0123456789ab-10"),
        ("bot-123456789012", "bot-123456789012-1"),
        ("bot", "bot-1"),
    ],
)
def test_deployment_made_again_counts_on(name: str, following: str) -> None:
    """A deployment is immutable, so the next one has the next name."""
    assert identity.next_name(name) == following


def test_file_is_found_by_its_content() -> None:
    """The name carries the role and the hash, and the ending that the service asks for."""
    assert identity.file_name("training", "ab" * 32) == f"droptune-training-{'ab' * 16}.jsonl"
