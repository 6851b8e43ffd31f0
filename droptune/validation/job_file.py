"""Reading `fine-tune-job.yaml` and `project.yaml`: hostile text in, values with their lines out."""

from __future__ import annotations

import math
from typing import Any

from droptune.domain.configuration import JobFile
from droptune.domain.findings import Finding, Severity

LONGEST_FILE = 256 << 10
_MOST_NODES = 10_000


class _BadFile(Exception):
    def __init__(self, rule: str, message: str, fix: str, line: int | None = None) -> None:
        super().__init__(message)
        self.rule, self.fix, self.line = rule, fix, line


def parse_job_file(data: bytes, *, file: str) -> tuple[JobFile | None, tuple[Finding, ...]]:
    """Parse a configuration file; what cannot be read at all is one finding.

    Only plain YAML is read: no tags, no aliases, no duplicate keys. An empty file says nothing.
    """
    try:
        values, lines = _read(data)
    except _BadFile as bad:
        finding = Finding(
            rule=bad.rule,
            severity=Severity.ERROR,
            file=file,
            line=bad.line,
            message=str(bad),
            fix=bad.fix,
        )
        return None, (finding,)
    return JobFile(file=file, values=values, lines=lines), ()


def _read(data: bytes) -> tuple[dict[str, Any], dict[str, int]]:
    import yaml

    if len(data) > LONGEST_FILE:
        raise _BadFile("too-large", f"The file has {len(data)} bytes.", "Use at most 256 KB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        said = f"Byte {error.start} is not UTF-8."
        raise _BadFile("encoding", said, "Save the file as UTF-8.") from None
    try:
        _refuse_aliases(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        said = f"This is not YAML: {error.problem or 'it cannot be read'}."
        raise _BadFile("yaml", said, "Mind indentation, quotes and colons.", line) from None
    except (yaml.YAMLError, RecursionError) as error:
        said = f"This is not YAML: {str(error).splitlines()[0][:120]}."
        raise _BadFile("yaml", said, "Save plain text in YAML.") from None
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        said = "The file is not a mapping of keys to values."
        raise _BadFile("yaml", said, "Begin with a line such as `model: gpt-4.1-mini`.", 1)
    reader = _Reader()
    return reader.mapping(node, ""), reader.lines


def _refuse_aliases(text: str) -> None:
    import yaml

    for number, token in enumerate(yaml.scan(text, Loader=yaml.SafeLoader)):
        if isinstance(token, yaml.AliasToken | yaml.AnchorToken):
            line = token.start_mark.line + 1
            said = "Anchors and aliases are not read."
            raise _BadFile("yaml-alias", said, "Write the value out.", line)
        if number > 4 * _MOST_NODES:
            raise _BadFile("too-large", "The file holds too many values.", "Write fewer.")


class _Reader:
    """Builds plain values from YAML nodes and remembers where each stood."""

    def __init__(self) -> None:
        import yaml

        self._yaml = yaml
        self._plain = yaml.SafeLoader("")
        self.lines: dict[str, int] = {}

    def mapping(self, node: Any, path: str) -> dict[str, Any]:
        """Return a mapping; a key that stands twice is refused."""
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            where = f"{path}.{key}" if path else key
            if key in found:
                line = key_node.start_mark.line + 1
                said = f"`{key[:60]}` stands twice, first in line {self.lines[where]}."
                raise _BadFile("duplicate-key", said, "Keep one of them.", line)
            self.lines[where] = key_node.start_mark.line + 1
            found[key] = self._value(value_node, where)
        return found

    def _key(self, node: Any) -> str:
        if isinstance(node, self._yaml.ScalarNode):
            return str(node.value)
        line = node.start_mark.line + 1
        raise _BadFile("yaml", "A key is not plain text.", "Use plain keys.", line)

    def _value(self, node: Any, path: str) -> Any:
        if isinstance(node, self._yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, self._yaml.SequenceNode):
            return [self._item(item, f"{path}[{at}]") for at, item in enumerate(node.value)]
        return self._scalar(node)

    def _item(self, node: Any, path: str) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self._value(node, path)

    def _scalar(self, node: Any) -> Any:
        line = node.start_mark.line + 1
        try:
            value = self._plain.construct_object(node)
        except (self._yaml.YAMLError, ValueError):
            raise _BadFile("yaml", "This value cannot be read.", "Quote it.", line) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise _BadFile("yaml", "This is not a finite number.", "Use a number.", line)
        if value is None or isinstance(value, str | bool | int | float):
            return value
        return str(node.value)  # dates and binaries stay as they were written
