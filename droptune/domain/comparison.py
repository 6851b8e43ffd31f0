"""Answers side by side: what contenders say to the same prompts, for a person who decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from droptune.domain.payload import Model

ANSWERS = "answers.json"
CONTENDERS = ("candidate", "champion", "base")  # in the order in which they are asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange(Model):
    """One prompt and what was said to it.

    Attributes:
        line: where the example stands in its file, 1-based.
        prompt: the last thing that the user says in it.
        expected: the example's own answer, or "".
        answers: contender -> its answer.
        missing: contender -> why it has none: an error's code.
    """

    line: int
    prompt: str
    expected: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison(Model):
    """`answers.json`: training data lies in it, so it is stored with the run and nowhere else.

    Attributes:
        role: of the file that the prompts are from: test, or validation.
        deployments: contender -> the deployment that is asked; who has none is not asked.
    """

    role: str
    deployments: Mapping[str, str]
    exchanges: tuple[Exchange, ...]
    schema_version: int = 1

    def unasked(self) -> Iterator[tuple[Exchange, str]]:
        """Iterate over what is still to be asked, prompt by prompt."""
        for exchange in self.exchanges:
            for who in CONTENDERS:
                if who in self.deployments and who not in {*exchange.answers, *exchange.missing}:
                    yield exchange, who

    def answered(self, line: int, who: str, text: str, *, missing: str = "") -> Comparison:
        """Return it with one answer more, or with why there is none; what is there stays."""

        def change(exchange: Exchange) -> Exchange:
            if exchange.line != line or who in {*exchange.answers, *exchange.missing}:
                return exchange
            if missing:
                return replace(exchange, missing={**exchange.missing, who: missing})
            return replace(exchange, answers={**exchange.answers, who: text})

        return replace(self, exchanges=tuple(map(change, self.exchanges)))
