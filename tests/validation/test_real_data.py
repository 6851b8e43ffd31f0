"""Real datasets have nothing wrong with them, and their tokens are the recipe's to the last one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.domain.dataset import Role, role_of_file
from droptune.domain.findings import Severity
from droptune.validation import FileSource, Report, TokenFigures, ValidationRequest, validate
from droptune.validation.figures import histogram_of
from droptune.validation.tokens import load_encoding

SHARED = Path(__file__).parents[3] / "shared" / "data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the real datasets are not on this machine")
datasets = pytest.mark.parametrize("name", ["clippy", "gsm8k", "stock-tools"])


def paths_of(name: str) -> dict[Role, Path]:
    found = {role_of_file(path.name): path for path in (SHARED / name).glob("*.jsonl")}
    return {role: path for role, path in found.items() if role is not None}


def report_on(name: str) -> Report:
    sources = [FileSource(path=path, role=role) for role, path in paths_of(name).items()]
    return validate(sources, request=ValidationRequest(model="gpt-4o"))


@real
@datasets
def test_real_dataset_has_no_errors_and_few_warnings(name: str) -> None:
    """A scanner that cries wolf gets switched off: no error, three warnings at most."""
    report = report_on(name)

    warnings = [each for each in report.findings if each.severity is Severity.WARNING]
    assert report.errors() == ()
    assert len(warnings) <= 3


@real
@datasets
@pytest.mark.parametrize("role", [Role.TRAINING, Role.VALIDATION])
def test_tokens_are_the_recipe_s(name: str, role: Role) -> None:
    """Every figure of total and assistant tokens is the published recipe's, counted by tiktoken."""
    total, assistant = recipe(paths_of(name)[role])

    file = report_on(name).file(role)

    assert file is not None
    assert file.tokens["total"] == total
    assert file.tokens["assistant"] == assistant


def recipe(path: Path) -> tuple[TokenFigures, TokenFigures]:
    """Count as it is published: 3 a message, string values, 1 for a name, 3 an example."""
    encoding = load_encoding("o200k_base")
    totals, assistants = [], []
    for line in path.read_text("utf-8").splitlines():
        messages = json.loads(line)["messages"]
        total = assistant = 0
        for message in messages:
            values = {key: value for key, value in message.items() if isinstance(value, str)}
            counts = {key: len(encoding.encode(value)) for key, value in values.items()}
            total += 3 + ("name" in message) + sum(counts.values())
            if message["role"] == "assistant":
                assistant += counts.get("content", 0)
        totals.append(total + 3)
        assistants.append(assistant)
    return histogram_of(totals).figures(), histogram_of(assistants).figures()
