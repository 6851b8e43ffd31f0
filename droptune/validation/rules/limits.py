"""What the service and the model take at most, and at least. Source: facts, February 2026."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from droptune.domain.cost import likely_epochs
from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.validation.rules.example import DatasetView, Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, pair, user
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.tokens.recipe import LONGEST_TEXT

rules = Family("limits")
MOST_BYTES, MOST_TOKENS, MOST_MESSAGES = 512 << 20, 2_000_000_000, 2_048
TEN = tuple(chat(user(f"Question {at}"), assistant()) for at in range(10))
GOOD = case(*TEN)


def long() -> dict[str, Any]:
    """Return an example of about 40,000 tokens."""
    return chat(user("a b " * 20_000), assistant())


@rules.dataset(
    "no-training-data",
    Severity.ERROR,
    says="There is no training data.",
    fix="Add training.jsonl.",
    fails=case(validation=TEN),
    passes=GOOD,
)
def no_training_data(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if no file has that role."""
    if not dataset.training and Role.TRAINING not in dataset.refused:
        yield Place(message="there is no training data")


@rules.file(
    "no-examples",
    Severity.ERROR,
    says="No line of a file holds an example.",
    fix="Write one example a line.",
    fails=case(b"\n\n"),
    passes=GOOD,
)
def no_examples(file: FileView) -> Iterator[Place]:
    """Yield a place if there are lines, and no example."""
    if file.lines and not file.examples:
        yield Place(message="no line holds an example")


@rules.dataset(
    "too-few-examples",
    Severity.ERROR,
    says="The training data has fewer examples than the service takes.",
    fix="Add examples.",
    fails=case(TEN[0]),
    passes=GOOD,
)
def too_few_examples(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if there are some, but not enough, in all training files together."""
    least = dataset.asked.request.min_examples
    examples = sum(file.examples for file in dataset.training)
    if 0 < examples < least:
        said = f"the number of examples is {examples}; at least {least} are needed"
        yield Place(message=said, file=dataset.training[0].name)


@rules.file(
    "file-too-large",
    Severity.ERROR,
    says="A file is larger than the service takes (512 MB).",
    fix="Leave out examples.",
    fails=case(*TEN, size_bytes=MOST_BYTES + 1),
    passes=GOOD,
)
def file_too_large(file: FileView) -> Iterator[Place]:
    """Yield a place if the file is too large; test data go nowhere."""
    if file.role is not Role.TEST and file.size_bytes > MOST_BYTES:
        yield Place(message=f"the file has {file.size_bytes / (1 << 20):,.0f} MB; 512 may")


@rules.example(
    "example-too-long",
    Severity.WARNING,
    says="An example has more tokens than the model trains on.",
    fix="Shorten or split it.",
    odd_only=True,
    fails=lambda: case(*TEN, long(), model="gpt-4.1-nano"),
    passes=case(*TEN, model="gpt-4.1-nano"),
)
def example_too_long(example: Example) -> Iterator[Place]:
    """Yield a place if the model's limit is known, and less."""
    most = example.asked.model.example_tokens if example.asked.model else None
    if most is not None and example.tokens > most:
        said = f"the example has {example.tokens:,} tokens; the model trains on {most:,}"
        yield Place(message=said)


@rules.file(
    "all-examples-too-long",
    Severity.ERROR,
    says="Every example has more tokens than the model trains on.",
    fix="Shorten or split the examples, or choose a model that takes more.",
    fails=lambda: case(long(), model="gpt-4.1-nano"),
    passes=lambda: case(*TEN, long(), model="gpt-4.1-nano"),
)
def all_examples_too_long(file: FileView) -> Iterator[Place]:
    """Yield a place if even the shortest is longer than the model's limit."""
    model = file.dataset.asked.model
    most = model.example_tokens if model else None
    if most is not None and file.examples and not any(n <= most for n in file.tokens["total"]):
        yield Place(message=f"every example has more than {most:,} tokens")


@rules.example(
    "message-too-long",
    Severity.WARNING,
    says=f"A text is longer than {LONGEST_TEXT:,} characters; its tokens are an estimate.",
    fix="Shorten or split it: no model trains on so long a text.",
    odd_only=True,
    fails=lambda: case(chat(user("a " * LONGEST_TEXT), assistant())),
    passes=GOOD,
)
def message_too_long(example: Example) -> Iterator[Place]:
    """Yield a place for each text that is counted in pieces."""
    for text in example.texts if len(example.raw) > LONGEST_TEXT else ():
        if len(text.text) > LONGEST_TEXT:
            yield Place(message=f"the text has {len(text.text):,} characters", path=text.path)


@rules.example(
    "too-many-messages",
    Severity.ERROR,
    says=f"An example has more than {MOST_MESSAGES:,} messages.",
    fix="Split the conversation.",
    odd_only=True,
    fails=lambda: case(chat(*[user(), assistant()] * 1_025)),
    passes=GOOD,
)
def too_many_messages(example: Example) -> Iterator[Place]:
    """Yield a place if there are too many."""
    messages = example.value.get("messages")
    if type(messages) is list and len(messages) > MOST_MESSAGES:
        yield Place(message=f"{len(messages):,} messages; {MOST_MESSAGES:,} may", path="messages")


@rules.dataset(
    "too-many-tokens",
    Severity.ERROR,
    says="Tokens x epochs are more than a job may train on (2 billion).",
    fix="Set n_epochs lower, or leave out examples.",
    fails=lambda: case(*TEN, long(), n_epochs=50_000),
    passes=GOOD,
)
def too_many_tokens(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if the epochs that are set, or else the likely ones, are too many."""
    epochs, files = dataset.asked.request.n_epochs, dataset.training
    likely = likely_epochs(sum(file.examples for file in files))
    times = epochs if isinstance(epochs, int) and epochs > 0 else likely
    tokens = sum(file.tokens[kind].sum() for kind in ("total", "apart") for file in files) * times
    if tokens > MOST_TOKENS:
        yield Place(message=f"{tokens:,} tokens in {times} epochs; {MOST_TOKENS:,} may")


@rules.dataset(
    "wrong-model",
    Severity.ERROR,
    says="The model cannot be fine-tuned with this method.",
    fix="Choose a model that can, or another method.",
    fails=case(pair(), method="dpo", model="gpt-4o-mini"),
    passes=case(pair(), method="dpo", model="gpt-4o"),
)
def wrong_model(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if the model is known, and the method is none of its own."""
    asked = dataset.asked
    if asked.model and dataset.files and asked.format not in asked.model.methods:
        can = ", ".join(asked.model.methods)
        yield Place(message=f"{asked.model.name} is trained by {can}, not by {asked.format}")


@rules.dataset(
    "unknown-encoding",
    Severity.WARNING,
    says="No public encoding of the model is known: token counts are an estimate.",
    fix="Read token counts and cost as estimates.",
    fails=case(*TEN, model="Ministral-3B"),
    passes=case(*TEN, model="gpt-4o"),
)
def unknown_encoding(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if a model is named whose tokens cannot be counted exactly."""
    name, facts = dataset.asked.request.model, dataset.asked.model
    if name and (facts is None or facts.encoding is None):
        said = f"the encoding of {name[:60]} is not known: tokens are counted with o200k_base"
        yield Place(message=f"{said} and are an estimate")
