"""The resolved configuration, as steps use it and as it is stored with the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from droptune.domain.payload import Model

GLOBAL_STANDARD = "GlobalStandard"


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget(Model):
    """US dollars; None: no limit of its own. Hosting 0: nothing billed by the hour is created."""

    run_usd: float | None = None
    hosting_usd_month: float | None = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval(Model):
    """When a person is asked, and for how many hours."""

    training: str = "over_budget"
    promotion: str = "replace"
    timeout_hours: float = 72


@dataclass(frozen=True, kw_only=True, slots=True)
class Allow(Model):
    """What the installation and the files together allow; None allows everything."""

    models: tuple[str, ...] | None = None
    training_types: tuple[str, ...] | None = None
    skus: tuple[str, ...] | None = None
    capacity: int | None = None

    def allows_sku(self, sku: str) -> bool:
        """Whether a deployment may have a SKU, case ignored."""
        return self.skus is None or sku.casefold() in (each.casefold() for each in self.skus)


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationChoice(Model):
    """Rules that are left out, those that count as worse, and personal data that may be there."""

    min_examples: int = 10
    ignore: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentChoice(Model):
    """A SKU (`auto` only for the candidate) and its capacity, thousands of tokens a minute."""

    sku: str
    capacity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Deploy(Model):
    """The candidate that is tried, and the deployment that callers use; None: never promoted."""

    candidate: DeploymentChoice = DeploymentChoice(sku="auto", capacity=100)
    production: DeploymentChoice | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SmokeTest(Model):
    """The messages that a new deployment is asked."""

    messages: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Polling(Model):
    """How often the job is looked at, in seconds, and when silence is announced."""

    first_seconds: float = 30
    longest_seconds: float = 600
    stalled_after_hours: float = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention(Model):
    """How long a replaced champion stays warm."""

    rollback_hours: float = 48


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification(Model):
    """Where and in which shape to tell; the address stands in a setting, never in a file."""

    url_setting: str
    format: str = "cloudevents"
    events: tuple[str, ...] = ("run.*",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline(Model):
    """Droptune's own keys."""

    budget: Budget = Budget()
    allow: Allow = Allow()
    approval: Approval = Approval()
    validation: ValidationChoice = ValidationChoice()
    deploy: Deploy = Deploy()
    smoke_test: SmokeTest | None = None
    polling: Polling = Polling()
    retention: Retention = Retention()
    notify: tuple[Notification, ...] = ()
    mode: str = "run"


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration(Model):
    """One resolved document.

    Attributes:
        method: as it is sent; None leaves the service's default (supervised, everything auto).
        training_file, validation_file: names of siblings in the dataset's folder, where written.
        origins: path of each value -> default, installation, project.yaml or fine-tune-job.yaml.
        as_written: what identifies the training: model, method, seed, extra_body without defaults.
        rest_as_written: everything else that was written, which identifies the run.
    """

    model: str | None = None
    suffix: str | None = None
    seed: int | None = None
    name: str | None = None
    description: str | None = None
    method: Mapping[str, Any] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=lambda: {"trainingType": GLOBAL_STANDARD})
    integrations: tuple[Mapping[str, Any], ...] = ()
    training_file: str | None = None
    validation_file: str | None = None
    pipeline: Pipeline = Pipeline()
    origins: Mapping[str, str] = field(default_factory=dict)
    as_written: Mapping[str, Any] = field(default_factory=dict)
    rest_as_written: Mapping[str, Any] = field(default_factory=dict)

    @property
    def training_type(self) -> str:
        """The training type that is sent."""
        return str(self.extra_body.get("trainingType", GLOBAL_STANDARD))

    @property
    def integrations_as_sent(self) -> tuple[Mapping[str, Any], ...]:
        """The integrations as the service reads them: azd writes `config` for `wandb`."""
        return tuple(
            {
                "type": each["type"],
                each["type"]: {k: v for k, v in each["config"].items() if v is not None},
            }
            for each in self.integrations
        )

    @property
    def method_type(self) -> str:
        """supervised, dpo or reinforcement."""
        return str((self.method or {}).get("type", "supervised"))

    @property
    def n_epochs(self) -> int | str:
        """The number of epochs, or "auto"."""
        chosen = (self.method or {}).get(self.method_type, {})
        epochs = chosen.get("hyperparameters", {}).get("n_epochs", "auto")
        return epochs if isinstance(epochs, int) else "auto"
