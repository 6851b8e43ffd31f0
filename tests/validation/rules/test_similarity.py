"""Near duplicates, contradictions, and what earlier versions were tested with."""

from __future__ import annotations

import base64
import json
import pickle
import random
import subprocess
import sys
import zlib
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from droptune.domain.dataset import Role
from droptune.domain.findings import Finding
from droptune.validation import BytesSource, ValidationRequest, validate
from droptune.validation.earlier import keep_test
from droptune.validation.plain import PlainMessage
from droptune.validation.report import EarlierTest
from droptune.validation.rules.conflicts import Contexts
from droptune.validation.rules.example import Asked, Example
from droptune.validation.rules.fixtures import assistant, chat, system, user
from droptune.validation.rules.near import NearPairs
from droptune.validation.rules.registry import case
from droptune.validation.rules.sketches import Sketches, pack, unpack
from tests.validation.rules.fixture_runs import as_bytes, report_on

WORDS = [
    f"{head}{tail}" for head in "bdfgklmnprst" for tail in ("amo", "erin", "ilt", "ogus", "unda")
]


class Few(Sketches):
    """Sketches that are soon too many."""

    most_rows = 20


class FewContexts(Contexts):
    """Contexts that are soon too many."""

    most_rows = 20


def said(seed: int, words: int = 60) -> str:
    """Return a text that no other seed's is like."""
    dice = random.Random(seed)
    return " ".join(dice.choice(WORDS) for _ in range(words))


def talk(seed: int, answer: str = "", **changed: Any) -> dict[str, Any]:
    text = said(seed, **changed)
    return chat(user(text), assistant(answer or f"It is {said(seed + 10_000, 12)}."))


OTHERS = tuple(talk(seed) for seed in range(40))


def found(rule: str, *lines: Any, **more: Any) -> list[Finding]:
    return [each for each in report_on(case(*lines, **more)).findings if each.rule == rule]


def near(*lines: Any, **more: Any) -> list[int | None]:
    return [each.line for each in found("near-duplicate-example", *OTHERS, *lines, **more)]


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text.replace(" ", "  "),
        lambda text: text + " please!",
        lambda text: text[:-1],
        lambda text: text.replace(" ", ", ", 3),
        lambda text: "Dear team, " + text,
    ],
)
def test_text_that_is_hardly_changed_is_a_near_duplicate(change: Any) -> None:
    """Case, blanks, punctuation or a word more do not make another example."""
    first = OTHERS[5]
    text, answer = (message["content"] for message in first["messages"])

    lines = near(chat(user(change(text)), assistant(answer)))

    assert lines == [41]


def test_same_example_written_otherwise_is_a_near_duplicate() -> None:
    """Blanks in the JSON hide nothing."""
    assert near(json.dumps(OTHERS[3], indent=None, separators=(" , ", " : ")).encode()) == [41]


def test_exact_duplicate_is_told_once() -> None:
    """What stands twice to the byte is another rule's."""
    assert near(OTHERS[0]) == []


def test_two_questions_on_one_text_are_no_near_duplicates() -> None:
    """A long document with different short questions is how reading is taught."""
    text = said(1_000, 300)
    asked = [f"{text}\nQuestion: {said(seed, 6)}?" for seed in (1, 2, 3)]
    lines = [chat(user(each), assistant(said(at, 2))) for at, each in enumerate(asked)]

    assert near(*lines) == []


def test_texts_of_one_template_are_no_near_duplicates() -> None:
    """Many examples that share long instructions are a template, also with the same label."""
    told = f"Classify what follows. {said(2_000, 200)} Text: "
    lines = [chat(user(told + said(at, 3)), assistant("positive")) for at in range(100, 130)]

    assert near(*lines) == []


def test_other_numbers_are_another_exercise() -> None:
    """Sums that differ in a number have different answers, or should."""
    text = said(7)

    lines = [chat(user(f"{text} {number} apples?"), assistant("Some.")) for number in (12, 13)]

    assert near(*lines) == []


def test_near_duplicate_is_found_among_many_of_one_template() -> None:
    """Forty exercises differ in their numbers alone; one more has nearly the words of another."""
    story = said(7, 90)
    lines = [
        chat(user(f"{story} There are {number} of them."), assistant(f"Then it is {said(number)}."))
        for number in range(100, 140)
    ]
    again = chat(user(f"{story} There were 120 of them."), assistant(f"Then it is {said(120)}."))

    told = found("near-duplicate-example", *lines, again, *OTHERS)

    assert [(each.line, each.message) for each in told] == [
        (41, "line 41: the example is nearly the same as line 21.")
    ]


@pytest.mark.parametrize("seed", range(5))
def test_quick_look_at_a_pair_passes_whatever_shares_enough(seed: int) -> None:
    """Texts of many lengths, each changed a little or much; all pairs are looked at."""
    dice, sketches = random.Random(seed), Sketches()
    asked = Asked(request=ValidationRequest(), format="supervised", model=None)
    for at in range(120):
        words = said(at // 3, dice.choice((12, 60, 61, 250, 1_000))).split()
        for _ in range(dice.choice((0, 1, 4, 40))):
            words[dice.randrange(len(words))] = dice.choice(WORDS)
        asks = PlainMessage(role="user", content=" ".join(words))
        tells = PlainMessage(role="assistant", content="So it is.")
        sketches.add(Example([asks, tells], None, b"", at + 1, 5, asked))
    rows = sketches.rows()
    assert rows is not None
    pairs = NearPairs(rows)
    later, earlier = (
        np.array(side) for side in zip(*combinations(range(len(rows)), 2), strict=True)
    )
    alike = np.abs(np.diff(rows.user.level[np.stack((later, earlier))].astype(int), axis=0))[0] <= 1

    enough = pairs._share_enough(later, earlier) & alike
    passed = pairs._may_share_enough(later, earlier)

    assert enough.sum() > 10
    assert not (enough & ~passed).any()
    assert passed.sum() < len(passed) / 10


def test_growing_conversation_is_no_near_duplicate() -> None:
    """A conversation that is learned turn by turn has one turn more each time."""
    turns = [message for at in range(14) for message in (user(said(at, 20)), assistant("Go on."))]

    assert near(*(chat(*turns[: 2 * length]) for length in range(10, 15))) == []


def test_other_system_prompt_with_another_answer_is_another_example() -> None:
    """The same question to two characters is no near duplicate."""
    lines = [
        chat(system(f"You are {who}."), user(said(9_000)), assistant(said(at, 20)))
        for at, who in enumerate(("a pirate", "a poet"))
    ]

    assert near(*lines) == []


def test_validation_example_that_is_nearly_trained_on_is_told() -> None:
    """A test of what was learned by heart tells nothing."""
    text, answer = (message["content"] for message in OTHERS[8]["messages"])
    almost = chat(user(text.upper()), assistant(answer))

    told = found("near-leaked-example", *OTHERS, validation=(talk(77), almost))

    assert [(each.file, each.line) for each in told] == [("validation.jsonl", 2)]


def test_earlier_test_data_are_found_again_exact_and_near() -> None:
    """What is kept of a test file has no text, and still knows its examples."""
    tested = (OTHERS[2], talk(501))
    source = BytesSource(name="test.jsonl", role=Role.TEST, data=as_bytes(tested))
    kept = keep_test(source, name="v1/test.jsonl")
    text, answer = (message["content"] for message in tested[1]["messages"])
    lines = (*OTHERS, chat(user(text + " now"), assistant(answer)))

    told = found("earlier-test-leaked", *lines, earlier=(kept,))

    assert [each.line for each in told] == [3, 41]
    assert said(501)[:20] not in json.dumps(kept.to_payload())


def test_sketches_that_cannot_be_read_are_refused() -> None:
    """What was damaged while it was kept, or made by another version, is no sketch."""
    whole = zlib.decompress(base64.b64decode(pack(gathered(Sketches, OTHERS, ()).rows())))
    damaged = (whole[:-8], b"\2\0\0\0" + whole[4:], b"", b"abc")

    for data in damaged:
        with pytest.raises(ValueError, match="no sketches"):
            unpack(base64.b64encode(zlib.compress(data)).decode())
    with pytest.raises(ValueError, match="no sketches"):
        unpack("AAAA")


def test_damaged_earlier_test_is_compared_as_far_as_it_can_be() -> None:
    """A record that was damaged stops no validation."""
    kept = (
        EarlierTest(name="v1", digests="A", sketches="AAAA"),
        EarlierTest(name="v2", digests=""),
    )

    assert found("earlier-test-leaked", *OTHERS, earlier=kept) == []


def examples(lines: tuple[Any, ...]) -> list[Example]:
    asked = Asked(request=ValidationRequest(), format="supervised", model=None)
    return [
        Example(None, line, json.dumps(line).encode(), at, 9, asked)
        for at, line in enumerate(lines, 1)
    ]


def gathered(kind: type[Any], lines: tuple[Any, ...], cuts: tuple[int, ...]) -> Any:
    """Gather in parts that end at cuts, merged from the right."""
    whole = None
    for start, end in reversed(list(zip((0, *cuts), (*cuts, len(lines)), strict=True))):
        part = kind()
        for example in examples(lines[start:end]):
            part.add(example)
        part = pickle.loads(pickle.dumps(part))
        if whole is not None:
            part.merge(whole, end - start)
        whole = part
    return whole


@pytest.mark.parametrize("cuts", [(), (1,), (33, 34), (10, 50, 90), (5, 100)])
def test_sample_of_sketches_is_the_same_however_the_file_is_cut(cuts: tuple[int, ...]) -> None:
    """Where rows are too many, which are kept depends on the texts alone."""
    lines = tuple(talk(seed) for seed in range(120))

    rows = gathered(Few, lines, cuts)

    assert 0 < len(rows.rows()) <= Few.most_rows
    assert pack(rows.rows()) == pack(gathered(Few, lines, ()).rows())


@pytest.mark.parametrize("cuts", [(), (1,), (33, 34), (10, 50, 90)])
def test_sample_of_contexts_is_the_same_however_the_file_is_cut(cuts: tuple[int, ...]) -> None:
    """All answers of a context are kept, or none."""
    lines = tuple(talk(seed % 60, "yes" if seed % 7 else "no") for seed in range(120))

    state, whole = gathered(FewContexts, lines, cuts), gathered(FewContexts, lines, ())

    assert 0 < len(state.contexts) <= FewContexts.most_rows
    assert (state.contexts, state.answers, state.lines, state.halvings) == (
        whole.contexts,
        whole.answers,
        whole.lines,
        whole.halvings,
    )


def test_kept_rows_are_the_same_after_packing() -> None:
    """What is kept compares as what was read."""
    rows = gathered(Sketches, OTHERS, ()).rows()

    again = unpack(pack(rows))

    assert list(NearPairs(again, rows)) == [(at, at) for at in range(40)]


def conflicts(*lines: Any) -> list[int | None]:
    return [each.line for each in found("conflicting-answers", *OTHERS, *lines)]


def test_same_context_with_another_label_conflicts() -> None:
    """The line that answers otherwise is named; how the answer is written does not count."""
    question = user("Is the invoice of ticket 7 about money?")
    lines = [chat(question, assistant(answer)) for answer in ("yes", "Yes.", "no")]

    assert conflicts(*lines) == [43]


@pytest.mark.parametrize(
    "answers",
    [
        ("red", "blue", "green", "yellow", "pink"),
        ("Hi there!", "Hello!"),
        ("a long answer that tells much more than a label", "another long answer that tells more"),
    ],
)
def test_open_question_has_many_answers(answers: tuple[str, ...]) -> None:
    """Greetings, tales and the fifth colour are no contradictions."""
    assert conflicts(*(chat(user("Say something."), assistant(answer)) for answer in answers)) == []


def test_other_system_prompt_is_another_context() -> None:
    """Only the full context is compared."""
    lines = [
        chat(system(who), user("Is it so?"), assistant(answer))
        for who, answer in (("Agree.", "yes"), ("Disagree.", "no"))
    ]

    assert conflicts(*lines) == []


def test_method_that_has_no_answers_has_no_conflicts() -> None:
    """Preference pairs hold both answers on purpose."""
    report = validate(
        [BytesSource(name="training.jsonl", role=Role.TRAINING, data=b'{"input":{}}\n')],
        request=ValidationRequest(method="dpo"),
    )

    assert "conflicting-answers" not in {each.rule for each in report.findings}


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = sys.modules["gigatoken"] = None
from droptune.domain.dataset import Role
from droptune.validation import BytesSource, ValidationRequest, validate
data = sys.stdin.buffer.read()
report = validate(
    [BytesSource(name="training.jsonl", role=Role.TRAINING, data=data)],
    request=ValidationRequest(),
)
print(*sorted({each.rule for each in report.findings}), *report.unknown, sep="\\n")
"""


def test_report_without_numpy_says_what_was_not_looked_for() -> None:
    """The small installation finds all but near duplicates, and says so."""
    text, answer = (message["content"] for message in OTHERS[5]["messages"])
    lines = (*OTHERS, OTHERS[3], chat(user(text.upper()), assistant(answer)))

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMPY],
        input=as_bytes(lines),
        capture_output=True,
        check=True,
        timeout=60,
    )

    said = done.stdout.decode()
    assert "Near duplicates were not looked for" in said
    assert "duplicate-example" in said
    assert "near-duplicate-example" not in said


def test_short_answers_that_differ_to_one_question_contradict_and_are_no_near_duplicates() -> None:
    """One line is told of by one rule; that validation data asks it too is told of in any case."""
    yes, no = talk(500, "yes"), talk(500, "no")

    report = report_on(case(*OTHERS, yes, no, validation=(talk(500, "maybe"),)))

    told = {
        (each.rule, each.file, each.line)
        for each in report.findings
        if each.rule in ("near-duplicate-example", "conflicting-answers", "near-leaked-example")
    }
    assert told == {
        ("conflicting-answers", "training.jsonl", 42),
        ("near-leaked-example", "validation.jsonl", 1),
    }
