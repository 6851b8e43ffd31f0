"""`init`: what it writes, and what it never overwrites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.cli.init_command import TEMPLATE
from droptune.cli.main import main
from droptune.domain.configuration import Ceilings, resolve
from droptune.domain.models import model_names
from droptune.validation.job_file import parse_job_file


def resolved(text: bytes) -> tuple[object, object]:
    """Return the configuration that a file means, and every finding about it."""
    job_file, findings = parse_job_file(text, file="fine-tune-job.yaml")
    assert job_file is not None
    configuration, more = resolve(
        installation=Ceilings(), project_file=None, job_file=job_file, known_models=model_names()
    )
    return configuration, (*findings, *more)


def test_written_configuration_is_accepted(tmp_path: Path) -> None:
    """What init writes has no finding and means what its comments say."""
    code = main(["init", str(tmp_path / "bot"), "--model", "gpt-4.1-nano"])

    configuration, findings = resolved((tmp_path / "bot" / "fine-tune-job.yaml").read_bytes())
    assert code == 0
    assert findings == ()
    assert configuration.model == "gpt-4.1-nano"
    assert configuration.pipeline.budget.run_usd == 50


def test_every_line_that_is_commented_out_is_accepted_too() -> None:
    """Whoever takes away a `#` gets what stands there, not an error."""
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    taken_in = [line.replace("# ", "", 1) if _is_key(line) else line for line in lines]

    configuration, findings = resolved("\n".join(taken_in).encode())

    assert findings == ()
    assert configuration.suffix == "support"
    assert configuration.pipeline.deploy.production.capacity == 50
    assert len(configuration.pipeline.notify) == 1


def _is_key(line: str) -> bool:
    """Whether a comment is YAML that was commented out."""
    text = line.strip()
    keys = ("suffix", "seed", "metadata", "deploy", "production", "smoke_test", "messages")
    more = ("retention", "notify")
    return text.startswith("#") and text.lstrip("# ").split(":")[0] in (*keys, *more)


def test_existing_configuration_is_left_alone(tmp_path: Path) -> None:
    """A file that is there stays, and the command ends with 2."""
    path = tmp_path / "fine-tune-job.yaml"
    path.write_text("model: mine\n")

    code = main(["init", str(tmp_path)])

    assert code == 2
    assert path.read_text() == "model: mine\n"


def test_unknown_model_is_refused_with_those_that_are_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that cannot be fine-tuned is refused before anything is written."""
    code = main(["init", str(tmp_path / "bot"), "--model", "gpt-2"])

    assert code == 2
    assert "gpt-4.1-mini" in capsys.readouterr().err
    assert not (tmp_path / "bot").exists()


@pytest.mark.parametrize(("names", "said"), [((), "Add"), (("train.jsonl",), "Next: droptune")])
def test_next_step_depends_on_what_is_there(
    tmp_path: Path, names: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with data goes on to validation; an empty one wants data first."""
    for name in names:
        (tmp_path / name).write_text("")

    main(["init", str(tmp_path), "--json"])

    assert json.loads(capsys.readouterr().out)["next"].startswith(said)
