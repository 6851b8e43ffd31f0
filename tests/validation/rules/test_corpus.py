"""What the labelled corpus says of the rules: few false alarms, and the same in any pieces."""

from __future__ import annotations

import json

import pytest

from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.validation import BytesSource, Source, ValidationRequest, validate
from droptune.validation.rule_page import MEASURED
from droptune.validation.rules import RULES
from tests.validation.corpus import held_out
from tests.validation.corpus.measure import Score, compare, count_lines, document, scores
from tests.validation.corpus.ordinary import ORDINARY
from tests.validation.corpus.scene import Scene, bad, good, qa
from tests.validation.corpus.scenes import SCENES
from tests.validation.readers import InRanges
from tests.validation.rules.fixture_runs import as_bytes

TOO_LARGE_TO_MARK = {
    "all-examples-too-long",
    "file-too-large",
    "image-too-large",
    "line-too-long",
    "message-too-long",
    "too-many-image-examples",
}
LOUD = [
    rule.id
    for rule in RULES.values()
    if rule.severity is not Severity.INFO and rule.id not in TOO_LARGE_TO_MARK
]
every_scene = pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])


@pytest.fixture(scope="module")
def measured() -> dict[str, Score]:
    return scores(map(compare, SCENES))


def test_corpus_is_large_enough() -> None:
    """At least 300 different lines are marked, a good part of them hostile."""
    lines, hostile = count_lines(SCENES)

    assert lines >= 300
    assert hostile >= 100


@pytest.mark.parametrize("rule", LOUD)
def test_rule_rarely_cries_wolf(rule: str, measured: dict[str, Score]) -> None:
    """Every error and warning is in the corpus; 19 in 20 of its findings are right, at least."""
    score = measured.get(rule, Score(0, 0, 0))

    assert score.hits
    assert score.precision is not None
    assert score.precision >= 0.95


@pytest.mark.parametrize("rule", LOUD)
def test_rule_finds_most_of_what_it_is_for(rule: str, measured: dict[str, Score]) -> None:
    """Precision is not bought with silence."""
    recall = measured.get(rule, Score(0, 0, 0)).recall

    assert recall is not None
    assert recall >= 0.5


def test_rule_rarely_cries_wolf_at_lines_that_were_held_out() -> None:
    """Lines that were written after the rules, at least 100 of them, say the same of precision."""
    lines, hostile = count_lines(held_out.SCENES)
    fresh = scores(map(compare, held_out.SCENES))

    said = {rule: each.precision for rule, each in fresh.items() if each.hits + each.alarms}
    doubtful = {rule: share for rule, share in said.items() if share is None or share < 0.95}

    assert (lines >= 500, hostile >= 120, len(fresh) >= 100) == (True, True, True)
    assert doubtful == {}
    assert sum(each.hits for each in fresh.values()) >= 0.95 * hostile


def test_figures_in_the_docs_are_measured() -> None:
    """docs/rules-measured.json is what `python -m tests.validation.corpus` writes."""
    assert json.loads(MEASURED.read_text("utf-8")) == document(SCENES, held_out.SCENES)


def test_finding_without_a_mark_is_a_false_alarm() -> None:
    """The measure counts what the marks do not name, and what they name in vain."""
    hostile = qa("Where?", "Dear nan, it is on its way.")
    scene = Scene("wrong marks", (*ORDINARY, good(hostile), bad(qa("When?", "Now."), "bad-name")))

    found = scores([compare(scene)])

    assert found == {"empty-value-in-text": Score(0, 1, 0), "bad-name": Score(0, 0, 1)}


@every_scene
def test_scene_says_the_same_in_pieces(scene: Scene) -> None:
    """However its files are cut, and in whichever order the parts are merged."""
    sources: list[Source] = [
        BytesSource(name=f"{role.value}.jsonl", role=role, data=as_bytes(lines))
        for role, lines in (
            (Role.TRAINING, tuple(each.line for each in scene.training)),
            (Role.VALIDATION, tuple(each.line for each in scene.validation)),
            (Role.TEST, tuple(each.line for each in scene.test)),
        )
        if lines
    ]
    request = ValidationRequest(**scene.request)
    cuts = [997, 1_500, 4_001, 9_999]

    whole = validate(sources, request=request).to_payload()
    for from_the_right in (False, True):
        parts = validate(
            sources,
            request=request,
            reader=lambda plan, right=from_the_right: InRanges(plan, cuts, from_the_right=right),  # type: ignore[misc]
        )

        assert parts.to_payload() == whole
