"""The description of the installation in Azure: it compiles, and names what the app reads."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from droptune.settings import Settings

ROOT = Path(__file__).parents[1]
INFRA = ROOT / "infra"
# Read by the Functions host, the Durable extension or the SDKs, and not by the app's own settings.
_HOST = re.compile(r"AzureWebJobsStorage__|DATA_STORAGE__(queue|credential)|APPLICATIONINSIGHTS_")
_OTHERS = {"AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "TASK_HUB_NAME"}


@pytest.fixture(scope="module")
def bicep() -> str:
    """The Bicep compiler."""
    found = os.environ.get("BICEP") or shutil.which("bicep")
    if not found:
        pytest.skip("no Bicep compiler: name one in BICEP")
    return found


def _compile(bicep: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [bicep, *arguments, str(INFRA / "main.bicep")]
    environ = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    return subprocess.run(command, text=True, capture_output=True, check=False, env=environ)


def _app_settings() -> set[str]:
    text = (INFRA / "app.bicep").read_text()
    ceilings = (INFRA / "main.bicep").read_text().partition("ceilings: {")[2].partition("}")[0]
    block = text.partition("var identitySettings = {")[2].partition("var setCeilings")[0]
    return set(re.findall(r"^\s+(\w+): ", block + ceilings, re.MULTILINE))


def test_bicep_compiles_without_a_warning(bicep: str) -> None:
    """The compiler and its linter have nothing to say."""
    built, linted = _compile(bicep, "build", "--stdout"), _compile(bicep, "lint")

    assert (built.returncode, built.stderr) == (0, "")
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


def test_nothing_in_the_template_is_a_key(bicep: str) -> None:
    """No account key is listed, allowed or handed on: identities do everything."""
    template: dict[str, Any] = json.loads(_compile(bicep, "build", "--stdout").stdout)
    text = json.dumps(template)

    assert "listKeys" not in text
    assert '"allowSharedKeyAccess": false' in text
    assert '"disableLocalAuth": true' in text


def test_every_parameter_of_the_file_is_declared() -> None:
    """`main.parameters.json` sets only what `main.bicep` declares."""
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    declared = re.findall(r"^param (\w+)", (INFRA / "main.bicep").read_text(), re.MULTILINE)

    assert set(given) <= set(declared)


def test_every_app_setting_is_read_by_somebody() -> None:
    """A setting that the template makes and nobody reads would be a misspelt one."""
    settings = {name for name in _app_settings() if not _HOST.match(name)} - _OTHERS
    values = dict.fromkeys(settings, "1") | {
        "AZURE_OPENAI_ENDPOINT": "https://a.example",
        "AZURE_OPENAI_RESOURCE_ID": "/subscriptions/s",
        "DATA_STORAGE__blobServiceUri": "https://s.example",
        "APPROVAL_TRAINING": "always",
    }
    environ = Recorder(values)

    read = Settings.from_environ(environ)

    assert settings <= environ.asked
    assert read.data_storage_client_id == "1"


class Recorder(dict[str, str]):
    """An environment that remembers what was asked of it."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a variable and remember that it was asked for."""
        self.asked.add(key)
        return super().get(key, default)


def test_azd_finds_the_app_and_the_hooks() -> None:
    """`azure.yaml` names the root as the project, and scripts that are there."""
    document = yaml.safe_load((ROOT / "azure.yaml").read_text())
    hook = document["hooks"]["postdeploy"]

    assert document["services"]["app"]["project"] == "."
    assert document["services"]["app"]["host"] == "function"
    assert all((ROOT / hook[system]["run"]).is_file() for system in ("posix", "windows"))


def test_event_subscription_names_the_blob_trigger() -> None:
    """Both scripts send the events of `datasets` alone to the function that notices blobs."""
    for script in ("subscribe.sh", "subscribe.ps1"):
        text = (INFRA / "hooks" / script).read_text()
        assert "Host.Functions.notice_blob" in text
        assert "/containers/datasets/blobs/" in text
        assert "dead-letters" in text
