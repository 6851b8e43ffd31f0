"""Hyperparameters against the number of examples, and whether these are many."""

from __future__ import annotations

import math
from collections.abc import Iterator

from droptune.domain.findings import Severity
from droptune.validation.rules.example import DatasetView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("consistency")
FEW_EXAMPLES = 50
# From so many examples on, so many epochs learn by heart.
_MANY_EPOCHS = ((1_000, 10), (100, 20), (0, 40))
_FEWEST_STEPS, _LIKELY_EPOCHS = 5, 3
_RATES = (0.01, 10.0)
TALKS = tuple(chat(user(f"Question {at}"), assistant(f"Answer {at}")) for at in range(50))


@rules.dataset(
    "few-examples",
    Severity.WARNING,
    says="The training data has fewer than 50 examples; results usually show from 50 to 100 on.",
    fix="Add examples.",
    fails=case(*TALKS[:20]),
    passes=case(*TALKS),
)
def few_examples(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if there are enough for the service, and few."""
    examples = sum(file.examples for file in dataset.training)
    if dataset.asked.request.min_examples <= examples < FEW_EXAMPLES:
        said = f"the number of training examples is {examples}; {FEW_EXAMPLES} are a beginning"
        yield Place(message=said, file=dataset.training[0].name)


@rules.dataset(
    "absurd-hyperparameters",
    Severity.WARNING,
    says="A hyperparameter does not fit the size of the training data: it would learn by heart, or "
    "hardly learn at all.",
    fix="Leave it at auto, or choose a usual value.",
    fails=case(*TALKS, batch_size=64),
    passes=case(*TALKS, batch_size=4, n_epochs=3, learning_rate_multiplier=1.0),
)
def absurd_hyperparameters(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each that is far from what fits; `auto` always fits."""
    asked, examples = dataset.asked.request, sum(file.examples for file in dataset.training)
    epochs, batch, rate = asked.n_epochs, asked.batch_size, asked.learning_rate_multiplier
    if examples < asked.min_examples:
        return
    if isinstance(epochs, int):
        most = next(most for least, most in _MANY_EPOCHS if examples >= least)
        if epochs > most:
            said = f"n_epochs is {epochs} for {examples:,} examples, which is likely to overfit"
            yield Place(message=said, fix=f"Begin with 1 to 4; at most {most}.")
    if isinstance(batch, int):
        times = epochs if isinstance(epochs, int) else _LIKELY_EPOCHS
        steps = math.ceil(examples / batch) * times
        if batch > 1 and (steps < _FEWEST_STEPS or batch >= examples):
            said = (
                f"batch_size is {batch} for {examples:,} examples: {steps} steps in {times} epochs"
            )
            yield Place(message=said, fix=f"Use {max(1, examples // 20)} at most, or auto.")
    if isinstance(rate, (int, float)) and not _RATES[0] <= rate <= _RATES[1]:
        said = f"learning_rate_multiplier is {rate:g}; usual are 0.1 to 5"
        yield Place(message=said)
