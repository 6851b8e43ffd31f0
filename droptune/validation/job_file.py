"""Reading `fine-tune-job.yaml` and `project.yaml`: hostile text in, values with their lines out."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from typing import Any

from droptune.domain.configuration import JobFile
from droptune.domain.findings import Finding, Severity
from droptune.validation.yaml_scalars import BadScalarError, read_scalar

LONGEST_FILE = 256 << 10
_MOST_TOKENS = 40_000
_DEEPEST = 32
_MOST_FINDINGS = 20


class _BadFile(Exception):
    def __init__(self, rule: str, message: str, fix: str, line: int | None = None) -> None:
        super().__init__(message)
        self.rule, self.fix, self.line = rule, fix, line

    def finding(self, file: str) -> Finding:
        return Finding(
            rule=self.rule,
            severity=Severity.ERROR,
            file=file,
            line=self.line,
            message=str(self),
            fix=self.fix,
        )


def parse_job_file(data: bytes, *, file: str) -> tuple[JobFile | None, tuple[Finding, ...]]:
    """Parse a configuration file; one that cannot be read gives None and says why.

    Only plain YAML is read: no tags, no aliases, no duplicate keys, one document. Numbers, booleans
    and nulls are those of YAML 1.2, so that `no` is text and `1e-4` a number. An empty file says
    nothing. The same bytes are read once; whoever asks gets values of their own.
    """
    read, findings = _parse(data, file)
    return (replace(read, values=deepcopy(read.values)) if read else None), findings


@lru_cache(maxsize=32)
def _parse(data: bytes, file: str) -> tuple[JobFile | None, tuple[Finding, ...]]:
    reader = _Reader()
    try:
        values = reader.read(_decode(data))
    except _BadFile as bad:
        return None, (bad.finding(file),)
    if reader.bad:
        return None, tuple(bad.finding(file) for bad in reader.bad[:_MOST_FINDINGS])
    return JobFile(file=file, values=values, lines=reader.lines), ()


def _decode(data: bytes) -> str:
    if len(data) > LONGEST_FILE:
        raise _BadFile("too-large", f"The file has {len(data)} bytes.", "Use at most 256 KB.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        said = f"Byte {error.start} is not UTF-8."
        line = data.count(b"\n", 0, error.start) + 1
        raise _BadFile("encoding", said, "Save the file as UTF-8.", line) from None


def _compose(text: str) -> Any:
    """Return the root node of the only document, or None when the file is empty."""
    import yaml

    try:
        _refuse_what_is_not_plain(text)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(text, error.problem, error.problem_mark) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        said = f"The character U+{ord(text[error.position]):04X} is not allowed."
        raise _BadFile("yaml", said, "Remove it, or save plain text.", line) from None
    except RecursionError:
        raise _too_deep() from None


def _not_yaml(text: str, problem: str | None, mark: Any) -> _BadFile:
    if problem == "but found another document":
        said, fix = "The file holds more than one document.", "Remove `---` and what follows it."
    elif mark is not None and text[mark.index : mark.index + 1] == "\t":
        said, fix = "This is not YAML: a tab cannot indent.", "Indent with spaces."
    else:
        said = f"This is not YAML: {problem or 'it cannot be read'}."
        fix = "Mind indentation, quotes and colons."
    return _BadFile("yaml", said, fix, mark.line + 1 if mark else None)


def _too_deep(line: int | None = None) -> _BadFile:
    return _BadFile("too-large", "The file is nested too deeply.", "Nest less.", line)


def _refuse_what_is_not_plain(text: str) -> None:
    import yaml

    refused: dict[type, tuple[str, str, str]] = {
        yaml.AnchorToken: ("yaml-alias", "Anchors and aliases are not read.", "Write it out."),
        yaml.AliasToken: ("yaml-alias", "Anchors and aliases are not read.", "Write it out."),
        yaml.TagToken: ("yaml", "Tags are not read.", "Write plain values, or quote `!`."),
        yaml.DirectiveToken: ("yaml", "Directives are not read.", "Remove the line."),
    }
    deep = 0
    for number, token in enumerate(yaml.scan(text, Loader=yaml.SafeLoader)):
        line = token.start_mark.line + 1
        if said := refused.get(type(token)):
            raise _BadFile(*said, line)
        deep += _step(token)
        if deep > _DEEPEST:
            raise _too_deep(line)
        if number > _MOST_TOKENS:
            raise _BadFile("too-large", "The file holds too many values.", "Write fewer.", line)


def _step(token: Any) -> int:
    """Return 1 for a token that opens a mapping or list, -1 for one that closes it."""
    name = type(token).__name__
    if name in ("BlockMappingStartToken", "BlockSequenceStartToken"):
        return 1
    if name in ("FlowMappingStartToken", "FlowSequenceStartToken"):
        return 1
    return -1 if name in ("BlockEndToken", "FlowMappingEndToken", "FlowSequenceEndToken") else 0


class _Reader:
    """Builds plain values from YAML nodes, remembers where each stood, and what was wrong."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.bad: list[_BadFile] = []

    def read(self, text: str) -> dict[str, Any]:
        """Return the document; an empty one is an empty mapping."""
        node = _compose(text)
        if node is None or (node.id == "scalar" and not node.style and node.value == ""):
            return {}
        if node.id != "mapping":
            said = "The file is not a mapping of keys to values."
            raise _BadFile("yaml", said, "Begin with a line such as `model: gpt-4.1-mini`.", 1)
        return self._mapping(node, "")

    def _mapping(self, node: Any, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, key_line, value in self._pairs(node):
            where = f"{path}.{key}" if path else key
            if key in found:
                said = f"A key stands twice, first in line {self.lines[where]}."
                self.bad.append(_BadFile("duplicate-key", said, "Keep one of them.", key_line))
                continue
            self.lines[where] = key_line
            found[key] = self._value(value, where)
        return found

    def _pairs(self, node: Any) -> Iterator[tuple[str, int, Any]]:
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.id == "scalar":
                yield str(key.value), line, value
            else:
                said = "A key is not plain text."
                self.bad.append(_BadFile("yaml", said, "Use plain keys.", line))

    def _value(self, node: Any, path: str) -> Any:
        if node.id == "mapping":
            return self._mapping(node, path)
        if node.id == "sequence":
            return [self._item(item, f"{path}[{at}]") for at, item in enumerate(node.value)]
        try:
            return read_scalar(node.value, plain=node.style is None)
        except BadScalarError as error:
            line = node.start_mark.line + 1
            self.bad.append(_BadFile("yaml", str(error), "Use a number, or quote it.", line))
            return None

    def _item(self, node: Any, path: str) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self._value(node, path)
