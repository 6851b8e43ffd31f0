"""`split`: training data without validation or test data gets them, near duplicates together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.new_files import new_files, refuse_used_folder
from droptune.cli.options import JsonOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal
from droptune.domain.dataset import Role
from droptune.domain.report.wording import number_of


def split(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The training data.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the files.")],
    validation: Annotated[float, typer.Option(min=0, max=0.9, help="Share for validation.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=0.9, help="Share held out for tests.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Another seed draws other examples.")] = 0,
    as_json: JsonOption = False,
) -> int:
    """Divide a file into training, validation and test data; the same file is divided the same."""
    from droptune.validation import FileSource
    from droptune.validation.rewriting.lines import LineTooLongError
    from droptune.validation.rewriting.splitting import divide, lines_by_role

    shares = {Role.VALIDATION: validation, Role.TEST: test}
    wanted = {role: share for role, share in shares.items() if share}
    if not wanted or sum(wanted.values()) >= 1:
        said = "The shares leave nothing to divide, or nothing to train on."
        raise Refusal(said, "Say --validation 0.1.", code=Exit.WRONG_USAGE)
    refuse_used_folder(out, [file])
    source = FileSource(path=file, role=Role.TRAINING)
    counted: Counter[Role] = Counter()
    try:
        division = divide(source, wanted, seed=seed)
        roles = [Role.TRAINING, *wanted]
        with new_files([out / f"{role.value}.jsonl" for role in roles]) as streams:
            into = dict(zip(roles, streams, strict=True))
            for role, line in lines_by_role(source, division):
                into[role].write(line)
                counted[role] += 1
    except LineTooLongError as error:
        raise Refusal(f"Nothing was written: {error}.", code=Exit.NO) from error
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror}."
        raise Refusal(said, code=Exit.WRONG_USAGE) from error
    document = {
        "folder": str(out),
        "lines": {role.value: counted[role] for role in roles},
        "examples": division.examples,
        "groups": division.groups,
        "seed": seed,
    }

    def show(terminal: Terminal) -> None:
        for role in roles:
            terminal.say(f"  {role.value:<12} {number_of(counted[role], 'line')}")
        terminal.say(f"Wrote {out}; next: droptune validate {out}")

    return answer(document, as_json, show)
