"""Settings of an installation: read once, all mistakes at once, secrets never shown."""

from __future__ import annotations

from typing import Any

import pytest

from droptune.domain.configuration import Ceilings
from droptune.domain.errors import SettingsError
from droptune.domain.notifications import NEEDS_A_PERSON
from droptune.domain.outbox import Subscription
from droptune.settings import Settings

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
LEAST = {
    "AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com/",
    "AZURE_OPENAI_RESOURCE_ID": ACCOUNT,
    "DATA_STORAGE__blobServiceUri": "https://a.blob.core.windows.net",
}


def settings(**more: str) -> Settings:
    return Settings.from_environ({**LEAST, **more})


def mistakes(**more: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings(**more)
    assert caught.value.remedy
    return str(caught.value).split("; ")


def test_least_installation_has_azures_defaults() -> None:
    """Three settings are enough; everything else is as in Azure."""
    read = settings()

    assert read.azure_openai_endpoint == "https://a.openai.azure.com"
    assert read.data_storage is None
    assert read.arm_endpoint == "https://management.azure.com"
    assert read.azure_openai_scope == "https://cognitiveservices.azure.com/.default"
    assert (read.settle_seconds, read.submit_after_seconds, read.time_scale) == (10, 120, 1)
    assert read.limits_runs_per_day == 20
    assert read.ceilings == Ceilings(notify_settings=())
    assert read.policy.runs_per_day == 20


def test_every_bad_setting_is_named_at_once() -> None:
    """The app does not start, and nobody mends its settings one by one."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(
            {
                "AZURE_OPENAI_ENDPOINT": "ftp://a",
                "SETTLE_SECONDS": "soon",
                "LIMITS_RUNS_PER_DAY": "0",
                "APPROVAL_TRAINING": "sometimes",
                "NOTIFY_WEBHOOK_URL": "http://example.com/hook",
            }
        )

    named = {part.split()[0] for part in str(caught.value).split("; ")}
    assert named == {
        "AZURE_OPENAI_ENDPOINT",
        "AZURE_OPENAI_RESOURCE_ID",
        "DATA_STORAGE",
        "SETTLE_SECONDS",
        "LIMITS_RUNS_PER_DAY",
        "APPROVAL_TRAINING",
        "NOTIFY_WEBHOOK_URL",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AZURE_OPENAI_ENDPOINT", ""),
        ("AZURE_OPENAI_ENDPOINT", "https://"),
        ("AZURE_OPENAI_ENDPOINT", "http://a.openai.azure.com"),
        ("AZURE_OPENAI_ENDPOINT", "https://[bad"),
        ("AZURE_OPENAI_RESOURCE_ID", "a"),
        ("DATA_STORAGE__blobServiceUri", "a.blob.core.windows.net"),
        ("ARM_ENDPOINT", "management.azure.com"),
        ("APP_URL", "javascript:alert(1)"),
        ("SETTLE_SECONDS", "-1"),
        ("SETTLE_SECONDS", "nan"),
        ("SUBMIT_AFTER_SECONDS", "1e9"),
        ("TIME_SCALE", "0.5"),
        ("LIMITS_RUNS_PER_DAY", "2.5"),
        ("BUDGET_RUN_USD", "$50"),
        ("BUDGET_RUN_USD", "-1"),
        ("BUDGET_HOSTING_USD_MONTH", "inf"),
        ("APPROVAL_TRAINING", "replace"),
        ("APPROVAL_PROMOTION", "over_budget"),
        ("ALLOWED_MODELS", " , "),
        ("ALLOWED_TRAINING_TYPES", "Standard,Fast"),
        ("MAX_CAPACITY", "0"),
        ("MAX_ROLLBACK_HOURS", "9000"),
        ("NOTIFY_TEAMS", "teams"),
        ("BUDGET_RUN_USDD", "50"),
        ("ALLOWED_MODEL", "gpt-4o"),
        ("APPROVAL_TRANING", "always"),
        ("LIMITS_RUNS_A_DAY", "5"),
    ],
)
def test_bad_setting_is_named_and_its_value_is_not(name: str, value: str) -> None:
    """A mistake is told by name; a misspelt ceiling would be none, so it is a mistake, too."""
    [said] = mistakes(**{name: value})

    assert said.startswith(name.split("__")[0])
    assert len(value.strip(" ,")) < 4 or value not in said


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("BUDGET_RUN_USD", "50", "run_usd", 50),
        ("BUDGET_HOSTING_USD_MONTH", "0", "hosting_usd_month", 0),
        ("APPROVAL_TRAINING", "always", "training_approval", "always"),
        ("APPROVAL_PROMOTION", "replace", "promotion_approval", "replace"),
        ("ALLOWED_MODELS", "gpt-4o, gpt-4.1-mini,", "models", ("gpt-4o", "gpt-4.1-mini")),
        ("ALLOWED_TRAINING_TYPES", "standard", "training_types", ("standard",)),
        ("ALLOWED_SKUS", "Standard", "skus", ("Standard",)),
        ("MAX_CAPACITY", "100", "capacity", 100),
        ("MAX_ROLLBACK_HOURS", "24", "rollback_hours", 24),
    ],
)
def test_setting_is_a_ceiling(name: str, value: str, field: str, expected: Any) -> None:
    """What the installation sets binds every file below it."""
    assert getattr(settings(**{name: value}).ceilings, field) == expected


def test_addresses_for_news_are_known_by_name() -> None:
    """A file may name a setting that holds an address; what signs is no address."""
    read = settings(
        NOTIFY_TEAMS="https://example.com/hook/?sig=abc/",
        NOTIFY_LOCAL="http://127.0.0.1:5000",
        NOTIFY_TEAMS_SECRET="whsec_abc",
        NOTIFY_UNSET="",
    )

    assert read.ceilings.notify_settings == ("NOTIFY_LOCAL", "NOTIFY_TEAMS")
    assert read.told_always == ()
    assert read.notify["NOTIFY_TEAMS"] == "https://example.com/hook/?sig=abc/"
    assert read.notify["NOTIFY_TEAMS_SECRET"] == "whsec_abc"
    assert "NOTIFY_UNSET" not in read.notify


def test_installation_names_who_is_always_told() -> None:
    """Of what needs a person, in the shape that the receiver reads."""
    read = settings(
        NOTIFY_OPS="https://example.com/a",
        NOTIFY_AUDIT="https://example.com/b",
        ALWAYS_NOTIFY="NOTIFY_OPS=teams, NOTIFY_AUDIT",
    )

    assert read.told_always == (
        Subscription(url_setting="NOTIFY_OPS", format="teams", events=NEEDS_A_PERSON),
        Subscription(url_setting="NOTIFY_AUDIT", events=NEEDS_A_PERSON),
    )


@pytest.mark.parametrize(
    "value", ["NOTIFY_GONE", "NOTIFY_OPS=fax", "NOTIFY_OPS_SECRET", "APP_KEY", ","]
)
def test_always_told_is_only_who_has_an_address(value: str) -> None:
    """A receiver that does not exist would be told nothing, in silence."""
    with pytest.raises(SettingsError, match="ALWAYS_NOTIFY"):
        settings(NOTIFY_OPS="https://example.com/a", NOTIFY_OPS_SECRET="s", ALWAYS_NOTIFY=value)


@pytest.mark.parametrize(("arm", "told"), [("http://127.0.0.1:1", True), (None, False)])
def test_local_receiver_is_told_of_everything_on_a_laptop_alone(
    arm: str | None, told: bool
) -> None:
    """In Azure the name means nothing."""
    local = {"ARM_ENDPOINT": arm} if arm else {}

    read = settings(NOTIFY_LOCAL="http://127.0.0.1:5000", **local)

    expected = (Subscription(url_setting="NOTIFY_LOCAL"),) if told else ()
    assert read.told_always == expected


def test_repr_shows_no_secret() -> None:
    """Settings can be logged whole."""
    secrets = {
        "DATA_STORAGE": "AccountName=a;AccountKey=canary1",
        "AZURE_OPENAI_API_KEY": "canary2",
        "ARM_TOKEN": "canary3",
        "APP_KEY": "canary4",
        "NOTIFY_TEAMS": "https://example.com/canary5",
        "NOTIFY_TEAMS_SECRET": "canary6",
    }

    read = settings(**secrets)

    assert "canary" not in repr(read)
    assert "canary" not in str(read)
    assert read.azure_openai_api_key == "canary2"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("app.azurewebsites.net", "https://app.azurewebsites.net"),
        ("localhost:7071", "http://localhost:7071"),
        ("127.0.0.1:7071", "http://127.0.0.1:7071"),
    ],
)
def test_app_knows_its_own_address(host: str, url: str) -> None:
    """App Service says where the app is; a setting overrules it."""
    assert settings(WEBSITE_HOSTNAME=host).app_url == url
    assert settings(WEBSITE_HOSTNAME=host, APP_URL="https://my.example/").app_url == (
        "https://my.example"
    )


def test_unrelated_variables_change_nothing() -> None:
    """An environment is full of other people's variables."""
    assert settings(PATH="/bin", MAX_JOBS="many", Budget="x") == settings()
