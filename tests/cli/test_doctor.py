"""`doctor` on this machine and at a local app that is not well."""

from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from pathlib import Path

import pytest

from droptune.cli.installation import Installation, claim_state, write_installation
from droptune.cli.local_checks import look_at_local_app
from droptune.cli.machine_checks import look_at_packages
from droptune.cli.main import main
from tests.cli.canned_app import CannedApp


def test_state_without_an_app_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 3 and every check that is not well has its remedy."""
    code = main(["doctor", "--state", str(tmp_path), "--json"])

    checks = json.loads(capsys.readouterr().out)["checks"]
    wrong = [check for check in checks if not check["well"]]
    assert code == 3
    assert "app" in {check["name"] for check in wrong}
    assert all(check["remedy"] for check in wrong)


def test_last_words_of_a_part_that_broke_are_shown(tmp_path: Path) -> None:
    """An app that does not run any more is looked for in its logs."""
    log = tmp_path / "logs" / "devhost.log"
    log.parent.mkdir()
    log.write_text("Traceback (most recent call last):\nValueError: no such function\n")

    found = {check.name: check for check in look_at_local_app(tmp_path)}

    assert "no such function" in found["devhost"].message
    assert str(log) in found["devhost"].remedy


def test_state_that_is_a_file_is_named(tmp_path: Path) -> None:
    """A state that cannot be a folder is found before anything is started on it."""
    (tmp_path / "state").write_text("")

    first = next(iter(look_at_local_app(tmp_path / "state")))

    assert not first.well
    assert "--state" in first.remedy


def test_each_part_of_a_local_app_is_looked_at(app: CannedApp, tmp_path: Path) -> None:
    """A dead process, a refused drop and a silent storage are each found where they are."""
    lock = claim_state(tmp_path)
    write_installation(tmp_path, an_installation(app))
    refused = {"path": "x.csv", "state": "rejected", "message": "Not JSONL.", "remedy": "Convert."}
    app.answer("GET /api/health", {"status": "ok", "version": "1"})
    app.answer("GET /api/datasets", {"datasets": [refused]})
    app.answer("GET /emulator/ledger", {"jobs": [{}], "usd": 1})

    found = {check.name: check for check in look_at_local_app(tmp_path)}

    wrong = ["processes", "storage", "data"]
    assert lock is not None
    lock.close()
    assert [name for name, check in found.items() if not check.well] == wrong
    assert "1 job so far" in found["Azure OpenAI"].message
    assert found["data"].remedy == "Convert."


def an_installation(app: CannedApp) -> Installation:
    """Return an installation whose host has died and whose storage knows nothing."""
    blobs = f"BlobEndpoint={app.url}/devstoreaccount1;AccountName=devstoreaccount1;AccountKey=AA==;"
    return Installation(
        app_url=app.url,
        emulator_url=app.url,
        storage_connection_string=f"DefaultEndpointsProtocol=http;{blobs}",
        pids={"local_app": os.getpid(), "app": 2**22 + 1},
    )


def test_package_that_is_not_as_the_lock_names_it_is_found(tmp_path: Path) -> None:
    """A missing or other version is named, with the folder whose removal repairs it."""
    lock = tmp_path / "lock.txt"
    lock.write_text(f"typer=={metadata.version('typer')} \\\n    --hash=x\nrich==0.1 ; os == 'a'\n")
    good = look_at_packages(lock, Path(sys.prefix))
    lock.write_text("typer==0.1 \\\nno-such-thing==1.0\n")

    bad = look_at_packages(lock, Path(sys.prefix))

    assert good.well
    assert "typer is" in bad.message
    assert "1 more" in bad.message
    assert sys.prefix in bad.remedy
