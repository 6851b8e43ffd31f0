"""A small model that really learns: a character n-gram model beside a memory of prompts.

The loss of an answer is what the model, as trained so far, would have paid to write it: nats per
character, from n-grams of the answers seen and from the remembered answer to the most similar
prompt. How far that memory is trusted is learned, too. So consistent data gives a falling loss
and noise does not.
"""

from __future__ import annotations

import difflib
import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from emulator.examples import Example, Json, last_text

ORDER = 5
_UPDATES = 100_000  # characters learned in all, so that training costs well under a second
_MEASURES = 24_000  # characters measured in all
_ANSWER = 700  # characters of an answer that are looked at
_END = "\x03"
Measured = tuple[float, float] | tuple[None, None]
_PRIMER = (
    "This is what a language model has read before anybody fine-tunes it. The answer to a "
    "question is usually one or two sentences, and it begins with the thing that was asked "
    "for. You can find more about that in the documentation, or ask for help. There are many "
    "ways to do this; the first is to look at what you have, and then to decide what should "
    "come next. It was made by people who have been there for a long time, and they would "
    "like to know whether it is right. If you are not sure, please write to us and we will "
    "try again. Let us take 3 and add 4, which gives 7 in total. "
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What the service logs of a step; the `full_` ones only at the end of an epoch."""

    step: int
    train_loss: float
    train_accuracy: float
    valid_loss: float | None = None
    valid_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """What training leaves: the figures of each logged step, and what the model remembers."""

    figures: list[Figures]
    memory: Memory

    def write(self, path: Path) -> None:
        """Write it in one step."""
        body = {"figures": self.figures, "examples": self.memory.examples}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(body, default=asdict), encoding="utf-8")
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Learned:
        """Read what `write` wrote."""
        body = json.loads(path.read_text(encoding="utf-8"))
        memory = Memory()
        for example in body["examples"]:
            memory.add(Example(**example))
        return cls(figures=[Figures(**figures) for figures in body["figures"]], memory=memory)


class Memory:
    """Remembers examples and finds the one whose prompt is most like another."""

    def __init__(self) -> None:
        self.examples: list[Example] = []
        self._words: dict[str, list[int]] = defaultdict(list)
        self._exact: dict[str, int] = {}

    def add(self, example: Example) -> None:
        """Remember an example; the same prompt again replaces the answer."""
        key = _normal(example.prompt)
        if key in self._exact:
            self.examples[self._exact[key]] = example
            return
        self._exact[key] = len(self.examples)
        for word in dict.fromkeys(key.split()):
            self._words[word].append(len(self.examples))
        self.examples.append(example)

    def nearest(self, prompt: str) -> Example | None:
        """Return the example with that prompt, else the one that shares the rarest words with
        it."""
        key = _normal(prompt)
        if key in self._exact:
            return self.examples[self._exact[key]]
        scores: Counter[int] = Counter()
        for word in dict.fromkeys(key.split()):
            found = self._words.get(word, ())
            if 0 < len(found) <= 400:
                rarity = math.log(1 + len(self.examples) / len(found))
                for position in found:
                    scores[position] += rarity  # type: ignore[assignment]
        if not scores:
            return self.examples[len(key) % len(self.examples)] if self.examples else None
        length = {p: len(self.examples[p].prompt.split()) + 4 for p in scores}
        best = max(scores, key=lambda position: (scores[position] / length[position], -position))
        return self.examples[best]


@dataclass(slots=True)
class _NGrams:
    """Counts of the character after each context of up to `ORDER` characters."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def learn(self, text: str) -> None:
        padded = " " * ORDER + text + _END
        counts = self.counts
        for position in range(ORDER, len(padded)):
            char = padded[position]
            for order in range(ORDER + 1):
                after = counts.setdefault(padded[position - order : position], {})
                after[char] = after.get(char, 0) + 1

    def predict(self, context: str, char: str) -> tuple[float, str]:
        """Return the probability of `char` after `context`, and the likeliest character."""
        probability, likeliest = 1 / 200, ""
        for order in range(ORDER + 1):
            after = self.counts.get(context[len(context) - order :])
            if after is None:
                break
            total, kinds = sum(after.values()), len(after)
            probability = (after.get(char, 0) + kinds * probability) / (total + kinds)
            likeliest = max(after, key=after.__getitem__)
        return probability, likeliest


class _Model:
    """The n-grams, the memory, and how far the memory is trusted."""

    def __init__(self, memory: Sequence[Example]) -> None:
        self.ngrams = _NGrams()
        self.ngrams.learn(_PRIMER)
        self.memory = Memory()
        self.trust = 0.1
        for example in memory:
            self.memory.add(example)

    def learn(self, example: Example) -> None:
        self.ngrams.learn(example.text[:_ANSWER])
        self.memory.add(example)

    def measure(self, example: Example, characters: int) -> _Measure:
        """Return the loss and accuracy on the beginning of an example's answer."""
        text = example.text[: min(characters, _ANSWER)] + _END
        near = self.memory.nearest(example.prompt)
        recalled = _continuations(near.text[:_ANSWER]) if near else {}
        padded, measure = " " * ORDER + text, _Measure()
        for position in range(ORDER, len(padded)):
            context, char = padded[position - ORDER : position], padded[position]
            probability, likeliest = self.ngrams.predict(context, char)
            after = recalled.get(context[1:])
            if after:
                remembered = 0.9 * after.count(char) / len(after) + 0.1 * probability
                measure.helped += remembered > probability
                measure.asked += 1
                likeliest = after[0] if self.trust > 0.5 else likeliest
                probability += self.trust * (remembered - probability)
            measure.loss -= math.log(probability)
            measure.right += likeliest == char
            measure.length += 1
        return measure

    def reconsider(self, measure: _Measure) -> None:
        """Trust the memory more or less, as it helped with what was just measured."""
        if measure.asked:
            helped = measure.helped / measure.asked
            self.trust = min(0.95, max(0.02, 0.85 * self.trust + 0.15 * helped))


@dataclass(slots=True)
class _Measure:
    loss: float = 0.0
    right: int = 0
    length: int = 0
    asked: int = 0
    helped: int = 0

    def __add__(self, other: _Measure) -> _Measure:
        pairs = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return _Measure(*(mine + theirs for mine, theirs in pairs))

    @property
    def figures(self) -> tuple[float, float]:
        length = max(self.length, 1)
        return round(self.loss / length, 5), round(self.right / length, 5)


def logged_steps(steps: int) -> list[int]:
    """Return the steps that are logged: each of a short job, else the first and every tenth.

    Source: a step event each 10 steps (NB-DPO). Differs: beyond 3,000 steps they are spaced wider.
    """
    stride = 1 if steps <= 60 else 10 * max(1, -(-steps // 3000))
    return sorted({1, steps, *range(stride, steps + 1, stride)}) if steps else []


def train(
    examples: Sequence[Example],
    validation: Sequence[Example],
    *,
    steps: int,
    epochs: int,
    seed: int,
    remembered: Sequence[Example] = (),
) -> Learned:
    """Train on the examples and measure as many times as there are logged steps.

    Deterministic for the same arguments. `remembered` is what the base model learned before.
    """
    model = _Model(remembered)
    order = _order(_sample(examples, _UPDATES // max(epochs, 1)), epochs, seed)
    held_out = _sample(validation, _MEASURES // 8)
    logged = logged_steps(steps)
    most = max(40, _MEASURES // max(len(logged), 1) // (2 if held_out else 1))
    ends = {steps * epoch // epochs for epoch in range(1, epochs + 1)}
    figures, position = [], 0
    for number, (before, step) in enumerate(zip([0, *logged], logged, strict=False)):
        until = max(1, round(step / steps * len(order)))
        batch = order[position:until] or order[until - 1 : until]
        trained = _measure_all(model, batch, most, learn=True)
        for example in order[position:until]:
            model.learn(example)
        position = until
        valid: Measured = (None, None)
        full: Measured = (None, None)
        if held_out:
            turn = number % len(held_out)
            valid = _measure_all(model, held_out[turn : turn + 3], most)
            if any(before < end <= step for end in ends):
                full = _measure_all(model, held_out, _MEASURES // 8)
        figures.append(_row(step, trained, valid, full))
    for example in examples:
        model.memory.add(example)
    return Learned(figures=figures, memory=model.memory)


def _row(
    step: int,
    train: tuple[float, float],
    valid: tuple[float, float] | tuple[None, None],
    full: tuple[float, float] | tuple[None, None],
) -> Figures:
    return Figures(
        step=step,
        train_loss=train[0],
        train_accuracy=train[1],
        valid_loss=valid[0],
        valid_accuracy=valid[1],
        full_valid_loss=full[0],
        full_valid_accuracy=full[1],
    )


def _measure_all(
    model: _Model, examples: Sequence[Example], most: int, *, learn: bool = False
) -> tuple[float, float]:
    """Measure examples until `most` characters are spent."""
    total = _Measure()
    for example in examples:
        measure = model.measure(example, max(30, most - total.length))
        total += measure
        if learn:
            model.reconsider(measure)
        if total.length >= most:
            break
    return total.figures


def _sample(examples: Sequence[Example], characters: int) -> list[Example]:
    """Return evenly chosen examples of about that many characters of answers."""
    length = sum(min(len(example.text), _ANSWER) for example in examples)
    stride = max(1, -(-length // characters))
    return list(examples[::stride])


def _order(examples: list[Example], epochs: int, seed: int) -> list[Example]:
    """Return the examples of all epochs, each epoch in an order of its own."""
    draw = random.Random(seed)
    return [example for _ in range(epochs) for example in draw.sample(examples, len(examples))]


def _continuations(text: str) -> dict[str, str]:
    """Return the characters that follow each context of `ORDER - 1` characters of a text."""
    padded = " " * ORDER + text + _END
    after: defaultdict[str, str] = defaultdict(str)
    for position in range(ORDER, len(padded)):
        after[padded[position - ORDER + 1 : position]] += padded[position]
    return after


def _normal(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def answer(memory: Memory, messages: list[Json]) -> Json:
    """Answer as the training data would: the nearest prompt's answer, its words exchanged."""
    prompt = last_text(messages, "user")
    near = memory.nearest(prompt)
    if near is None:
        return base_answer(messages)
    exchange = _exchanges(near.prompt, prompt)
    return json.loads(_exchanged(json.dumps(near.answer, ensure_ascii=False), exchange))  # type: ignore[no-any-return]


def base_answer(messages: list[Json]) -> Json:
    """Answer as a base model: correct English that has nobody's style."""
    words = [word for word in _normal(last_text(messages, "user")).split() if len(word) > 4]
    about = f" about {' '.join(words[-2:])}" if words else ""
    text = (
        f"As an AI language model, I can offer some general information{about}. "
        "Please tell me more precisely what you would like to know, and I will do my best to help."
    )
    return {"role": "assistant", "content": text, "refusal": None}


def _exchanges(old: str, new: str) -> dict[str, str]:
    """Return which words of one prompt stand in the place of which words of another."""
    old_words, new_words = re.findall(r"[\w'-]+", old), re.findall(r"[\w'-]+", new)
    matcher = difflib.SequenceMatcher(None, old_words, new_words, autojunk=False)
    return {
        " ".join(old_words[a:b]): " ".join(new_words[c:d])
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag == "replace" and b - a <= 3 and d - c <= 3
    }


def _exchanged(text: str, exchange: dict[str, str]) -> str:
    for old, new in exchange.items():
        if len(old) > 1:
            text = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new.replace("\\", r"\\"), text)
    return text
