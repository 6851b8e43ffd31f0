"""Every report is what the published schema says, field for field."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from droptune.cli.given import sort_given
from droptune.cli.main import main
from droptune.cli.validation_report import report_on as report_on_files
from droptune.validation.rules import RULES
from droptune.validation.rules.registry import Rule
from tests.validation.rules.fixture_runs import report_on

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
PUBLISHED = ROOT / "droptune" / "api" / "schemas" / "report.schema.json"
SCHEMA: dict[str, Any] = json.loads(PUBLISHED.read_text("utf-8"))


def without_room(schema: Any) -> Any:
    """Return a schema in which no object may have a field that is not written down."""
    if isinstance(schema, dict):
        closed = {key: without_room(value) for key, value in schema.items()}
        return closed | ({"additionalProperties": False} if "properties" in schema else {})
    return [without_room(each) for each in schema] if isinstance(schema, list) else schema


STRICT = jsonschema.Draft202012Validator(
    without_room(SCHEMA), format_checker=jsonschema.FormatChecker()
)


def faults_of(document: Any) -> list[str]:
    """Return what a document, as it is stored, has against the schema."""
    stored = json.loads(json.dumps(document))
    return [f"{error.json_path}: {error.message}" for error in STRICT.iter_errors(stored)]


def test_schema_is_one() -> None:
    """The published file is a valid schema of its own draft."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_reports_of_every_rule_s_fixtures_keep_to_the_schema(rule: Rule) -> None:
    """What any rule finds, in good data and bad, fits."""
    found = [faults_of(report_on(each).to_payload()) for each in rule.cases()]

    assert found == [[], []]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real datasets are not on this machine")
@pytest.mark.parametrize("model", [None, "gpt-4.1-mini", "gpt-6"])
@pytest.mark.parametrize("name", ["clippy", "gsm8k", "stock-tools"])
def test_reports_on_real_datasets_keep_to_the_schema(name: str, model: str | None) -> None:
    """With a model, without one, and with one that is not known."""
    given = sort_given([SHARED / name])

    report = report_on_files(given, model=model, earlier=SHARED / "clippy", with_samples=True)

    assert faults_of(report) == []


def test_report_with_everything_in_it_keeps_to_the_schema(tmp_path: Path, capsys: Any) -> None:
    """Findings of the configuration, samples, a difference and a corrected copy among it."""
    (tmp_path / "v1").mkdir()
    (tmp_path / "v2").mkdir()
    lines = (ROOT / "samples" / "broken" / "training.jsonl").read_text("utf-8").splitlines()
    (tmp_path / "v1" / "training.jsonl").write_text("\n".join(lines[1:]))
    (tmp_path / "v2" / "training.jsonl").write_text("\n".join([*lines[:40], "", lines[0]]))
    job = "model: gpt-4.1\nmodle: x\npipeline: {budget: {run_usd: 1}}\n"
    (tmp_path / "v2" / "fine-tune-job.yaml").write_text(job)
    options = ["--json", "--earlier", str(tmp_path / "v1"), "--fix", str(tmp_path / "out")]

    code = main(["validate", str(tmp_path / "v2"), *options])

    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert faults_of(report) == []
    assert all(report[name] for name in ("samples", "diff", "fixed", "unknown", "cost"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "maybe"),
        (("files", 0, "sha256"), "x"),
        (("files", 0, "tokens", "total", "n"), -1),
        (("cost", "low"), "1"),
        (("findings",), [{}]),
        (("more",), 1),
    ],
)
def test_schema_would_notice_what_is_wrong(path: tuple[Any, ...], value: Any) -> None:
    """The check can fail."""
    rule = next(iter(RULES.values()))
    document = copy.deepcopy(json.loads(json.dumps(report_on(rule.cases()[1]).to_payload())))
    at = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value

    assert faults_of(document)
