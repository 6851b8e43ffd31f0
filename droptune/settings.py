"""Settings of an installation, read once from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from droptune.domain.budget import BudgetLimits
from droptune.domain.configuration import TRAINING_TYPES, Ceilings
from droptune.domain.errors import SettingsError
from droptune.domain.messages import FORMATS
from droptune.domain.notifications import NEEDS_A_PERSON
from droptune.domain.outbox import LOCAL_TARGET, Subscription
from droptune.domain.service_limits import STANDARD, ServiceLimits, published_limits
from droptune.domain.steps import Policy

_TRAINING = ("never", "over_budget", "always")
_PROMOTION = ("never", "replace", "always")
_NOTIFY, _SECRET = "NOTIFY_", "_SECRET"
_OWN = ("ALLOWED_", "APPROVAL_", "BUDGET_", "LIMITS_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the environment says; each field is the lower-case name of its variable.

    Attributes:
        data_storage: connection string of the storage account, or None for a managed identity with
            `data_storage_url` (`DATA_STORAGE__blobServiceUri`).
        azure_openai_api_key, arm_token: only for a local emulator; in Azure an identity signs in.
        azure_openai_resource_id: ARM id of the Azure OpenAI account.
        budgets: what may be spent in a day and a month, of a project and in all.
        service_limits: what the account takes at one time.
        notify: every variable that begins with `NOTIFY_`: addresses, and under names that end in
            `_SECRET` what signs. An address often is a key itself, so none is shown.
        always_notify: who is told of every run that needs a person, whatever files say.
        app_service_authentication: whether App Service signs people in before the app does, and
            names them in headers that nobody else can send (`WEBSITE_AUTH_ENABLED`, which App
            Service sets itself). Unverified: that Flex Consumption sets it, too.
        time_scale: how many times faster than real the service is; 1 but for an emulator.
    """

    azure_openai_endpoint: str
    azure_openai_resource_id: str
    data_storage: str | None = field(default=None, repr=False)
    data_storage_url: str | None = None
    data_storage_client_id: str | None = None
    azure_openai_api_key: str | None = field(default=None, repr=False)
    azure_openai_scope: str = "https://cognitiveservices.azure.com/.default"
    azure_openai_dated_api_version: str = "2025-04-01-preview"
    arm_endpoint: str = "https://management.azure.com"
    arm_api_version: str = "2025-09-01"
    arm_token: str | None = field(default=None, repr=False)
    azure_client_id: str | None = None
    datasets_container: str = "datasets"
    runs_container: str = "runs"
    registry_container: str = "registry"
    settle_seconds: float = 10
    submit_after_seconds: float = 120
    time_scale: float = 1
    limits_runs_per_day: int = 20
    app_url: str | None = None
    app_key: str | None = field(default=None, repr=False)
    app_service_authentication: bool = False
    notify: Mapping[str, str] = field(default_factory=dict, repr=False)
    always_notify: tuple[Subscription, ...] | None = None
    ceilings: Ceilings = field(default_factory=Ceilings)
    budgets: BudgetLimits = field(default_factory=BudgetLimits)
    service_limits: ServiceLimits = field(default_factory=published_limits)

    @property
    def policy(self) -> Policy:
        """What the installation says about time and admission."""
        return Policy(
            settle_seconds=self.settle_seconds,
            submit_after_seconds=self.submit_after_seconds,
            runs_per_day=self.limits_runs_per_day,
            time_scale=self.time_scale,
        )

    @property
    def told_always(self) -> tuple[Subscription, ...]:
        """Who is told of every run: who is always notified, and on a laptop the receiver there."""
        is_told = self.is_local and LOCAL_TARGET in self.notify
        local = (Subscription(url_setting=LOCAL_TARGET),) if is_told else ()
        return (*(self.always_notify or ()), *local)

    @property
    def is_local(self) -> bool:
        """Whether a stand-in on this machine is asked instead of Azure."""
        return urlsplit(self.arm_endpoint).hostname in ("127.0.0.1", "localhost")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; raises SettingsError that names every bad one at once."""
        reader = _Reader(environ)
        values: dict[str, Any] = {
            "data_storage": reader.text("DATA_STORAGE"),
            "data_storage_url": reader.url("DATA_STORAGE__blobServiceUri"),
            "data_storage_client_id": reader.text("DATA_STORAGE__clientId"),
            "azure_openai_endpoint": reader.url("AZURE_OPENAI_ENDPOINT", required=True),
            "azure_openai_resource_id": reader.resource_id("AZURE_OPENAI_RESOURCE_ID"),
            "arm_endpoint": reader.url("ARM_ENDPOINT"),
            "settle_seconds": reader.number("SETTLE_SECONDS", 0, 3600),
            "submit_after_seconds": reader.number("SUBMIT_AFTER_SECONDS", 0, 86_400),
            "time_scale": reader.number("TIME_SCALE", 1, 100_000),
            "limits_runs_per_day": reader.whole("LIMITS_RUNS_PER_DAY", 1, 10_000),
            "app_url": reader.url("APP_URL") or _own_url(reader.text("WEBSITE_HOSTNAME")),
            "notify": (notify := reader.notify()),
            "always_notify": _always_notify(reader, notify),
            "app_service_authentication": reader.is_on("WEBSITE_AUTH_ENABLED"),
            "ceilings": _ceilings(reader, notify),
            "budgets": _budgets(reader),
            "service_limits": _service_limits(reader),
        }
        for name in _TEXTS:
            values[name.lower()] = reader.text(name)
        if not (values["data_storage"] or values["data_storage_url"]):
            reader.bad.append(
                "DATA_STORAGE is missing: set a connection string, or DATA_STORAGE__blobServiceUri"
            )
        reader.refuse_unknown()
        if reader.bad:
            raise SettingsError("; ".join(reader.bad), remedy="Set them and start the app again.")
        return cls(**{name: value for name, value in values.items() if value is not None})


_TEXTS = (
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_SCOPE",
    "AZURE_OPENAI_DATED_API_VERSION",
    "ARM_API_VERSION",
    "ARM_TOKEN",
    "AZURE_CLIENT_ID",
    "DATASETS_CONTAINER",
    "RUNS_CONTAINER",
    "REGISTRY_CONTAINER",
    "APP_KEY",
)


def _ceilings(reader: _Reader, notify: Mapping[str, str]) -> Ceilings:
    addresses = tuple(sorted(name for name in notify if not name.endswith(_SECRET)))
    return Ceilings(
        run_usd=reader.number("BUDGET_RUN_USD", 0, 1e9),
        hosting_usd_month=reader.number("BUDGET_HOSTING_USD_MONTH", 0, 1e9),
        training_approval=reader.choice("APPROVAL_TRAINING", _TRAINING),
        promotion_approval=reader.choice("APPROVAL_PROMOTION", _PROMOTION),
        models=reader.names("ALLOWED_MODELS"),
        training_types=reader.names("ALLOWED_TRAINING_TYPES", among=TRAINING_TYPES),
        skus=reader.names("ALLOWED_SKUS"),
        capacity=reader.whole("MAX_CAPACITY", 1, 1_000_000),
        rollback_hours=reader.number("MAX_ROLLBACK_HOURS", 0, 8760),
        notify_settings=addresses,
    )


def _always_notify(reader: _Reader, notify: Mapping[str, str]) -> tuple[Subscription, ...] | None:
    """Read who is always told: names of address settings, `=teams` or `=slack` behind a name."""
    found = []
    for text in reader.names("ALWAYS_NOTIFY") or ():
        name, _, shape = text.partition("=")
        if name not in notify or name.endswith(_SECRET) or (shape or "cloudevents") not in FORMATS:
            reader.bad.append(
                "ALWAYS_NOTIFY is not a list of NOTIFY_ settings that hold an address, each with "
                f"one of {', '.join(f'={each}' for each in FORMATS)} behind it or nothing"
            )
            break
        found.append(
            Subscription(url_setting=name, format=shape or "cloudevents", events=NEEDS_A_PERSON)
        )
    return tuple(found) or None


def _budgets(reader: _Reader) -> BudgetLimits:
    """Read what may be spent in all: BUDGET_PROJECT_DAY_USD and so on; a run's stands in files."""
    scopes = ("project_day", "project_month", "app_day", "app_month")
    hosting = ("project_hosting", "app_hosting")
    return BudgetLimits(
        **{name: reader.number(f"BUDGET_{name.upper()}_USD", 0, 1e9) for name in scopes},
        **{name: reader.number(f"BUDGET_{name.upper()}_USD_MONTH", 0, 1e9) for name in hosting},
    )


def _service_limits(reader: _Reader) -> ServiceLimits:
    """Read the account's limits where they differ from the published ones."""
    known = published_limits()
    names = ("queued", "jobs", "files", "deployments")
    stated = {name: reader.whole(f"LIMITS_{name.upper()}", 1, 1_000_000) for name in names}
    running = reader.whole("LIMITS_RUNNING", 1, 10_000)
    if running is not None:
        known = replace(known, running={**known.running, STANDARD: running})
    found: dict[str, Any] = {name: value for name, value in stated.items() if value is not None}
    return replace(known, **found)


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    local = parts.hostname in ("127.0.0.1", "localhost")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))


def _own_url(host: str | None) -> str | None:
    """Return the app's URL from what App Service says of itself."""
    if host is None:
        return None
    local = host.split(":")[0] in ("127.0.0.1", "localhost")
    return f"{'http' if local else 'https'}://{host}"


class _Reader:
    """Reads variables and gathers what is wrong with them; values are never repeated in
    messages."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._asked: set[str] = set()
        self.bad: list[str] = []

    def refuse_unknown(self) -> None:
        """Refuse what was surely meant for this app: a misspelt ceiling would be none."""
        meant = (name for name in self._environ if name.startswith(_OWN))
        self.bad += [f"{name} is not known" for name in sorted(meant) if name not in self._asked]

    def text(self, name: str) -> str | None:
        self._asked.add(name)
        return self._environ.get(name, "").strip() or None

    def notify(self) -> dict[str, str]:
        """Return what is told to whom; every address is a URL."""
        named = sorted(name for name in self._environ if name.startswith(_NOTIFY))
        found = {
            name: self.text(name) if name.endswith(_SECRET) else self.address(name)
            for name in named
        }
        return {name: value for name, value in found.items() if value is not None}

    def is_on(self, name: str) -> bool:
        return (self.text(name) or "").lower() in ("true", "1")

    def url(self, name: str, *, required: bool = False) -> str | None:
        text = self.address(name)
        if text is None and required:
            self.bad.append(f"{name} is missing: set the URL of the Azure OpenAI account")
        return text.rstrip("/") if text else None

    def address(self, name: str) -> str | None:
        """Return an https URL as it is written; http is for this machine alone."""
        text = self.text(name)
        if text is not None and not _is_safe(text):
            self.bad.append(f"{name} is not an https URL")
        return text

    def resource_id(self, name: str) -> str | None:
        text = self.text(name)
        wanted = "/subscriptions/…/providers/Microsoft.CognitiveServices/accounts/<name>"
        if text is None or not text.lower().startswith("/subscriptions/"):
            self.bad.append(f"{name} is {'missing' if text is None else 'wrong'}: set {wanted}")
        return text

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        text = self.text(name)
        if text is not None and text not in choices:
            self.bad.append(f"{name} is not one of {', '.join(choices)}")
        return text

    def names(self, name: str, among: tuple[str, ...] | None = None) -> tuple[str, ...] | None:
        """Return a list that is written with commas; case counts for none of its items."""
        text = self.text(name)
        if text is None:
            return None
        found = tuple(part.strip() for part in text.split(",") if part.strip())
        known = {each.casefold() for each in among or found}
        if not found or any(each.casefold() not in known for each in found):
            said = f"one or more of {', '.join(among)}" if among else "a list of names"
            self.bad.append(f"{name} is not {said}, with commas between them")
        return found

    def number(self, name: str, low: float, high: float) -> float | None:
        return self._parse(name, float, low, high)

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self._parse(name, int, low, high)
        return None if value is None else int(value)

    def _parse(
        self, name: str, read: Callable[[str], float], low: float, high: float
    ) -> float | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            value = read(text)
        except ValueError:
            value = float("nan")
        if low <= value <= high:
            return value
        kind = "whole number" if read is int else "number"
        self.bad.append(f"{name} is not a {kind} from {low:g} to {high:g}")
        return None
