"""Datasets dropped into a whole installation, and what comes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.cli.local_app import ROOT
from tests.end_to_end.line import JOB_FILE, Line, an_example, write_dataset

SHARED = ROOT.parent / "shared" / "data"


@pytest.mark.parametrize("name", ["clippy", "gsm8k", "stock-tools"])
def test_published_dataset_ends_with_a_deployment_that_answers(
    line: Line, name: str, tmp_path: Path
) -> None:
    """A public dataset with a configuration is trained, deployed, tried and promoted."""
    if not (SHARED / name).is_dir():
        pytest.skip("the shared datasets are not beside this clone")
    folder = tmp_path / name
    folder.mkdir()
    for file in (SHARED / name).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "fine-tune-job.yaml").write_text(JOB_FILE)

    status = line.follow(line.drop(folder, project=name)["id"])

    assert (status["phase"], status["outcome"]) == ("succeeded", "promoted"), status["message"]
    assert status["test"]["answer"]
    assert len(line.jobs_of(status)) == 1
    champion = line.client.get("projects", name, "champion")
    assert champion["deployment"] == status["champion"]["deployment"]


def test_bad_dataset_is_rejected_with_line_and_field(line: Line, tmp_path: Path) -> None:
    """One wrong role ends the run before a cent, with file, line, field and what would be right."""
    examples = [an_example(number) for number in range(20)]
    examples[16]["messages"][1]["role"] = "bot"
    folder = write_dataset(tmp_path / "bad", examples)

    status = line.follow(line.drop(folder, project="bad")["id"])
    report = line.client.get("runs", status["id"], "report")

    assert status["phase"] == "rejected"
    assert "line 17" in status["error"]["message"]
    errors = [each for each in report["findings"] if each["severity"] == "error"]
    assert [(each["line"], each["path"]) for each in errors] == [(17, "messages[1].role")]
    assert errors[0]["fix"]
    assert line.jobs_of(status) == []


def test_plan_spends_nothing(line: Line, tmp_path: Path) -> None:
    """Without a model the run is a plan: a report and an estimate, and no job."""
    folder = write_dataset(tmp_path / "plan", [an_example(n) for n in range(12)], job_file="")

    status = line.follow(line.drop(folder, project="plan")["id"])

    assert (status["phase"], status["outcome"]) == ("succeeded", "planned")
    assert status["dataset"]["tokens"] > 0
    assert line.jobs_of(status) == []


def test_same_training_under_another_version_adopts_the_paid_job(
    line: Line, tmp_path: Path
) -> None:
    """A second version with the same data is a run of its own that buys no second job."""
    folder = write_dataset(tmp_path / "twice", [an_example(n) for n in range(15)])

    first = line.follow(line.drop(folder, project="twice", version="v1")["id"])
    second = line.follow(line.drop(folder, project="twice", version="v2")["id"])

    assert first["id"] != second["id"]
    assert second["job"]["id"] == first["job"]["id"]
    assert second["job"]["adopted_from"] == first["id"]
    assert len(line.jobs_of(second)) == 1


def test_published_job_file_of_azd_is_accepted(line: Line, tmp_path: Path) -> None:
    """A job file with every field that azd's examples use trains as it stands."""
    job_file = """\
name: azd-example
description: A job file as azd users write it
model: gpt-4.1-nano
training_file: local:./data/training.jsonl
suffix: azd
seed: 42
extra_body:
  trainingType: GlobalStandard
method:
  type: supervised
  supervised:
    hyperparameters:
      epochs: 2
      batch_size: -1
      learning_rate_multiplier: -1
"""
    examples = [an_example(n, answer="It is {n}.") for n in range(30)]
    folder = write_dataset(tmp_path / "azd", examples, job_file=job_file)

    status = line.follow(line.drop(folder, project="azd")["id"])

    assert (status["phase"], status["outcome"]) == ("succeeded", "trained"), status["message"]
    assert len(line.jobs_of(status)) == 1


def test_cancel_while_it_trains_reaches_the_job(line: Line, tmp_path: Path) -> None:
    """A person's cancel ends the run and the job, and leaves nothing that bills."""
    folder = write_dataset(tmp_path / "cancelled", [an_example(n) for n in range(18)])

    def cancel(status: dict[str, object]) -> None:
        if status["phase"] == "training" and status["job"]:
            line.client.post("runs", str(status["id"]), "cancel", body={"reason": "a mistake"})

    status = line.follow(line.drop(folder, project="cancelled")["id"], on_look=cancel)

    assert status["phase"] == "cancelled"
    assert "a mistake" in status["error"]["message"]
    assert [job["status"] for job in line.jobs_of(status)] == ["cancelled"]


def test_misplaced_file_is_shown_with_its_remedy(line: Line) -> None:
    """A path outside the layout is refused where people look, and not silently."""
    line.put("no project/here/training.jsonl", b"{}\n")

    shown = line.wait_for(
        lambda: line.client.get("datasets"), until=lambda d: "no project" in str(d)
    )

    assert "Use 1 to 64 of letters" in json.dumps(shown)
