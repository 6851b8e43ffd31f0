"""When base models retire, as the account says; asked once an hour and never waited for long."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from datetime import datetime, timedelta

from droptune.domain.deployment import AccountModel
from droptune.domain.errors import DroptuneError
from droptune.domain.services import Clock, ResourceManager

_KEEP_FOR = timedelta(hours=1)
_RETRY_AFTER = timedelta(minutes=5)
_PATIENCE_SECONDS = 2.0


class RetirementDates:
    """Answers when inference with a base model ends; None when the account does not say."""

    def __init__(
        self,
        resource_manager: ResourceManager,
        clock: Clock,
        *,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """Ask this account, and wait for its answer only so long."""
        self._resource_manager, self._clock = resource_manager, clock
        self._patience_seconds = patience_seconds
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="retirement")
        self._lock = threading.Lock()
        self._answer: Future[Sequence[AccountModel]] | None = None
        self._ask_again_at: datetime | None = None

    def __call__(self, model: str) -> datetime | None:
        """Return the date for a model's name, or for the base of a fine-tuned one."""
        base = model.split(".ft-")[0]
        for each in self._models():
            if base in (each.name, f"{each.name}-{each.version}") and each.inference_until:
                return each.inference_until
        return None

    def close(self) -> None:
        """Wait for what was asked; nothing more is asked."""
        self._asking.shutdown()

    def _models(self) -> Sequence[AccountModel]:
        now = self._clock.now()
        with self._lock:
            if self._answer is None or self._ask_again_at is None or now >= self._ask_again_at:
                self._answer = self._asking.submit(self._resource_manager.list_models)
                self._ask_again_at = now + _KEEP_FOR
            answer = self._answer
        try:
            return answer.result(timeout=self._patience_seconds)
        except TimeoutError:
            return ()
        except DroptuneError:
            with self._lock:
                self._ask_again_at = min(self._ask_again_at or now, now + _RETRY_AFTER)
            return ()
