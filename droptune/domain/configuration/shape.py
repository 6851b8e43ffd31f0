"""What a configuration file may say: the kinds of values, and the table of all keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One value: what it may be, in words (`expected`) and as a check.

    Attributes:
        kinds: the types of it; `bool` is no number.
        pattern: what a text matches as a whole.
        auto: whether "auto" and -1 are values, too.
        null: whether null is a value; elsewhere it is a mistake.
        longest: the largest number of characters of a text.
    """

    kinds: tuple[type, ...]
    expected: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    auto: bool = False
    null: bool = False
    longest: int | None = None

    def accepts(self, value: Any) -> bool:
        """Whether a value fits."""
        if value is None:
            return self.null
        if isinstance(value, bool):
            return bool in self.kinds
        if self.auto and value in ("auto", -1):
            return True
        if not isinstance(value, self.kinds):
            return False
        return self._accepts_text(value) if isinstance(value, str) else self._in_range(value)

    def _accepts_text(self, value: str) -> bool:
        fits = not self.choices or value in self.choices
        short = self.longest is None or len(value) <= self.longest
        return fits and short and (not self.pattern or bool(re.fullmatch(self.pattern, value)))

    def _in_range(self, value: Any) -> bool:
        if not isinstance(value, int | float):
            return True
        low = self.minimum is None or value >= self.minimum
        return low and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A mapping with known keys.

    Attributes:
        required: keys that must stand in it.
        means_none: whether null is a value of it; elsewhere null says nothing.
    """

    keys: Mapping[str, Field | Block | ListOf | MapOf]
    required: tuple[str, ...] = ()
    means_none: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ListOf:
    """A list of like items."""

    item: Field | Block
    least: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class MapOf:
    """A mapping with keys of the writer's own.

    Attributes:
        value: what each value is, or None for anything.
        reserved: keys that say what Droptune says itself.
    """

    value: Field | None = None
    most: int | None = None
    longest_key: int | None = None
    reserved: tuple[str, ...] = ()


Wanted = Field | Block | ListOf | MapOf


def _text(expected: str = "text", **more: Any) -> Field:
    return Field(kinds=(str,), expected=expected, **more)


def _number(low: float, high: float, **more: Any) -> Field:
    said = f"a number from {low:g} to {high:g}"
    return Field(kinds=(int, float), expected=said, minimum=low, maximum=high, **more)


def _whole(low: int, high: int, **more: Any) -> Field:
    said = f"a whole number from {low} to {high}{', or auto' if more.get('auto') else ''}"
    return Field(kinds=(int,), expected=said, minimum=low, maximum=high, **more)


def _choice(*choices: str) -> Field:
    return Field(kinds=(str,), expected=f"one of {', '.join(choices)}", choices=choices)


def _names(of: str) -> ListOf:
    return ListOf(item=_text(f"the name of a {of}"))


_POSITIVE = _number(1e-9, 1000, auto=True)
_SUPERVISED: Mapping[str, Field] = {
    "n_epochs": _whole(1, 50, auto=True),
    "epochs": _whole(1, 50, auto=True),
    "batch_size": _whole(1, 4096, auto=True),
    "learning_rate_multiplier": _POSITIVE,
    "prompt_loss_weight": _number(0, 1),
}
_DPO: Mapping[str, Field] = {**_SUPERVISED, "beta": _POSITIVE, "l2_multiplier": _POSITIVE}
_SKU = "[A-Za-z]{3,60}"
_CAPACITY = _whole(1, 100_000)
_MESSAGE = Block(
    keys={
        "role": _choice("system", "developer", "user", "assistant"),
        "content": _text(),
        "name": _text(),
    },
    required=("role", "content"),
)
_PIPELINE: Mapping[str, Wanted] = {
    "budget": Block(keys={"run_usd": _number(0, 1e9), "hosting_usd_month": _number(0, 1e9)}),
    "allow": Block(
        keys={
            "models": _names("model"),
            "training_types": _names("training type"),
            "skus": _names("SKU"),
            "capacity": _CAPACITY,
        }
    ),
    "approval": Block(
        keys={
            "training": _choice("never", "over_budget", "always"),
            "promotion": _choice("never", "replace", "always"),
            "timeout_hours": _number(0.01, 8760),
        }
    ),
    "validation": Block(
        keys={
            "min_examples": _whole(10, 1_000_000),
            "ignore": _names("rule"),
            "raise": _names("rule"),
            "allow": ListOf(
                item=_text(
                    "an address or number, or 4 characters or more that it ends with",
                    pattern=r"\S.{2,198}\S",
                )
            ),
        }
    ),
    "deploy": Block(
        keys={
            "candidate": Block(
                keys={"sku": _text("a SKU or auto", pattern=_SKU), "capacity": _CAPACITY}
            ),
            "production": Block(
                keys={
                    "sku": _text(
                        "a SKU that lasts, such as GlobalStandard",
                        pattern=f"(?!auto$|DeveloperTier$){_SKU}",
                    ),
                    "capacity": _CAPACITY,
                },
                means_none=True,
            ),
        }
    ),
    "smoke_test": Block(
        keys={"messages": ListOf(item=_MESSAGE, least=1)}, required=("messages",), means_none=True
    ),
    "polling": Block(
        keys={
            "first_seconds": _number(1, 86_400),
            "longest_seconds": _number(1, 86_400),
            "stalled_after_hours": _number(0.1, 8760),
        }
    ),
    "retention": Block(keys={"rollback_hours": _number(0, 8760)}),
    "notify": ListOf(
        item=Block(
            keys={
                "url_setting": _text(
                    "a setting that begins with NOTIFY_", pattern="NOTIFY_[A-Z0-9_]{1,60}"
                ),
                "format": _choice("cloudevents", "teams", "slack"),
                "events": ListOf(
                    item=_text(
                        "an event such as run.promoted, or run.*",
                        pattern=r"\*|run\.(\*|[a-z_]{1,40})",
                    )
                ),
            },
            required=("url_setting",),
        )
    ),
    "mode": _choice("run", "plan"),
}
_WANDB = Block(  # Source: v1 contract, CreateFineTuningJobRequestWandbIntegration
    keys={
        "project": _text(),
        "name": _text(null=True),
        "entity": _text(null=True),
        "tags": ListOf(item=_text()),
    },
    required=("project",),
)
SENT_BY_DROPTUNE = (
    "model",
    "training_file",
    "validation_file",
    "suffix",
    "seed",
    "method",
    "hyperparameters",
    "metadata",
    "integrations",
)
SHAPE = Block(
    keys={
        "name": _text(null=True),
        "description": _text(null=True),
        "model": _text("the name of a model", pattern=r"\S{1,200}", null=True),
        "suffix": _text(
            "1 to 64 letters, digits, - and _", pattern="[A-Za-z0-9_-]{1,64}", null=True
        ),
        "seed": _whole(0, 2**31 - 1, null=True),
        "training_file": _text(null=True),
        "validation_file": _text(null=True),
        "method": Block(
            keys={
                "type": _choice("supervised", "dpo", "reinforcement"),
                "supervised": Block(keys={"hyperparameters": Block(keys=_SUPERVISED)}),
                "dpo": Block(keys={"hyperparameters": Block(keys=_DPO)}),
                "reinforcement": MapOf(),
            }
        ),
        "metadata": MapOf(
            value=Field(kinds=(str, int, float, bool), expected="text of at most 512", longest=512),
            most=16,
            longest_key=64,
        ),
        "extra_body": MapOf(reserved=SENT_BY_DROPTUNE),
        "integrations": ListOf(
            item=Block(
                keys={"type": _choice("wandb"), "config": _WANDB}, required=("type", "config")
            )
        ),
        "pipeline": Block(keys=_PIPELINE),
    }
)


def key_paths(block: Block, path: str = "") -> Iterator[tuple[str, str]]:
    """Iterate over every key of a shape and the path of what it stands in."""
    for key, wanted in block.keys.items():
        yield key, path
        inner = wanted.item if isinstance(wanted, ListOf) else wanted
        if isinstance(inner, Block):
            yield from key_paths(inner, f"{path}.{key}" if path else key)
