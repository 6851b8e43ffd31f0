"""The table of what a configuration file may say, and the one walk that holds a file to it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from droptune.domain.configuration.files import JobFile
from droptune.domain.findings import Finding, Severity

_SECRET_NAME = re.compile(
    r"(api[-_]?key|secret|password|token|credential|connection[-_]?string)$", re.I
)
_SECRET_VALUE = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}|AccountKey=|SharedAccessSignature|[?&]sig=|^eyJ[\w-]{10,}\.|^Bearer ",
    re.I,
)
_SUFFIX = re.compile(r"[A-Za-z0-9-]{1,40}")
_HOOK = re.compile(r"NOTIFY_[A-Z0-9_]{1,60}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One value: what it may be, in words (`expected`) and as a check."""

    kinds: tuple[type, ...]
    expected: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: re.Pattern[str] | None = None
    auto: bool = False
    null: bool = False

    def accepts(self, value: Any) -> bool:
        """Whether a value fits."""
        if value is None:
            return self.null
        if self.auto and (value == "auto" or value == -1):
            return True
        if isinstance(value, bool) or not isinstance(value, self.kinds):
            return isinstance(value, bool) and bool in self.kinds
        if self.choices and value not in self.choices:
            return False
        if isinstance(value, str):
            return self.pattern is None or self.pattern.fullmatch(value) is not None
        return not isinstance(value, int | float) or self._in_range(value)

    def _in_range(self, value: float) -> bool:
        low = self.minimum is None or value >= self.minimum
        return low and (self.maximum is None or value <= self.maximum) and value == value


Shape = Mapping[str, "Field | Shape | ListOf"]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items have a shape, or are any value."""

    item: Shape | Field | None


def _text(expected: str = "text", **more: Any) -> Field:
    return Field(kinds=(str,), expected=expected, **more)


def _number(low: float, high: float, *, null: bool = False) -> Field:
    return Field(
        kinds=(int, float),
        expected=f"a number from {low:g} to {high:g}",
        minimum=low,
        maximum=high,
        null=null,
    )


def _whole(low: int, high: int, **more: Any) -> Field:
    auto = ", or auto" if more.get("auto") else ""
    return Field(
        kinds=(int,),
        expected=f"a whole number from {low} to {high}{auto}",
        minimum=low,
        maximum=high,
        **more,
    )


def _choice(*choices: str) -> Field:
    return Field(kinds=(str,), expected=f"one of {', '.join(choices)}", choices=choices)


_ANY_MAPPING = Field(kinds=(dict,), expected="a mapping")
_POSITIVE = Field(
    kinds=(int, float), expected="a number above 0, or auto", minimum=1e-9, maximum=1e3, auto=True
)
_SUPERVISED: Shape = {
    "n_epochs": _whole(1, 50, auto=True),
    "epochs": _whole(1, 50, auto=True),
    "batch_size": _whole(1, 4096, auto=True),
    "learning_rate_multiplier": _POSITIVE,
    "prompt_loss_weight": _number(0, 1),
}
_DPO: Shape = {**_SUPERVISED, "beta": _POSITIVE, "l2_multiplier": _POSITIVE}
_DEPLOYMENT: Shape = {"sku": _text("a SKU such as GlobalStandard"), "capacity": _whole(1, 100_000)}
SHAPE: Shape = {
    "name": _text(null=True),
    "description": _text(null=True),
    "model": _text("the name of a model", null=True),
    "suffix": _text("1 to 40 letters, digits and -", pattern=_SUFFIX, null=True),
    "seed": _whole(0, 2**31 - 1, null=True),
    "training_file": _text(null=True),
    "validation_file": _text(null=True),
    "method": {
        "type": _choice("supervised", "dpo", "reinforcement"),
        "supervised": {"hyperparameters": _SUPERVISED},
        "dpo": {"hyperparameters": _DPO},
        "reinforcement": _ANY_MAPPING,
    },
    "metadata": _ANY_MAPPING,
    "extra_body": _ANY_MAPPING,
    "integrations": ListOf(None),
    "pipeline": {
        "budget": {"run_usd": _number(0, 1e9), "hosting_usd_month": _number(0, 1e9)},
        "approval": {
            "training": _choice("never", "over_budget", "always"),
            "promotion": _choice("never", "replace", "always"),
            "timeout_hours": _number(0.01, 8760),
        },
        "validation": {
            "min_examples": _whole(10, 1_000_000),
            "ignore": ListOf(_text("the name of a rule")),
            "raise": ListOf(_text("the name of a rule")),
        },
        "deploy": {"candidate": _DEPLOYMENT, "production": _DEPLOYMENT},
        "smoke_test": {"messages": ListOf(_ANY_MAPPING)},
        "polling": {
            "first_seconds": _number(1, 86_400),
            "longest_seconds": _number(1, 86_400),
            "stalled_after_hours": _number(0.1, 8760),
        },
        "retention": {"rollback_hours": _number(0, 8760)},
        "notify": ListOf(
            {
                "url_setting": _text("a setting that begins with NOTIFY_", pattern=_HOOK),
                "format": _choice("cloudevents", "teams", "slack"),
                "events": ListOf(_text()),
            }
        ),
        "mode": _choice("run", "plan"),
    },
}
_NULLABLE_MAPPINGS = frozenset({"pipeline.deploy.production", "pipeline.smoke_test"})


def check_values(file: JobFile) -> tuple[Finding, ...]:
    """Return everything that is wrong with a file, each with line, path and what would be right."""
    return (*_walk(file, SHAPE, file.values, ""), *_secrets(file, file.values, ""))


def _walk(file: JobFile, shape: Shape, values: Any, path: str) -> Iterator[Finding]:
    if not isinstance(values, Mapping):
        yield finding(
            file, path, "wrong-type", f"{_name(values)} is not a mapping", "Use a mapping."
        )
        return
    for key, value in values.items():
        where = f"{path}.{key}" if path else str(key)
        wanted = shape.get(key) if isinstance(key, str) else None
        if wanted is None:
            yield _unknown(file, where, str(key), list(shape))
        else:
            yield from _value(file, wanted, value, where)


def _value(
    file: JobFile, wanted: Field | Shape | ListOf, value: Any, path: str
) -> Iterator[Finding]:
    if isinstance(wanted, Field):
        if not wanted.accepts(value):
            said = f"{_name(value)} is not {wanted.expected}"
            yield finding(file, path, "wrong-value", said, f"Use {wanted.expected}.")
    elif isinstance(wanted, ListOf):
        yield from _items(file, wanted, value, path)
    elif value is not None or path not in _NULLABLE_MAPPINGS:
        yield from _walk(file, wanted, value, path)


def _items(file: JobFile, wanted: ListOf, value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        yield finding(file, path, "wrong-type", f"{_name(value)} is not a list", "Use a list.")
        return
    for position, item in enumerate(value):
        if wanted.item is not None:
            yield from _value(file, wanted.item, item, f"{path}[{position}]")


def _secrets(file: JobFile, value: Any, path: str) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            if _SECRET_NAME.search(str(key)) and isinstance(item, str) and item:
                yield _secret(file, where)
            else:
                yield from _secrets(file, item, where)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _secrets(file, item, f"{path}[{position}]")
    elif isinstance(value, str) and _SECRET_VALUE.search(value):
        yield _secret(file, path)


def _names(shape: Shape) -> list[str]:
    """Return every key that stands anywhere in a shape."""
    inner = [_names(wanted) for wanted in shape.values() if isinstance(wanted, Mapping)]
    return [*shape, *(name for names in inner for name in names)]


def _secret(file: JobFile, path: str) -> Finding:
    return finding(
        file,
        path,
        "secret",
        "this looks like a key or token; it is not stored",
        "Remove it, and revoke it.",
    )


def _unknown(file: JobFile, path: str, key: str, known: list[str]) -> Finding:
    close = difflib.get_close_matches(key, known, 1, 0.6) or difflib.get_close_matches(
        key, _names(SHAPE), 1, 0.75
    )
    fix = f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(sorted(known))}."
    return finding(file, path, "unknown-key", f"`{key[:60]}` is not known", fix)


def finding(file: JobFile, path: str, rule: str, said: str, fix: str) -> Finding:
    """Return an error about a place in a configuration file."""
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        file=file.file,
        line=file.line_of(path),
        path=path,
        message=f"{said}.",
        fix=fix,
    )


def _name(value: Any) -> str:
    """Return a value as a message shows it: short, and never a secret."""
    if isinstance(value, str):
        shown = "…" if _SECRET_VALUE.search(value) else value[:40]
        return f'"{shown}"'
    if value is None or isinstance(value, bool | int | float):
        return "null" if value is None else str(value)[:40].lower()
    return "a mapping" if isinstance(value, Mapping) else "a list"
