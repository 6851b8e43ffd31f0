"""Reading configuration files: plain YAML in, values with their lines out, never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.domain.configuration import Ceilings, Configuration, JobFile, resolve
from droptune.domain.findings import Finding
from droptune.domain.models import model_names
from droptune.validation.job_file import LONGEST_FILE, parse_job_file

FILE = "fine-tune-job.yaml"


def parsed(text: str | bytes) -> JobFile:
    data = text.encode() if isinstance(text, str) else text
    job_file, findings = parse_job_file(data, file=FILE)
    assert job_file is not None, [str(found) for found in findings]
    return job_file


def refused(text: str | bytes) -> tuple[Finding, ...]:
    data = text.encode() if isinstance(text, str) else text
    job_file, findings = parse_job_file(data, file=FILE)
    assert job_file is None
    return findings


def understood(text: str) -> Configuration:
    configuration, findings = resolve(
        installation=Ceilings(),
        project_file=None,
        job_file=parsed(text),
        known_models=model_names(),
    )
    assert configuration is not None, [str(found) for found in findings]
    return configuration


AZD_SUPERVISED = """
name: summaries
description: A job as azd's own templates write it
model: gpt-4o-mini
method:
  type: supervised
  supervised:
    hyperparameters:
      epochs: 4
      batch_size: 8
      learning_rate_multiplier: 0.1
      prompt_loss_weight: 0.01
seed: 42
suffix: "sft-trained"
training_file: local:data/summaries_train.jsonl
validation_file: local:data/summaries_valid.jsonl
"""
AZD_OPEN_MODEL = """
model: Ministral-3B
extra_body:
  trainingType: GlobalStandard
training_file: local:supervised/data/sft_training_set.jsonl
method:
  type: supervised
  supervised:
    hyperparameters: {epochs: -1, batch_size: auto}
"""
AZD_DPO = """
model: gpt-4.1-2025-04-14
training_file: "local:./preferences.jsonl"
suffix: "dpo-optimized"
method:
  type: dpo
  dpo:
    hyperparameters:
      epochs: 2
      batch_size: 16
      learning_rate_multiplier: 5e-1
      beta: 3              # a number or "auto"
metadata:
  project: "preference-tuning"
  model-type: "dpo"
  version: 1.0
"""
AZD_MINIMAL = """
model: gpt-4o-mini
training_file: "local:/home/me/training.jsonl"
integrations:
  - type: wandb
    config:
      project: "experiments"
      name: "first"
"""


@pytest.mark.parametrize(
    ("text", "model", "file", "epochs"),
    [
        (AZD_SUPERVISED, "gpt-4o-mini", "data/summaries_train.jsonl", 4),
        (AZD_OPEN_MODEL, "Ministral-3B", "supervised/data/sft_training_set.jsonl", "auto"),
        (AZD_DPO, "gpt-4.1-2025-04-14", "preferences.jsonl", 2),
        (AZD_MINIMAL, "gpt-4o-mini", "/home/me/training.jsonl", "auto"),
    ],
)
def test_file_written_for_azd_is_accepted_unchanged(
    text: str, model: str, file: str, epochs: Any
) -> None:
    """Every field of azd's job files is understood, under its own name.

    Source: the fields of azd's extension azure.ai.finetune and of its published templates, 2026-08.
    """
    configuration = understood(text)

    assert (configuration.model, configuration.training_file) == (model, file)
    assert configuration.n_epochs == epochs


def test_azds_hyperparameters_are_sent_as_numbers() -> None:
    """What azd calls epochs the service calls n_epochs; an exponent is a number."""
    configuration = understood(AZD_DPO)

    assert configuration.method == {
        "type": "dpo",
        "dpo": {
            "hyperparameters": {
                "n_epochs": 2,
                "batch_size": 16,
                "learning_rate_multiplier": 0.5,
                "beta": 3,
            }
        },
    }
    assert configuration.metadata["version"] == "1.0"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        (AZD_MINIMAL.replace("local:/home/me/training.jsonl", "file-abc123"), "file-id"),
        (AZD_DPO.replace("type: dpo", "type: reinforcement"), "not-yet"),
    ],
)
def test_what_azd_takes_and_droptune_does_not_is_said(changed: str, rule: str) -> None:
    """A file id and reinforcement are refused with the reason and a way out."""
    _, findings = resolve(installation=Ceilings(), project_file=None, job_file=parsed(changed))

    assert rule in [found.rule for found in findings]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("105", 105),
        ("-1", -1),
        ("1_000", 1000),
        ("0x10", 16),
        ("0o17", 15),
        ("010", 10),
        ("0.1", 0.1),
        ("1e-4", 0.0001),
        (".5", 0.5),
        ("1.", 1.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("12:30", "12:30"),
        ("2026-10-06", "2026-10-06"),
        ("'105'", "105"),
        ('"true"', "true"),
        ("1.2.3", "1.2.3"),
        ("e5", "e5"),
        ("auto", "auto"),
        ("|\n  two\n  lines", "two\nlines"),
        ("[1, a]", [1, "a"]),
        ("{b: 1}", {"b": 1}),
    ],
)
def test_value_is_read_as_yaml_1_2_says(written: str, value: Any) -> None:
    """A value means here what it means to the tools that the file was written for."""
    read = parsed(f"a: {written}").values["a"]

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff", "---\n...\n"]
)
def test_empty_file_says_nothing(text: str) -> None:
    """A placeholder is no mistake."""
    assert parsed(text).values == {}


def test_each_value_knows_its_line() -> None:
    """The line is that of the key, in block and in flow style, in lists, too."""
    notify = "  notify:\n    - {format: teams,\n       events: []}\n"
    text = f"\ufeff# first\nmodel: x\r\npipeline:\n{notify}"

    lines = parsed(text).lines

    assert lines == {
        "model": 2,
        "pipeline": 3,
        "pipeline.notify": 4,
        "pipeline.notify[0]": 5,
        "pipeline.notify[0].format": 5,
        "pipeline.notify[0].events": 6,
    }


BOMB = "a: &a [x, x]\n" + "".join(
    f"{after}: &{after} [*{before}, *{before}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        (BOMB, "yaml-alias", 1),
        ("a: 1\nb: *a\n", "yaml-alias", 2),
        ("a: 1\na: 2\n", "duplicate-key", 2),
        ("a: {b: 1,\n  b: 2}\n", "duplicate-key", 2),
        ("a: 1\n'a': 2\n", "duplicate-key", 2),
        ("a: !!python/object/apply:os.system [x]\n", "yaml", 1),
        ("a: !mine x\n", "yaml", 1),
        ("%YAML 1.1\n---\na: 1\n", "yaml", 1),
        ("a: 1\n---\nb: 2\n", "yaml", 2),
        ("pipeline:\n\tmode: run\n", "yaml", 2),
        ("a: [1\n", "yaml", 2),
        ("a: b: c\n", "yaml", 1),
        ("a: 'x\n", "yaml", 2),
        ("- a\n", "yaml", 1),
        ("text\n", "yaml", 1),
        ("a: 1\n? [b]\n: 2\n", "yaml", 2),
        ("a: 1\nb: \x07\n", "yaml", 2),
        ("a: \0\n", "yaml", 1),
        ("a: .nan\n", "yaml", 1),
        ("a: -.inf\n", "yaml", 1),
        ("a: 1e999\n", "yaml", 1),
        (f"a: {'9' * 5000}\n", "yaml", 1),
        ("[" * 100_000, "too-large", 1),
        ("".join(f"{'  ' * depth}a:\n" for depth in range(60)), "too-large", 33),
        ("a: b\n" * 40_000, "too-large", 10_000),
        (b"a: 1\nb: \xff\n", "encoding", 2),
        ("a: 1\n".encode("utf-16"), "encoding", 1),
        ("a: 1\n".encode("utf-16-le"), "yaml", 1),
        (b"\x1f\x8b\x08\x00", "encoding", 1),
        (b"a" * (LONGEST_FILE + 1), "too-large", None),
    ],
)
def test_hostile_file_is_a_finding(text: str | bytes, rule: str, line: int | None) -> None:
    """Whatever is in the file, there is a sentence, a remedy, and mostly a line."""
    found = refused(text)[0]

    assert (found.rule, found.line, found.file) == (rule, line, FILE)
    assert found.message.endswith(".")
    assert found.fix.endswith(".")


def test_tab_is_named() -> None:
    """The commonest mistake has a sentence of its own."""
    [found] = refused("pipeline:\n\tmode: run\n")

    assert (found.message, found.fix) == (
        "This is not YAML: a tab cannot indent.",
        "Indent with spaces.",
    )


def test_all_bad_values_of_a_file_are_reported_at_once() -> None:
    """Duplicate keys and bad numbers are said together."""
    findings = refused("a: 1\na: 2\nb: .inf\nb: 3\n")

    assert [(found.rule, found.line) for found in findings] == [
        ("duplicate-key", 2),
        ("yaml", 3),
        ("duplicate-key", 4),
    ]


def test_many_bad_values_are_cut() -> None:
    """A hostile file costs twenty sentences."""
    assert len(refused("a: 1\n" * 5000)) == 20


@pytest.mark.parametrize("secret", ["sk-abcdefghijklmnopqrstuvwxyz012345"])
@pytest.mark.parametrize(
    "text", ["{0}: 1\n{0}: 2\n", "a: &{0} 1\n", "a: !{0} 1\n", "a: '{0}\n", "{0}"]
)
def test_broken_file_does_not_show_its_secrets(secret: str, text: str) -> None:
    """What cannot be read is not repeated."""
    findings = refused(text.format(secret))

    assert secret not in "".join(map(str, findings))


@settings(deadline=None)
@given(st.text() | st.text(alphabet="ab:-[]{}#&*!|>'\"%@`?,\n \t0.~", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text crashes the reader, nor what comes after it."""
    job_file, findings = parse_job_file(text.encode("utf-8", "surrogatepass"), file=FILE)

    if job_file is None:
        assert findings
    else:
        resolve(installation=Ceilings(), project_file=None, job_file=job_file)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nor do bytes."""
    job_file, findings = parse_job_file(data, file=FILE)

    assert (job_file is None) == bool(findings)
