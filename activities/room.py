"""Room at the service: places for deployments, and refusals that mean "full"."""

from __future__ import annotations

from collections.abc import Sequence

from droptune.domain.deployment import Deployment
from droptune.domain.errors import DroptuneError, RequestRejectedError, TransientError

_FULL = frozenset({"quotaexceeded", "insufficientquota", "insufficientresources"})


def is_full(error: DroptuneError) -> bool:
    """Whether a refusal means that there is no room now, which waiting cures."""
    code = error.service_code if isinstance(error, RequestRejectedError | TransientError) else ""
    return code.casefold() in _FULL


def lacking_for_deployments(deployments: Sequence[Deployment], wanted: int, *, most: int) -> str:
    """Return why so many more fine-tuned models cannot be deployed now, or ""."""
    taken = sum(".ft-" in deployment.model for deployment in deployments)
    if taken + wanted > most:
        return (
            f"{taken} fine-tuned models are deployed, {wanted} more are wanted, and Azure takes "
            f"{most}; delete what is not used."
        )
    return ""
