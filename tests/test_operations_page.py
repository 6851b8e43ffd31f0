"""docs/operations.md, held to the code: every setting with its default, and what a move does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from activities.sweeps import find_new, install
from droptune.domain.registration import DatasetRecord, KnownFile, dataset_record_name
from droptune.settings import Settings
from tests.builders import SHOP, World

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ROWS = {
    name: (default.strip("`"), meaning)
    for name, default, meaning in re.findall(
        r"^\| `([A-Z][A-Za-z_…]+)` \| (\S+) \| (.+) \|$", PAGE, re.MULTILINE
    )
}
LEAST = {
    "AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com",
    "AZURE_OPENAI_RESOURCE_ID": "/subscriptions/s",
    "DATA_STORAGE__blobServiceUri": "https://a.blob.core.windows.net",
}
ELSEWHERE = {  # settings whose field has another name than the variable
    "DATA_STORAGE__blobServiceUri": "data_storage_url",
    "DATA_STORAGE__clientId": "data_storage_client_id",
    "WEBSITE_AUTH_ENABLED": None,
    "WEBSITE_HOSTNAME": "app_url",
    "NOTIFY_…": None,
    "APPROVAL_TRAINING": "training_approval",
    "APPROVAL_PROMOTION": "promotion_approval",
    "ALLOWED_MODELS": "models",
    "ALLOWED_TRAINING_TYPES": "training_types",
    "ALLOWED_SKUS": "skus",
    "MAX_CAPACITY": "capacity",
    "MAX_ROLLBACK_HOURS": "rollback_hours",
    "BUDGET_RUN_USD": "run_usd",
    "BUDGET_HOSTING_USD_MONTH": "hosting_usd_month",
}


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, and remember its name."""
        self.names.add(name)
        return super().get(name, default)


def read() -> tuple[Settings, set[str]]:
    """Return the settings of the least installation, and every variable that was read."""
    asked = Asked(LEAST)
    return Settings.from_environ(asked), asked.names


def default_of(settings: Settings, name: str) -> Any:
    """Return what a setting is where it is not set."""
    if name == "LIMITS_RUNNING":
        return settings.service_limits.running["standard"]
    field = ELSEWHERE.get(name, name.lower())
    plain = field and re.sub(r"^(limits|budget)_|_usd(_month)?$", "", field)
    for part in (settings, settings.ceilings, settings.service_limits, settings.budgets):
        assert is_dataclass(part)
        known = {each.name for each in fields(part)}
        for candidate in (field, plain):
            if candidate in known:
                return getattr(part, str(candidate))
    return None


def test_every_setting_that_is_read_stands_in_the_table_and_no_other() -> None:
    """A new setting, and one that is gone, are noticed."""
    assert ROWS.keys() - {"NOTIFY_…"} == read()[1]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_default_in_the_table_is_the_codes(name: str) -> None:
    """What the page says of a setting that is not set is so."""
    shown, meaning = ROWS[name]
    default = default_of(read()[0], name)

    if shown == "required":
        assert name in LEAST
    else:
        assert shown == ("none" if default is None else f"{default}")
    assert len(meaning) > 4


@pytest.mark.parametrize("is_as_told", [True, False])
def test_moved_account_starts_nothing_again(is_as_told: bool) -> None:
    """Copied as the page says, what lies there is seen and not started; copied whole, it is new."""
    copied = World()
    copied.drop()
    known = DatasetRecord(
        project=SHOP.project,
        version=SHOP.version,
        state="settled",
        files=(KnownFile(name="shop/v1/training.jsonl", etag="of the old account"),),
    )
    copied.registry.put(dataset_record_name(SHOP), json.dumps(known.to_payload()))
    if is_as_told:
        copied.registry.delete(dataset_record_name(SHOP))
        copied.registry.delete("_installed.json")

    install(datasets=copied.datasets, registry=copied.registry, clock=copied.clock)

    assert find_new(copied.datasets, copied.registry) == ([] if is_as_told else [SHOP])
