"""What a command line names: data files with their roles, a configuration, standard input."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from droptune.cli.refusals import Exit, Refusal
from droptune.domain.dataset import JOB_FILE, Role, role_of_file

_YAML = (".yaml", ".yml")
STANDARD_INPUT = "standard input"


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What the command line names: data with its role, and a configuration file or None.

    Attributes:
        labels: how files are called in the report, where that is not their name.
    """

    data: tuple[tuple[Path, Role], ...]
    job_file: Path | None
    labels: Mapping[Path, str] = field(default_factory=dict)

    def label(self, path: Path) -> str:
        """Return how a file is called in the report."""
        return self.labels.get(path, path.name)

    def paths(self) -> dict[str, str]:
        """Return where each file lies, by its name in the report."""
        found = {
            label: str(path) if path.as_posix().endswith(label) else label
            for path, _ in self.data
            for label in (self.label(path),)
        }
        return found | ({self.job_file.name: str(self.job_file)} if self.job_file else {})


def sort_given(paths: list[Path]) -> Given:
    """Give each file its role by its name; a file without a telling name is training data."""
    each_once = {file.absolute(): file for path in paths for file in _expand(path)}
    job_files = [file for file in each_once.values() if file.suffix.lower() in _YAML]
    data = [file for file in each_once.values() if file.suffix.lower() not in _YAML]
    if not data:
        named = ", ".join(str(path) for path in paths)
        raise Refusal(
            f"There is no data file in what is named: {named}.",
            "Name training.jsonl, or a folder that holds it.",
            code=Exit.WRONG_USAGE,
        )
    if len(job_files) > 1:
        names = ", ".join(str(path) for path in job_files)
        raise Refusal(f"Two configurations: {names}.", "Name one.", code=Exit.WRONG_USAGE)
    return Given(
        data=tuple((path, _role(path, paths)) for path in data),
        job_file=job_files[0] if job_files else None,
        labels=_labels(data, paths),
    )


def sort_by_folder(paths: list[Path]) -> list[Given]:
    """Return each dataset of which a file is named: its folder, or a bare file alone."""
    found: dict[Path, list[Path]] = {}
    for path in paths:
        is_bare = path.is_file() and path.suffix.lower() not in _YAML and _role_of(path) is None
        place = path if is_bare or path.is_dir() else path.parent
        found.setdefault(place, [place])
    return [sort_given(named) for named in found.values()]


def spooled(paths: list[Path], stack: ExitStack) -> tuple[list[Path], dict[Path, str]]:
    """Return paths with pipes and `-` read into files that the stack removes, and their names.

    Data is read more than once and by several processes, which a pipe does not allow.
    """
    found: list[Path] = []
    names: dict[Path, str] = {}
    for path in paths:
        if str(path) != "-" and not _is_pipe(path):
            found.append(path)
            continue
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="droptune-")))
        copy = folder / "training.jsonl"
        _copy(path, copy)
        is_input = str(path) in ("-", "/dev/stdin")
        names[copy] = STANDARD_INPUT if is_input else str(path)
        found.append(copy)
    return found, names


def _copy(path: Path, copy: Path) -> None:
    try:
        with copy.open("wb") as into:
            if str(path) == "-":
                if sys.stdin is None:  # it was closed by whoever started the program
                    raise Refusal("Standard input is closed.", code=Exit.WRONG_USAGE)
                shutil.copyfileobj(sys.stdin.buffer, into, 1 << 20)
            else:
                with path.open("rb") as stream:
                    shutil.copyfileobj(stream, into, 1 << 20)
    except OSError as error:
        raise Refusal(f"{path} cannot be read: {error.strerror}.") from error


def _is_pipe(path: Path) -> bool:
    try:
        return path.is_fifo() or path.is_char_device() or path.is_socket()
    except OSError:
        return False


def _expand(path: Path) -> list[Path]:
    try:
        if path.is_file():
            return [path]
        if path.is_dir():
            inside = sorted(file for each in ("*", "*/*") for file in path.glob(each))
            wanted = (each for each in inside if each == path / JOB_FILE or _role_of(each, path))
            return [file for file in wanted if file.is_file()]
    except OSError as error:
        said = f"{path} cannot be read: {error.strerror}."
        raise Refusal(said, "Name what may be read.", code=Exit.WRONG_USAGE) from error
    raise Refusal(f"There is no {path}.", "Name files or a folder.", code=Exit.WRONG_USAGE)


def _folder_of(path: Path, named: list[Path]) -> Path | None:
    return next((each for each in named if each != path and each in path.parents), None)


def _role(path: Path, named: list[Path]) -> Role:
    return _role_of(path, _folder_of(path, named)) or Role.TRAINING


def _role_of(path: Path, folder: Path | None = None) -> Role | None:
    return role_of_file(path.relative_to(folder).as_posix() if folder else path.name)


def _labels(data: list[Path], named: list[Path]) -> dict[Path, str]:
    """Return short names that tell the files apart."""
    labels = {}
    for path in data:
        folder = _folder_of(path, named)
        labels[path] = path.relative_to(folder).as_posix() if folder else path.name
    often = Counter(labels.values())
    return {path: str(path) if often[label] > 1 else label for path, label in labels.items()}
