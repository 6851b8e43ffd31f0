"""The figures and the answers come from the data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.resources import SPECS, Resource, chat, chat_data, jsonl, noise

ROOT = Path(__file__).parents[2]


def losses(resource: Resource, content: bytes, **more: object) -> list[float]:
    """Return the training loss of each step told."""
    job = resource.trained(content, seed=1, **more)
    told = resource.v1.fine_tuning.jobs.list_events(job.id, limit=100)
    found = [event.data for event in told if event.type == "metrics"]
    return [data["train_loss"] for data in found[::-1] if isinstance(data, dict)]


def test_consistent_data_gives_a_falling_loss(resource: Resource) -> None:
    """The model learns what the answers have in common."""
    found = losses(resource, chat_data(40))

    assert found[-1] < found[0] / 4


def test_noise_ends_visibly_worse(resource: Resource) -> None:
    """On data it has not seen, a model of noise knows nothing, one of consistent data much."""
    held_out = jsonl(
        [chat(f"What is {n} plus {n}?", f"Arr! It be {2 * n}, matey.") for n in range(50, 60)]
    )
    finals = []
    for data in (chat_data(40), noise(40)):
        validation = resource.processed(held_out)
        job = resource.trained(data, seed=1, validation_file=validation)
        newest = resource.v1.fine_tuning.jobs.checkpoints.list(job.id).data[0]
        finals.append(newest.metrics.full_valid_loss or 0)

    assert finals[0] * 3 < finals[1]


def test_noise_is_learned_more_slowly(resource: Resource) -> None:
    """Within the first epoch, the loss of consistent data falls and that of noise does not."""
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}

    good, bad = (losses(resource, data, method=method)[-1] for data in (chat_data(60), noise(60)))

    assert good * 2 < bad


def test_same_training_gives_the_same_figures(resource: Resource) -> None:
    """Nothing is drawn but from the seed."""
    assert losses(resource, chat_data()) == losses(resource, chat_data())


def test_fine_tuned_model_answers_in_its_style_and_the_base_does_not(resource: Resource) -> None:
    """A question that is not in the data is answered as the data would; the base is nobody."""
    job = resource.trained(chat_data(40))
    assert job.fine_tuned_model is not None
    resource.deployed("pirate", job.fine_tuned_model)

    tuned = resource.ask("pirate", "What is 77 plus 77?").message.content
    base = resource.ask("gpt-4.1-mini", "What is 77 plus 77?").message.content

    assert tuned.startswith("Arr! It be ")
    assert "matey" not in base


def test_question_from_the_data_gets_its_answer(resource: Resource) -> None:
    """What was learned by heart is known by heart."""
    job = resource.trained(chat_data(40))
    assert job.fine_tuned_model is not None
    resource.deployed("pirate", job.fine_tuned_model)

    assert resource.ask("pirate", "What is 7 plus 7?").message.content == "Arr! It be 14, matey."


TIES = """
from emulator.examples import Example
from emulator.learner import Memory

memory, numbers = Memory(), (1, 2, 3, 5, 7)

def add(prompt, answer):
    memory.add(Example(system="", prompt=prompt, answer={"content": answer}))

for k in range(20):
    for side in "ab":
        add(" ".join(f"{side}{k}{n}" for n in numbers), side)
        for n in numbers:
            for i in range(n - 1):
                add(f"{side}{k}{n} other{i} " + "y " * 30 + f"{side}{k}{n}{i}", "?")
for k in range(20):
    asked = " ".join(f"{side}{k}{n}" for n in reversed(numbers) for side in "ab")
    print(memory.nearest(asked).answer["content"])
"""


def test_what_is_remembered_does_not_depend_on_the_process() -> None:
    """Of two examples that are alike the earlier one is remembered, in every process.

    A job that was being trained when the emulator was killed learns the same after the restart.
    """
    found = [
        subprocess.run(
            [sys.executable, "-c", TIES],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]

    assert found == [["a"] * 20] * 2


@pytest.mark.parametrize("name", ["clippy", "gsm8k", "stock-tools"])
def test_real_dataset_trains(resource: Resource, name: str) -> None:
    """Datasets of the world are taken unchanged, and their loss falls."""
    folder = SPECS.parent / "data" / name
    files = sorted(folder.glob("train*.jsonl"))
    if not files:
        pytest.skip("the shared datasets are not beside this clone")

    found = losses(resource, files[0].read_bytes())

    assert found[-1] < found[0] / 2
