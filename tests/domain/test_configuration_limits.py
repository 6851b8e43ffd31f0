"""Ceilings: the installation's, then project.yaml's, then fine-tune-job.yaml's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.configurations import JOB, PROJECT, a_file, nested, refused, resolved

LOOSENED = [
    ({"run_usd": 50}, "pipeline.budget.run_usd", 51),
    ({"hosting_usd_month": 0}, "pipeline.budget.hosting_usd_month", 1),
    ({"rollback_hours": 10}, "pipeline.retention.rollback_hours", 11),
    ({"training_approval": "always"}, "pipeline.approval.training", "over_budget"),
    ({"training_approval": "over_budget"}, "pipeline.approval.training", "never"),
    ({"promotion_approval": "replace"}, "pipeline.approval.promotion", "never"),
    ({"models": ("gpt-4o",)}, "model", "gpt-4.1-mini"),
    ({"training_types": ("Standard",)}, "extra_body.trainingType", "GlobalStandard"),
    ({"skus": ("Standard",)}, "pipeline.deploy.production.sku", "GlobalStandard"),
    ({"skus": ("Standard",)}, "pipeline.deploy.candidate.sku", "DeveloperTier"),
    ({"capacity": 10}, "pipeline.deploy.production.capacity", 11),
    ({"capacity": 10}, "pipeline.deploy.candidate.capacity", 11),
    ({"capacity": 10}, "pipeline.allow.capacity", 11),
]
WITHIN = [
    ({"run_usd": 50}, "pipeline.budget.run_usd", 50),
    ({"hosting_usd_month": 0}, "pipeline.budget.hosting_usd_month", 0),
    ({"rollback_hours": 10}, "pipeline.retention.rollback_hours", 1),
    ({"training_approval": "over_budget"}, "pipeline.approval.training", "always"),
    ({"models": ("GPT-4o",)}, "model", "gpt-4o-2024-08-06"),
    ({"models": ("gpt-4o",)}, "model", "gpt-4o-2024-08-06.ft-1234-x"),
    ({"training_types": ("Standard",)}, "extra_body.trainingType", "standard"),
    ({"skus": ("Standard",)}, "pipeline.deploy.candidate.sku", "auto"),
    ({"skus": ("Standard",)}, "pipeline.deploy.production.sku", "standard"),
    ({"capacity": 10}, "pipeline.deploy.production.capacity", 10),
    ({"skus": ("Standard", "GlobalStandard")}, "pipeline.allow.skus", ["Standard"]),
]


@pytest.mark.parametrize(("ceilings", "path", "value"), LOOSENED)
@pytest.mark.parametrize("name", [PROJECT, JOB])
def test_loosening_the_installation_is_refused_by_name(
    name: str, ceilings: Any, path: str, value: Any
) -> None:
    """Whichever file tries it, it is named with the place and with what would be allowed."""
    file = a_file(name, **nested(path, value))
    which = "project" if name == PROJECT else "job"

    [found] = refused(**{which: file}, **ceilings)

    assert (found.rule, found.file, found.path) == ("ceiling", name, path)
    assert str(value) in found.message
    assert found.fix.startswith("Use ")


@pytest.mark.parametrize(("ceilings", "path", "value"), WITHIN)
def test_tightening_is_welcome(ceilings: Any, path: str, value: Any) -> None:
    """What stays within the ceilings is taken as written."""
    configuration = resolved(job=a_file(**nested(path, value)), **ceilings)

    assert configuration.origins[path] == JOB


@pytest.mark.parametrize(
    ("path", "above", "below"),
    [
        ("pipeline.budget.run_usd", 5, 6),
        ("pipeline.budget.hosting_usd_month", 0, 1),
        ("pipeline.retention.rollback_hours", 5, 6),
        ("pipeline.approval.training", "always", "over_budget"),
        ("pipeline.approval.promotion", "always", "replace"),
        ("pipeline.deploy.candidate.capacity", 5, 6),
        ("pipeline.deploy.production.capacity", 5, 6),
        ("pipeline.allow.capacity", 5, 6),
        ("pipeline.allow.models", ["gpt-4o"], ["gpt-4o", "gpt-4.1-mini"]),
        ("pipeline.allow.training_types", ["Standard"], ["GlobalStandard"]),
        ("pipeline.allow.skus", ["Standard"], ["GlobalStandard"]),
    ],
)
def test_job_file_may_not_loosen_its_project(path: str, above: Any, below: Any) -> None:
    """What a project allows itself binds its datasets, too."""
    files = [
        a_file(name, **nested(path, value)) for name, value in ((PROJECT, above), (JOB, below))
    ]

    [found] = refused(project=files[0], job=files[1])

    assert (found.rule, found.file) == ("ceiling", JOB)
    assert (found.path or "").startswith(path)


def test_job_file_may_choose_another_model_than_its_project() -> None:
    """A choice is no ceiling; only `pipeline.allow` is."""
    configuration = resolved(
        project=a_file(PROJECT, model="gpt-4o"), job=a_file(model="gpt-4.1-mini")
    )

    assert configuration.model == "gpt-4.1-mini"


def test_choice_of_a_project_that_its_job_file_forbids_is_refused() -> None:
    """Files that contradict each other are refused where the choice was made."""
    project = a_file(PROJECT, model="gpt-4o")
    job = a_file(pipeline={"allow": {"models": ["gpt-4.1-mini"]}})

    [found] = refused(project=project, job=job)

    assert (found.rule, found.file, found.path) == ("ceiling", PROJECT, "model")


def test_file_that_forbids_its_own_choice_is_refused() -> None:
    """A file is held to its own word."""
    job = a_file(model="gpt-4o", pipeline={"allow": {"models": ["gpt-4.1-mini"]}})

    [found] = refused(job=job)

    assert (found.rule, found.path) == ("ceiling", "model")


def test_ceilings_become_values_where_no_file_says_anything() -> None:
    """An installation's budget binds a dataset that brings no configuration."""
    configuration = resolved(
        run_usd=50,
        hosting_usd_month=900,
        training_approval="always",
        promotion_approval="never",
        rollback_hours=10,
    )

    pipeline = configuration.pipeline
    assert pipeline.budget.run_usd == 50
    assert pipeline.budget.hosting_usd_month == 0  # hosting is bought only where a file says so
    assert (pipeline.approval.training, pipeline.approval.promotion) == ("always", "replace")
    assert pipeline.retention.rollback_hours == 10
    assert configuration.origins["pipeline.approval.training"] == "installation"
    assert configuration.origins["pipeline.approval.promotion"] == "default"


def test_defaults_fit_under_the_ceilings() -> None:
    """A default that is not allowed gives way to what is, and says whose ceiling it was."""
    job = a_file(pipeline={"deploy": {"production": {}}})

    configuration = resolved(
        job=job,
        training_types=("Standard",),
        skus=("DeveloperTier", "DataZoneStandard"),
        capacity=10,
    )

    deploy = configuration.pipeline.deploy
    assert configuration.training_type == "Standard"
    assert deploy.production is not None
    assert (deploy.production.sku, deploy.production.capacity) == ("DataZoneStandard", 10)
    assert deploy.candidate.capacity == 10
    assert configuration.origins["extra_body.trainingType"] == "installation"
    assert configuration.origins["pipeline.deploy.production.sku"] == "installation"


def test_default_that_cannot_fit_is_refused() -> None:
    """Production in an installation that allows only what vanishes after a day is a mistake."""
    [found] = refused(job=a_file(pipeline={"deploy": {"production": {}}}), skus=("DeveloperTier",))

    assert (found.file, found.path) == (JOB, "pipeline.deploy.production.sku")


def test_what_is_allowed_is_kept_with_the_run() -> None:
    """A SKU that is chosen later is chosen among those that every level allows."""
    project = a_file(PROJECT, pipeline={"allow": {"skus": ["Standard"]}})

    allow = resolved(project=project, skus=("Standard", "GlobalStandard")).pipeline.allow

    assert allow.skus == ("Standard",)
    assert (allow.allows_sku("standard"), allow.allows_sku("DeveloperTier")) == (True, False)
    assert resolved().pipeline.allow.allows_sku("anything")


def test_first_poll_later_than_the_longest_delay_is_refused() -> None:
    """Two files that each are right can be wrong together."""
    project = a_file(PROJECT, pipeline={"polling": {"longest_seconds": 60}})
    job = a_file(pipeline={"polling": {"first_seconds": 90}})

    [found] = refused(project=project, job=job)

    assert (found.rule, found.file) == ("wrong-value", PROJECT)
