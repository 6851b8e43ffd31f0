"""Webhooks: posts a notification, to nowhere but where the installation says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from droptune.adapters.addresses import AddressRefusedError, guarded_session, refuse_address
from droptune.adapters.deadline import Deadline
from droptune.adapters.failures import is_transient, retry_after
from droptune.domain.errors import DroptuneError, RequestRejectedError, TransientError
from droptune.domain.messages import Message
from droptune.domain.outbox import LOCAL_TARGET

_CONNECT_SECONDS, _READ_SECONDS = 5, 20  # Source: standard-webhooks spec 1.0.0: 15 to 30 s
_SECONDS = 30
_PREFIX = "NOTIFY_"


class RequestsWebhooks:
    """Posts messages to the URLs in app settings whose names begin with NOTIFY_.

    URLs are secrets (Slack's and Teams' carry the right to post), so no error shows one. Of an
    answer only status and Retry-After are read. Redirects and proxies of the environment are not
    followed.
    """

    def __init__(
        self, settings: Mapping[str, str], *, local: bool = False, seconds: float = _SECONDS
    ) -> None:
        """Take the app settings that begin with NOTIFY_.

        Args:
            local: an installation on a laptop, whose NOTIFY_LOCAL, and no other setting, may lead
                to this machine, without TLS.
            seconds: how long one post may take in all.
        """
        self._settings = {k: v for k, v in settings.items() if k.startswith(_PREFIX)}
        self._local = local
        self._seconds = seconds

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """Post a message once; returns for a 2xx.

        Raises RequestRejectedError for a target that is not allowed and for any other status that
        a later try seldom cures, TransientError for the rest. The outbox tries again after both.
        """
        from requests import RequestException

        local = self._local and url_setting == LOCAL_TARGET
        parts = self._target(url_setting, local=local)
        try:
            with (
                Deadline(self._seconds) as deadline,
                guarded_session(local=local, deadline=deadline) as session,
                session.post(
                    parts.geturl(),
                    data=message.body,
                    headers={"Content-Type": message.content_type, **headers},
                    timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                    allow_redirects=False,
                    stream=True,  # the body is never read
                ) as answer,
            ):
                status, said = answer.status_code, dict(answer.headers)
        except AddressRefusedError as refused:
            raise _not_allowed(url_setting, str(refused)) from None
        except RequestException as error:
            kind = type(error).__name__
            raise TransientError(f"notifying through {url_setting}: {kind}") from None
        if not 200 <= status < 300:
            raise _failure(url_setting, status, said)

    def _target(self, url_setting: str, *, local: bool) -> SplitResult:
        """Return the URL to post to, once everything about it that can be known before is."""
        url = self._settings.get(url_setting, "").strip()
        if not url:
            raise _not_allowed(url_setting, "there is no such setting")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 443
        except ValueError:
            raise _not_allowed(url_setting, "its value is not a URL") from None
        if parts.username or parts.password:
            raise _not_allowed(url_setting, "its URL holds a user's name or password")
        if not host or parts.scheme not in ("http", "https"):
            raise _not_allowed(url_setting, "its value is not an https URL")
        if parts.scheme == "http":
            if not local:
                raise _not_allowed(url_setting, "its URL is not https")
            port = parts.port or 80
        try:
            refuse_address(host, port, local=local, tls=parts.scheme == "https")
        except AddressRefusedError as refused:
            raise _not_allowed(url_setting, str(refused)) from None
        except OSError:
            raise TransientError(f"notifying through {url_setting}: no such host") from None
        return parts


def _failure(url_setting: str, status: int, headers: Mapping[str, Any]) -> DroptuneError:
    said = f"notifying through {url_setting}: {status}"
    if is_transient(status):
        wait = retry_after(headers, datetime.now(UTC))
        return TransientError(said, status=status, retry_after=wait)
    remedy = "Check the URL in the setting; redirects are not followed."
    return RequestRejectedError(said, status=status, remedy=remedy)


def _not_allowed(url_setting: str, why: str) -> RequestRejectedError:
    return RequestRejectedError(
        f"notifying through {url_setting}: {why}",
        code="notification-target",
        remedy=f"Set {url_setting} to an https URL of a public host.",
    )
