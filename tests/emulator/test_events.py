"""What a job tells: events, metrics, checkpoints, the results file."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

from openai.types.fine_tuning import FineTuningJobEvent

from tests.emulator.resources import Resource, chat_data, jsonl

BEFORE_TRAINING = [
    "Job enqueued. Waiting for jobs ahead to complete.",
    "Preprocessing running for file training file.",
    "Preprocessing completed for file training file.",
    "Preprocessing completed for file validation file.",
    "Job started.",
    "Data Import started.",
    "Finetuning started.",
    "Job queued, waiting for GPUs.",
    "Training started.",
]


def events(resource: Resource, job_id: str) -> list[FineTuningJobEvent]:
    """Return all events, oldest first."""
    return [*resource.v1.fine_tuning.jobs.list_events(job_id, limit=7)][::-1]


def test_events_come_in_the_order_of_a_real_job(resource: Resource) -> None:
    """Texts and order are those on record; walked in pages, newest first."""
    job = resource.trained(validation_file=resource.processed())

    told = [event.message for event in events(resource, job.id)]

    results = job.result_files[0]
    steps = told[len(BEFORE_TRAINING) + 1 : -4]
    assert told[: len(BEFORE_TRAINING)] == BEFORE_TRAINING
    assert told[len(BEFORE_TRAINING)] == f"Created results file: {results}"
    assert all(text.startswith("Step ") and ": training loss=" in text for text in steps)
    assert told[-4:] == [
        "Job succeeded.",
        "Model Evaluation Passed.",
        f"Completed results file: {results}",
        f"Training tokens billed: {job.trained_tokens}",
    ]


def test_metrics_of_a_step_are_data(resource: Resource) -> None:
    """A step's event carries its figures; losses on validation data where there is some."""
    job = resource.trained(validation_file=resource.processed())

    steps = [event for event in events(resource, job.id) if event.type == "metrics"]

    assert steps
    for event in steps:
        assert isinstance(event.data, dict)
        assert {"step", "train_loss", "valid_loss", "valid_mean_token_accuracy"} <= set(event.data)
    last = steps[-1].data
    assert isinstance(last, dict)
    assert {"full_valid_loss", "full_valid_mean_token_accuracy"} <= set(last)


def test_events_are_told_as_they_happen(resource: Resource) -> None:
    """What was told once is told again, and more of it later."""
    job, told = resource.create_job(), list[list[str]]()
    for _ in range(12):
        told.append([event.id for event in events(resource, job.id)])
        resource.advance(12)

    assert all(later[: len(before)] == before for before, later in pairwise(told))
    assert len(told[0]) == 1
    assert len(told[-1]) > 20


def test_pause_and_resume_are_told(resource: Resource) -> None:
    """A pause is seen between the steps."""
    job = resource.create_job()
    resource.advance(70)
    resource.v1.fine_tuning.jobs.pause(job.id)
    resource.advance(60)
    resource.v1.fine_tuning.jobs.resume(job.id)
    resource.advance(3600)

    told = [event.message for event in events(resource, job.id)]

    paused = told.index("Job paused.")
    assert told[paused + 1] == "Job resumed."
    assert told[paused - 1].startswith("Step ")
    assert told[paused + 2].startswith("Step ")


def test_cancelled_job_tells_nothing_after_its_end(resource: Resource) -> None:
    """The last event is the end."""
    job = resource.create_job()
    resource.advance(15)
    resource.v1.fine_tuning.jobs.cancel(job.id)
    resource.advance(3600)

    assert [event.message for event in events(resource, job.id)] == [
        *BEFORE_TRAINING[:2],
        "Job cancelled.",
    ]


def test_long_job_tells_every_tenth_step(resource: Resource) -> None:
    """More than 60 steps are told in tens."""
    job = resource.trained(chat_data(40))

    steps = [event.data for event in events(resource, job.id) if event.type == "metrics"]

    assert [step["step"] for step in steps if isinstance(step, dict)] == [1, *range(10, 121, 10)]


def test_checkpoints_are_those_of_the_last_three_epochs(resource: Resource) -> None:
    """Newest first; the newest is the model itself, the others are named by their step."""
    job = resource.trained(validation_file=resource.processed())

    found = resource.v1.fine_tuning.jobs.checkpoints.list(job.id).data

    model = job.fine_tuned_model
    assert [each.step_number for each in found] == [100, 80, 60]
    assert [each.fine_tuned_model_checkpoint for each in found] == [
        model,
        f"{model}:ckpt-step-80",
        f"{model}:ckpt-step-60",
    ]
    assert all(each.id.startswith("ftchkpt-") for each in found)
    assert all(each.metrics.full_valid_loss is not None for each in found)


def test_checkpoints_appear_while_the_job_runs(resource: Resource) -> None:
    """An epoch that has ended has its checkpoint before the job has."""
    job = resource.create_job()
    resource.advance(90)

    found = resource.v1.fine_tuning.jobs.checkpoints.list(job.id).data

    assert 0 < len(found) < 3
    assert resource.status_of(job) == "running"


def test_results_file_has_a_row_for_each_step_told(resource: Resource) -> None:
    """The file agrees with the events, and cells without a figure are empty."""
    job = resource.trained()
    text = resource.v1.files.content(job.result_files[0]).text

    rows = list(csv.DictReader(io.StringIO(text)))
    told = [event.data for event in events(resource, job.id) if event.type == "metrics"]

    assert text.startswith("step,train_loss,train_mean_token_accuracy,valid_loss,")
    assert [(int(row["step"]), float(row["train_loss"])) for row in rows] == [
        (data["step"], data["train_loss"]) for data in told if isinstance(data, dict)
    ]
    assert {row["valid_loss"] for row in rows} == {""}


def test_results_file_is_a_file_like_others(resource: Resource) -> None:
    """It is found among the files by its purpose."""
    job = resource.trained()

    [results] = resource.v1.files.list(purpose="fine-tune-results").data

    assert (results.id, results.filename) == (job.result_files[0], "results.csv")


def test_content_of_any_shape_trains(resource: Resource) -> None:
    """Parts, tool calls, function calls, weights and odd characters do not break training."""
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": '{"a": "\u2028"}'},
    }
    answers = [
        {"role": "assistant", "content": "\u2028\U0001f600", "weight": 0},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "assistant", "content": [{"type": "text", "text": "part"}]},
        {"role": "assistant", "content": None, "refusal": "No."},
    ]
    parts = [{"type": "image_url", "image_url": {"url": "data:"}}, {"type": "text", "text": "Hi"}]
    asks = [{"role": "developer", "content": 5}, {"role": "user", "content": parts}]
    rows = [{"messages": [*asks, answer]} for answer in answers for _ in range(3)]

    assert resource.trained(jsonl(rows)).status == "succeeded"
