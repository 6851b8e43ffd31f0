"""Keys and tokens in configuration files: refused, and repeated nowhere."""

from __future__ import annotations

import pytest

from tests.domain.configurations import a_file, refused, resolved

A = "Ab3" * 30
SECRETS = [
    f"sk-{A[:30]}",
    f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={A[:86]}==",
    f"Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=r;SharedAccessKey={A[:43]}=",
    f"https://a.blob.core.windows.net/c/b?sp=r&sig={A[:40]}",
    f"eyJ{A[:20]}.{A[:30]}.{A[:20]}",
    f"Bearer {A[:40]}",
    f"{A[:52]}JQQJ99{A[:26]}",
    f"{A[:86]}==",
    f"ghp_{A[:36]}",
    "AKIA" + "ABCD" * 4,
    "xoxb-1234567890-abcdef",
    "https://hooks.slack.com/services/T0/B0/x",
    "-----BEGIN RSA PRIVATE KEY-----",
    "https://user:pass@example.com",
]
INNOCENT = [
    "Trained on the tickets of May; ask the desk for the key.",
    "https://example.com/a?page=2",
    "support-bot",
    "d41d8cd98f00b204e9800998ecf8427e",
    "gpt-4o-2024-08-06.ft-0123456789abcdef0123456789abcdef-support",
    "task-runner-with-a-long-name-2026",
    "Bearer of good news",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["text", "deep", "key", "wrong value"])
def test_secret_is_refused_and_never_repeated(secret: str, place: str) -> None:
    """A key that was pasted into a file, wherever, shows in no finding."""
    file = {
        "text": a_file(description=f"see {secret}"),
        "deep": a_file(extra_body={"a": [{"b": secret}]}),
        "key": a_file(metadata={secret: "x"}),
        "wrong value": a_file(seed=secret),
    }[place]

    findings = refused(job=file)

    assert "secret" in [found.rule for found in findings]
    assert secret not in "".join(map(str, findings))
    assert A[:20] not in "".join(map(str, findings))


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "API-KEY", "password", "client_secret", "hf_token", "credential"]
)
def test_name_of_a_secret_is_enough(name: str) -> None:
    """What is called a password is one, whatever it looks like."""
    [found] = refused(job=a_file(extra_body={name: "tiny"}))

    assert (found.rule, found.path) == ("secret", f"extra_body.{name}")
    assert "tiny" not in str(found)


@pytest.mark.parametrize("text", INNOCENT)
def test_ordinary_text_is_no_secret(text: str) -> None:
    """Names, hashes, models and sentences pass."""
    assert resolved(job=a_file(description=text, metadata={"note": text})).description == text


@pytest.mark.parametrize("key", ["max_tokens", "tokenizer", "keyboard", "secretary"])
def test_ordinary_key_is_no_secret(key: str) -> None:
    """A word that only contains the name of a secret passes."""
    assert resolved(job=a_file(metadata={key: "100"})).metadata == {key: "100"}


def test_finding_shows_no_control_characters() -> None:
    """A hostile key cannot write to a terminal."""
    [found] = refused(job=a_file(**{"\x1b[31mred": 1}))

    assert str(found).isprintable()
