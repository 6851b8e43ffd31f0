"""Every rule there is: a module for each family, a function and two fixtures for each rule."""

from __future__ import annotations

from droptune.validation.rules import (
    answer_ends,
    chat,
    conflicts,
    damage,
    duplicates,
    foreign,
    habits,
    images,
    json_answers,
    leftovers,
    limits,
    lines,
    pair_lengths,
    personal,
    preferences,
    reinforcement,
    secrets,
    similarity,
    starts,
    system_prompts,
    tool_sets,
    tools,
    training_size,
    turns_in_answers,
    weights,
)
from droptune.validation.rules.registry import Family, Rule

FAMILIES: tuple[Family, ...] = (
    starts.rules,
    lines.rules,
    foreign.rules,
    chat.rules,
    weights.rules,
    tools.rules,
    images.rules,
    preferences.rules,
    reinforcement.rules,
    limits.rules,
    duplicates.rules,
    similarity.rules,
    conflicts.rules,
    answer_ends.rules,
    json_answers.rules,
    leftovers.rules,
    turns_in_answers.rules,
    system_prompts.rules,
    tool_sets.rules,
    training_size.rules,
    pair_lengths.rules,
    secrets.rules,
    personal.rules,
    damage.rules,
    habits.rules,
)


def _all() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for rule in (rule for family in FAMILIES for rule in family.rules):
        if rule.id in found:
            raise ValueError(f"two rules are named {rule.id}")
        found[rule.id] = rule
    return found


RULES = _all()
