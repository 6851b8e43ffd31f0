"""No request leads where a dataset or its configuration wants it: not one is made for either."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from droptune.domain.configuration import Ceilings, resolve
from droptune.domain.errors import SettingsError
from droptune.settings import Settings
from droptune.validation.job_file import parse_job_file
from tests.app_in_memory import ENVIRONMENT
from tests.builders import a_job_file, an_example

ROOT = Path(__file__).parents[2]
INSIDE = (
    "http://169.254.169.254/metadata/instance?api-version=2021-02-01",
    "http://168.63.129.16/machine?comp=goalstate",
    "http://127.0.0.1:10000/devstoreaccount1",
    "http://localhost/",
    "http://[::1]/",
    "http://10.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "https://metadata.google.internal/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "ftp://127.0.0.1/x",
    "//127.0.0.1/x",
)
# What a process does is told to the hook before it is done: a name looked up, a socket connected,
# a URL opened. It cannot be removed, so that it has a process of its own.
PROGRAM = """
import json, sys
seen = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
        seen.append(event)
        raise PermissionError(event)
sys.addaudithook(hook)
from pathlib import Path
from droptune.domain.dataset import Role
from droptune.validation import FileSource, ValidationRequest, validate
path = Path(sys.argv[1])
source = FileSource(path=path, role=Role.TRAINING)
report = validate([source], request=ValidationRequest(model="gpt-4.1"))
from droptune.api.pages.report_page import render_report
page = render_report(report.to_payload())
print(json.dumps({"seen": seen, "examples": report.files[0].examples, "page": len(page)}))
"""


def test_validating_images_and_tools_opens_no_connection(tmp_path: Path) -> None:
    """Addresses in training data are text; also the report only names them."""
    lines = []
    for number, url in enumerate(INSIDE):
        example = an_example(number)
        example["messages"][1]["content"] = [
            {"type": "text", "text": f"What is at {url}?"},
            {"type": "image_url", "image_url": {"url": url, "detail": "high"}},
        ]
        lines.append(json.dumps(example))
    path = tmp_path / "training.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    text = subprocess.check_output(
        [sys.executable, "-c", PROGRAM, str(path)], text=True, cwd=ROOT, timeout=120
    )

    told = json.loads(text.splitlines()[-1])
    assert told["seen"] == []
    assert told["examples"] == len(INSIDE)
    assert told["page"] > 1000


def problems_of(**values: Any) -> list[str]:
    job, findings = parse_job_file(json.dumps(values).encode(), file="fine-tune-job.yaml")
    if job is None:
        return [finding.rule for finding in findings]
    _, said = resolve(
        installation=Ceilings(notify_settings=("NOTIFY_URL",)), project_file=None, job_file=job
    )
    return [finding.rule for finding in said if finding.severity == "error"]


@pytest.mark.parametrize("url", INSIDE)
@pytest.mark.parametrize(
    "where",
    ["training_file", "validation_file", "notify", "notify setting", "integrations", "endpoint"],
)
def test_address_in_a_configuration_is_refused(where: str, url: str) -> None:
    """A file names siblings and settings; it never says where to read or whom to tell."""
    model = {"model": "gpt-4.1-mini"}
    files: dict[str, dict[str, Any]] = {
        "training_file": model | {"training_file": url},
        "validation_file": model | {"validation_file": url},
        "notify": model | {"pipeline": {"notify": [{"url": url, "events": ["run.*"]}]}},
        "notify setting": model
        | {"pipeline": {"notify": [{"url_setting": url, "events": ["run.*"]}]}},
        "integrations": model | {"endpoint_url": url},
        "endpoint": model | {"pipeline": {"deploy": {"endpoint": url}}},
    }

    assert problems_of(**files[where])


@pytest.mark.parametrize(
    "setting",
    ["AZURE_OPENAI_API_KEY", "APP_KEY", "DATA_STORAGE", "WEBSITE_AUTH_ENCRYPTION_KEY", "NOTIFY_X"],
)
def test_setting_that_is_no_target_is_refused(setting: str) -> None:
    """Else a notification could carry a secret out, or ask what the installation never named."""
    told = {"url_setting": setting, "events": ["run.*"]}

    assert problems_of(model="gpt-4.1-mini", pipeline={"notify": [told]})


def test_ordinary_configuration_is_accepted() -> None:
    """So that the tests above mean something."""
    notify = [{"url_setting": "NOTIFY_URL", "format": "slack", "events": ["run.*"]}]

    assert problems_of(**json.loads(a_job_file(notify=notify))) == []


@pytest.mark.parametrize(
    "name",
    [
        "AZURE_OPENAI_ENDPOINT",
        "ARM_ENDPOINT",
        "APP_URL",
        "NOTIFY_URL",
        "DATA_STORAGE__blobServiceUri",
    ],
)
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "http://contoso.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://contoso.example/",
        "//contoso.example",
        "contoso.example",
        "http://127.0.0.1.contoso.example/",
        "http://localhost.contoso.example/",
    ],
)
def test_installation_sends_nothing_unencrypted(name: str, url: str) -> None:
    """Credentials travel over TLS, or not farther than this machine."""
    with pytest.raises(SettingsError, match=name):
        Settings.from_environ(ENVIRONMENT | {name: url})
