"""`submit` as a person uses it: checked first, then uploaded, then found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from droptune.cli.main import main
from droptune.cli.targets import Target, find_storage, find_target
from tests.cli.canned_app import CannedApp, a_status

GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}
BAD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "bot", "content": "Yes"}]}


def a_folder(place: Path, *, bad: bool = False) -> Path:
    """Write a dataset of eleven examples, the last of them bad on request."""
    folder = place / "bot"
    folder.mkdir()
    examples = [
        {"messages": [{"role": "user", "content": f"Hi {number}"}, GOOD["messages"][1]]}
        for number in range(10)
    ]
    lines = [json.dumps(each) for each in [*examples, BAD if bad else GOOD]]
    (folder / "training.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def blobs(azurite: str, project: str) -> set[str]:
    """Return what lies in a project's folder."""
    with BlobServiceClient.from_connection_string(azurite) as service:
        container = service.get_container_client("datasets")
        if not container.exists():
            container.create_container()
        return set(container.list_blob_names(name_starts_with=f"{project}/"))


def test_bad_data_is_refused_before_it_is_uploaded(
    app: CannedApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What validation would reject ends with 1, its line, and the way around; nothing is asked."""
    code = main(["submit", str(a_folder(tmp_path, bad=True)), "--app", app.url])

    printed = capsys.readouterr()
    assert code == 1
    assert "line 11" in printed.out
    assert "Tokens" not in printed.out
    assert "--no-check" in printed.err
    assert app.asked == []


def test_refusal_of_bad_data_holds_the_report_for_programs(
    app: CannedApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json the report document is inside the one document on stdout."""
    code = main(["submit", str(a_folder(tmp_path, bad=True)), "--json", "--app", app.url])

    document = json.loads(capsys.readouterr().out)
    assert code == 1
    assert document["code"] == "rejected"
    assert document["report"]["verdict"] == "reject"


@pytest.mark.parametrize(
    ("project", "bad", "options"), [("fine", False, []), ("raw", True, ["--no-check"])]
)
def test_submitted_folder_lies_there_and_its_run_is_shown(
    app: CannedApp,
    azurite: str,
    tmp_path: Path,
    project: str,
    bad: bool,
    options: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Files and mark are uploaded, unchecked on request, and the run's addresses are printed."""
    blobs(azurite, project)
    app.answer(f"GET /api/datasets/{project}/v1", {"state": "started", "runs": [a_status()]})

    dataset = [str(a_folder(tmp_path, bad=bad)), "--project", project, "--version", "v1"]
    code = main(["submit", *dataset, "--app", app.url, "--storage", azurite, *options])

    said = capsys.readouterr().out
    assert code == 0
    assert blobs(azurite, project) == {f"{project}/v1/training.jsonl", f"{project}/v1/_SUCCESS"}
    assert a_status()["links"]["page"] in said
    assert f"droptune show {a_status()['id']} --follow" in said
    assert "\x1b" not in said


def test_price_and_budget_are_told_before_anything_is_uploaded(
    app: CannedApp, azurite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who is over the budget of their own file hears it at once, and that somebody may be asked."""
    folder = a_folder(tmp_path)
    (folder / "fine-tune-job.yaml").write_text(
        "model: gpt-4.1-mini\npipeline: {budget: {run_usd: 0.0001}}\n"
    )
    blobs(azurite, "dear")
    app.answer("GET /api/datasets/dear/v1", {"state": "started", "runs": [a_status()]})

    options = ("--project", "dear", "--version", "v1", "--app", app.url, "--storage", azurite)
    main(["submit", str(folder), *options])

    said = capsys.readouterr().out
    assert "training costs $0.0" in said
    assert "over the budget of $0.0001; a person may have to approve it" in said


def test_storage_of_an_app_in_azure_may_stand_in_the_environment(app: CannedApp) -> None:
    """What is named goes before DROPTUNE_STORAGE, which spares asking the app's settings."""
    target: Target = find_target(app.url, None, {})
    environ = {"DROPTUNE_STORAGE": "https://a.blob.core.windows.net"}

    assert find_storage(target, "https://b", environ) == "https://b"
    assert find_storage(target, None, environ) == "https://a.blob.core.windows.net"


def test_wrong_folder_is_refused_first(app: CannedApp, tmp_path: Path) -> None:
    """A folder without training data is wrong usage, whatever the app is."""
    assert main(["submit", str(tmp_path), "--app", app.url]) == 2
    assert app.asked == []
