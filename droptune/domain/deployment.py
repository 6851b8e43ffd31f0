"""A model deployment and what Azure Resource Manager tells of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from droptune.domain.payload import Model


class DeploymentState(StrEnum):
    """provisioningState. Source: arm-cognitiveservices 2026-07-01 types; extensible."""

    ACCEPTED = "Accepted"
    CREATING = "Creating"
    DELETING = "Deleting"
    MOVING = "Moving"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    DISABLED = "Disabled"
    CANCELED = "Canceled"
    UNRECOGNISED = "Unrecognised"

    @classmethod
    def _missing_(cls, value: object) -> DeploymentState:
        return cls.UNRECOGNISED

    @property
    def is_beginning(self) -> bool:
        """Whether the deployment is being made."""
        return self in (DeploymentState.ACCEPTED, DeploymentState.CREATING)

    @property
    def has_failed(self) -> bool:
        """Whether it will never answer."""
        return self in (DeploymentState.FAILED, DeploymentState.CANCELED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment(Model):
    """A deployment of a model; `sku` is Azure's name, `capacity` thousands of tokens a minute."""

    name: str
    model: str
    sku: str
    capacity: int
    state: DeploymentState
    version: str = "1"
    created_at: datetime | None = None
    error_code: str = ""
    error_message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentRequest(Model):
    """What is PUT; the name is derived from the run, so that a repeated PUT is the same
    deployment."""

    name: str
    model: str
    sku: str
    capacity: int
    version: str = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Account(Model):
    """The Azure OpenAI account: where it is and what it answers at."""

    location: str
    endpoint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountModel(Model):
    """A model that the account offers.

    Attributes:
        fine_tune: whether the account says that the model can be fine-tuned; None: it does not say.
        skus: deployment SKUs of the model.
        fine_tune_until, inference_until: deprecation dates, where given.
    """

    name: str
    version: str
    fine_tune: bool | None = None
    skus: tuple[str, ...] = ()
    lifecycle: str = ""
    fine_tune_until: datetime | None = None
    inference_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Capacity(Model):
    """What is open for one SKU in one location, in units of capacity; None: not stated."""

    sku: str
    location: str
    available: int | None = None
    available_fine_tune: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatAnswer(Model):
    """A chat completion; `content` is text, or the tool calls as JSON text when there is none."""

    content: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    finish_reason: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)
