"""Signatures of Standard Webhooks: made by whoever tells, checked by whoever is told."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from droptune.domain.errors import SettingsError
from droptune.domain.messages import Message

OLDEST = timedelta(minutes=5)  # Source: standard-webhooks, its libraries' tolerance


def signature_headers(message: Message, *, secrets: str, at: datetime) -> Mapping[str, str]:
    """Return the headers of Standard Webhooks for one try, made at an aware time.

    Args:
        secrets: one secret, or several with spaces between them while keys are changed, each in
            base64, with or without `whsec_`. Raises SettingsError for one that is not.

    Source: standard-webhooks spec 1.0.0: HMAC-SHA256 over `id.timestamp.body`, `v1,<base64>`, a
    list with spaces between.
    """
    timestamp = str(int(at.timestamp()))
    signatures = [_signature(message, timestamp, _key(secret)) for secret in secrets.split()]
    return {
        "webhook-id": message.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def is_signed(body: bytes, headers: Mapping[str, str], *, secret: str, now: datetime) -> bool:
    """Whether a message carries the secret's signature, and is not old.

    Args:
        headers: by lower-case name.
    """
    timestamp = headers.get("webhook-timestamp", "")
    message = Message(id=headers.get("webhook-id", ""), content_type="", body=body)
    try:
        at = datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    expected = _signature(message, timestamp, _key(secret))
    given = headers.get("webhook-signature", "").split()
    is_ours = any(hmac.compare_digest(expected.encode(), each.encode()) for each in given)
    return is_ours and abs(now - at) <= OLDEST


def _signature(message: Message, timestamp: str, key: bytes) -> str:
    content = b".".join((message.id.encode(), timestamp.encode(), message.body))
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise SettingsError(
            "a secret for signing notifications is not base64",
            remedy="Set `whsec_` and 24 to 64 random bytes in base64.",
        )
    return key
