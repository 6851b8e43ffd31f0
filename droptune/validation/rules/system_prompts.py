"""System prompts of validation and test data that training does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.validation.rules.example import DatasetView, Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, system, user
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.repeated import crc_of
from droptune.validation.rules.turns import content_text

rules = Family("consistency")
_LEAST = 10
TALKS = tuple(chat(system(), user(f"Question {at}"), assistant(f"Answer {at}")) for at in range(50))


class SystemPrompts:
    """How often each system prompt occurs, by CRC-32, and where first.

    The 1,000 with the smallest digest only; `none` counts examples without.
    """

    most = 1_000

    def __init__(self) -> None:
        """Begin with none."""
        self.examples = self.none = self.first_none = 0
        self.first: dict[int, int] = {}
        self.count: dict[int, int] = {}
        self.dropped = False

    def add(self, example: Example) -> None:
        """Count an example's first message, if it is a system prompt."""
        self.examples += 1
        found = example.system_prompt
        if found is None:
            self.none += 1
            self.first_none = self.first_none or example.line
            return
        prompt = content_text({"content": found})
        digest = crc_of(prompt.strip())
        self.count[digest] = self.count.get(digest, 0) + 1
        if self.first.setdefault(digest, example.line) == example.line:
            self._bound()

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self.examples += later.examples
        self.none += later.none
        if not self.first_none and later.first_none:
            self.first_none = later.first_none + lines
        self.dropped |= later.dropped
        for digest, times in later.count.items():
            self.count[digest] = self.count.get(digest, 0) + times
            self.first.setdefault(digest, later.first[digest] + lines)
        self._bound()

    def _bound(self) -> None:
        while len(self.count) > self.most:
            largest = max(self.count)
            del self.count[largest], self.first[largest]
            self.dropped = True


_MOST_PROMPTS, _TIMES_EACH, _MOSTLY = 8, 5, 0.9


@rules.dataset(
    "system-prompt-differs",
    Severity.WARNING,
    says="A validation or test example has a system prompt that the training data does not have, "
    "or has none where all have one, or has one where none has.",
    fix="Use in validation and test what is used in training, and in production.",
    states=(SystemPrompts,),
    fails=case(*TALKS, validation=(chat(system("Be kind."), user(), assistant()),)),
    passes=case(*TALKS, validation=(chat(system(), user("Another"), assistant()),)),
)
def system_prompt_differs(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each file that differs, if training uses a few prompts, or none."""
    training = _together(dataset.training)
    if training.examples < _LEAST or training.dropped:
        return
    known, have = training.count, training.examples - training.none
    many = len(known) > min(_MOST_PROMPTS, max(1, have // _TIMES_EACH))
    for file in dataset.files:
        if file.role is Role.TRAINING:
            continue
        state = file.state(SystemPrompts)
        new = [digest for digest in state.count if digest not in known]
        count = sum(state.count[digest] for digest in new)
        if new and not many and (have >= _MOSTLY * training.examples or not have):
            line = min(state.first[digest] for digest in new)
            said = f"{_examples(count)} a system prompt that the training data does not have"
            yield Place(message=said, file=file.name, line=line)
        elif state.none and have == training.examples:
            said = f"{_examples(state.none)} no system prompt; all training examples have one"
            yield Place(message=said, file=file.name, line=state.first_none)


def _examples(count: int) -> str:
    return "1 example has" if count == 1 else f"{count:,} examples have"


def _together(files: list[FileView]) -> SystemPrompts:
    whole = SystemPrompts()
    for file in files:
        whole.merge(file.state(SystemPrompts), 0)
    return whole
