"""`init`: a folder for a dataset, with a configuration that explains itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.options import JsonOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal
from droptune.domain.dataset import JOB_FILE, Role, role_of_file
from droptune.domain.models import find_model, model_names

TEMPLATE = Path(__file__).with_name("init-job.yaml")
DEFAULT_MODEL = "gpt-4.1-mini"
_ADD = "Add training.jsonl, one example a line; then validate, then submit."
_LINE = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Made if it is not there.")] = (
        Path()
    ),
    model: Annotated[str, typer.Option(help="The base model to fine-tune.")] = DEFAULT_MODEL,
    as_json: JsonOption = False,
) -> int:
    """Make a folder for a dataset, with a commented fine-tune-job.yaml; nothing is overwritten."""
    created = make_folder(folder, model)
    has_data = any(role_of_file(path.name) is Role.TRAINING for path in folder.iterdir())
    following = f"Next: droptune validate {folder}; then submit." if has_data else _ADD
    document = {"folder": str(folder), "created": [str(created)], "next": following}

    def show(terminal: Terminal) -> None:
        terminal.say(f"Wrote {created}.")
        terminal.say(f"  {following}")
        if not has_data:
            terminal.say(f"  {_LINE}", "dim")
            terminal.say(
                "  validation.jsonl and test.jsonl are optional; only evaluation reads test."
            )

    return answer(document, as_json, show)


def make_folder(folder: Path, model: str) -> Path:
    """Write the configuration into a folder and return its path; raises Refusal."""
    if find_model(model) is None:
        raise Refusal(
            f"{model!r} is not a model that can be fine-tuned.",
            f"Known are {', '.join(model_names())}.",
            code=Exit.WRONG_USAGE,
        )
    path = folder / JOB_FILE
    text = TEMPLATE.read_text(encoding="utf-8").replace(DEFAULT_MODEL, model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        what = path if folder.is_dir() else folder
        raise Refusal(
            f"{what} is there already and was left as it is.",
            "Name another folder, or remove it first.",
            code=Exit.WRONG_USAGE,
        ) from None
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}.") from None
    return path
