"""What configuration files mean together."""

from __future__ import annotations

from typing import Any

import pytest

from droptune.domain.configuration import Ceilings, Configuration, JobFile, resolve
from tests.domain.configurations import JOB, PROJECT, a_file, nested, refused, resolved


def a_method(kind: str = "supervised", **hyperparameters: Any) -> dict[str, Any]:
    return {"type": kind, kind: {"hyperparameters": hyperparameters}}


def test_nothing_written_is_a_plan_with_defaults() -> None:
    """There is no default model; everything else has a default that costs nothing by the hour."""
    configuration = resolved()

    assert configuration.model is None
    assert configuration.training_type == "GlobalStandard"
    assert configuration.n_epochs == "auto"
    pipeline = configuration.pipeline
    assert (pipeline.budget.run_usd, pipeline.budget.hosting_usd_month) == (None, 0)
    assert (pipeline.approval.training, pipeline.approval.promotion) == ("over_budget", "replace")
    assert pipeline.approval.timeout_hours == 72
    assert pipeline.validation.min_examples == 10
    assert (pipeline.deploy.candidate.sku, pipeline.deploy.candidate.capacity) == ("auto", 100)
    assert pipeline.deploy.production is None
    assert (pipeline.polling.first_seconds, pipeline.polling.longest_seconds) == (30, 600)
    assert pipeline.polling.stalled_after_hours == 24
    assert pipeline.retention.rollback_hours == 48
    assert (pipeline.notify, pipeline.mode, pipeline.smoke_test) == ((), "run", None)


def test_every_key_of_the_file_reaches_the_configuration() -> None:
    """What is written is what runs."""
    pipeline = {
        "budget": {"run_usd": 50, "hosting_usd_month": 1300},
        "allow": {"models": ["gpt-4.1-mini"], "capacity": 60},
        "approval": {"training": "always", "promotion": "never", "timeout_hours": 1},
        "validation": {
            "min_examples": 20,
            "ignore": ["bom"],
            "raise": ["duplicates"],
            "allow": ["@contoso.com"],
        },
        "deploy": {
            "candidate": {"sku": "DeveloperTier", "capacity": 10},
            "production": {"sku": "Standard", "capacity": 60},
        },
        "smoke_test": {"messages": [{"role": "user", "content": "Hi"}]},
        "polling": {"first_seconds": 5, "longest_seconds": 60, "stalled_after_hours": 2},
        "retention": {"rollback_hours": 1},
        "notify": [{"url_setting": "NOTIFY_A", "format": "teams", "events": ["run.promoted"]}],
        "mode": "plan",
    }
    top = {
        "name": "bot",
        "description": "A bot",
        "model": "gpt-4.1-mini",
        "suffix": "support_1",
        "seed": 105,
        "training_file": "local:./data/a.jsonl",
        "validation_file": "b.jsonl",
        "method": a_method("dpo", beta=0.1, n_epochs=2),
        "metadata": {"team": "x", "a.b": 1, "live": True},
        "extra_body": {"trainingType": "Standard", "own": {"deep": 1}},
        "integrations": [{"type": "wandb", "config": {"project": "p"}}],
    }

    configuration = resolved(job=a_file(**top, pipeline=pipeline))

    shown = configuration.to_payload()
    assert shown["pipeline"]["validation"].pop("raised") == ["duplicates"]
    expected = pipeline | {
        "validation": {"min_examples": 20, "ignore": ["bom"], "allow": ["@contoso.com"]},
        "allow": pipeline["allow"] | {"training_types": None, "skus": None},
    }
    assert shown["pipeline"] == expected
    assert {key: shown[key] for key in top} == top | {
        "training_file": "data/a.jsonl",
        "validation_file": "b.jsonl",
        "metadata": {"team": "x", "a.b": "1", "live": "true"},
    }
    assert set(configuration.origins.values()) == {JOB}


def test_job_file_overrides_project_file_and_both_are_named_as_origin() -> None:
    """Each value says where it came from."""
    project = a_file(PROJECT, model="gpt-4o", seed=1)

    configuration = resolved(project=project, job=a_file(seed=105), run_usd=9, capacity=60)

    assert (configuration.model, configuration.seed) == ("gpt-4o", 105)
    origins = configuration.origins
    assert origins["model"] == PROJECT
    assert origins["seed"] == JOB
    assert origins["pipeline.mode"] == "default"
    assert origins["pipeline.budget.run_usd"] == "installation"
    assert origins["pipeline.deploy.candidate.capacity"] == "installation"


@pytest.mark.parametrize(
    ("project", "job", "epochs"),
    [
        ({}, {"epochs": 3}, 3),
        ({"n_epochs": 2}, {"epochs": 3}, 3),
        ({"epochs": 2}, {"n_epochs": 3}, 3),
        ({"epochs": 2}, {"epochs": -1}, "auto"),
        ({"n_epochs": 4}, {}, 4),
        ({"n_epochs": 4}, {"n_epochs": "auto"}, "auto"),
    ],
)
def test_epochs_is_an_alias_and_minus_one_is_auto(project: Any, job: Any, epochs: Any) -> None:
    """The last word on epochs counts, by whichever name it was said."""
    files = [
        a_file(name, method=a_method(**said)) for name, said in ((PROJECT, project), (JOB, job))
    ]

    configuration = resolved(project=files[0], job=files[1])

    assert configuration.n_epochs == epochs
    assert "epochs" not in (configuration.method or {})["supervised"]["hyperparameters"]


def test_documents_are_laid_over_each_other_key_by_key() -> None:
    """A job file that says one thing leaves the rest of the project's word standing."""
    project = a_file(
        PROJECT,
        metadata={"team": "a", "a.b": "kept"},
        extra_body={"trainingType": "Standard", "own": {"x": 1, "y": 1}},
        method=a_method(n_epochs=2, batch_size=4),
    )
    job = a_file(metadata={"team": "b"}, extra_body={"own": {"y": 2}}, method={"supervised": None})

    configuration = resolved(project=project, job=job)

    assert configuration.metadata == {"team": "b", "a.b": "kept"}
    assert configuration.extra_body == {"trainingType": "Standard", "own": {"x": 1, "y": 2}}
    assert configuration.n_epochs == 2


def test_null_where_a_mapping_belongs_says_nothing() -> None:
    """A key whose lines are all commented out changes nothing."""
    nothing = a_file(method=None, metadata=None, integrations=None, extra_body=None, pipeline=None)

    assert resolved(job=nothing).pipeline == resolved().pipeline
    assert resolved(job=nothing).as_written == {}


def test_null_takes_production_back() -> None:
    """A job file can keep a dataset out of production."""
    project = a_file(PROJECT, pipeline={"deploy": {"production": {"sku": "Standard"}}})
    job = a_file(pipeline={"deploy": {"production": None}})

    assert resolved(project=project).pipeline.deploy.production is not None
    assert resolved(project=project, job=job).pipeline.deploy.production is None


def test_production_has_defaults_of_its_own() -> None:
    """A production deployment that is only wanted gets the usual SKU and capacity."""
    configuration = resolved(job=a_file(pipeline={"deploy": {"production": {}}}))

    production = configuration.pipeline.deploy.production
    assert production is not None
    assert (production.sku, production.capacity) == ("GlobalStandard", 50)
    assert configuration.origins["pipeline.deploy.production.sku"] == "default"


def test_only_what_was_written_identifies_the_training() -> None:
    """Defaults and Droptune's own keys stay out, so that later defaults rename nothing."""
    bare = resolved(job=a_file(model="gpt-4o"))
    more = resolved(job=a_file(model="gpt-4o", name="x", pipeline={"mode": "plan"}, seed=None))

    assert bare.as_written == more.as_written == {"model": "gpt-4o"}
    assert (bare.rest_as_written, more.rest_as_written) == (
        {},
        {"name": "x", "pipeline": {"mode": "plan"}},
    )


def test_where_a_value_was_written_does_not_identify_the_training() -> None:
    """The same training by project.yaml or by fine-tune-job.yaml is one paid job."""
    said = {"model": "gpt-4o", "seed": 5, "method": a_method(n_epochs=2)}

    assert (
        resolved(project=a_file(PROJECT, **said)).as_written
        == resolved(job=a_file(**said)).as_written
        == resolved(project=a_file(PROJECT, seed=1), job=a_file(**said)).as_written
        == said
    )


def test_integration_is_sent_as_the_service_reads_it() -> None:
    """azd writes `config`, the service reads it under the integration's own name."""
    written = {"type": "wandb", "config": {"project": "p", "entity": None, "tags": ["a"]}}

    sent = resolved(job=a_file(integrations=[written])).integrations_as_sent

    assert sent == ({"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}},)


def test_stored_configuration_reads_back_the_same() -> None:
    """A run's record gives back what was resolved."""
    smoke_test = {"messages": [{"role": "user", "content": "Hi"}]}
    configuration = resolved(
        job=a_file(model="gpt-4o", pipeline={"mode": "plan", "smoke_test": smoke_test})
    )

    assert Configuration.from_payload(configuration.to_payload()) == configuration


@pytest.mark.parametrize(
    ("values", "rule", "path"),
    [
        ({"n_epoch": 3}, "unknown-key", "n_epoch"),
        ({"seed": "x"}, "wrong-value", "seed"),
        ({"seed": True}, "wrong-value", "seed"),
        ({"seed": 1.5}, "wrong-value", "seed"),
        ({"seed": -2}, "wrong-value", "seed"),
        ({"seed": 2**31}, "wrong-value", "seed"),
        ({"model": "gpt-4.1-mni"}, "unknown-model", "model"),
        ({"model": 4}, "wrong-value", "model"),
        ({"model": ""}, "wrong-value", "model"),
        ({"suffix": "a b"}, "wrong-value", "suffix"),
        ({"suffix": "a.b"}, "wrong-value", "suffix"),
        ({"suffix": "a\n"}, "wrong-value", "suffix"),
        ({"suffix": "a" * 65}, "wrong-value", "suffix"),
        ({"name": ["x"]}, "wrong-value", "name"),
        ({"training_file": "file-123"}, "file-id", "training_file"),
        ({"training_file": "assistant-123"}, "file-id", "training_file"),
        ({"training_file": "local:"}, "wrong-value", "training_file"),
        ({"validation_file": "local:a/"}, "wrong-value", "validation_file"),
        (
            {"training_file": "local:./a.jsonl", "validation_file": "a.jsonl"},
            "same-file",
            "validation_file",
        ),
        ({"method": "supervised"}, "wrong-type", "method"),
        ({"method": {"type": "sft"}}, "wrong-value", "method.type"),
        ({"method": {"type": "reinforcement"}}, "not-yet", "method.type"),
        (
            {"method": {"type": "dpo", "supervised": {"hyperparameters": {"n_epochs": 1}}}},
            "unused-block",
            "method.supervised",
        ),
        ({"metadata": []}, "wrong-type", "metadata"),
        ({"metadata": {"a": None}}, "wrong-value", "metadata.a"),
        ({"metadata": {"a": "x" * 513}}, "wrong-value", "metadata.a"),
        ({"metadata": {"k" * 65: "x"}}, "wrong-value", f"metadata.{'k' * 65}"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "wrong-value", "metadata"),
        ({"metadata": {"api_key": "abc"}}, "secret", "metadata.api_key"),
        ({"extra_body": {"trainingType": "Fast"}}, "wrong-value", "extra_body.trainingType"),
        ({"extra_body": {"trainingType": ["x"]}}, "wrong-value", "extra_body.trainingType"),
        ({"extra_body": {"suffix": "mine"}}, "reserved-key", "extra_body.suffix"),
        ({"extra_body": {"training_file": "f"}}, "reserved-key", "extra_body.training_file"),
        ({"integrations": {"type": "wandb"}}, "wrong-type", "integrations"),
        ({"integrations": [{"config": {"project": "p"}}]}, "missing-key", "integrations[0]"),
        ({"integrations": [{"type": "wandb"}]}, "missing-key", "integrations[0]"),
        (
            {"integrations": [{"type": "wandb", "config": {}}]},
            "missing-key",
            "integrations[0].config",
        ),
        (
            {"integrations": [{"type": "mlflow", "config": {"project": "p"}}]},
            "wrong-value",
            "integrations[0].type",
        ),
        ({"integrations": [None]}, "wrong-value", "integrations[0]"),
        ({"extra_body": {"deep": [{"api_key": "x"}]}}, "secret", "extra_body.deep[0].api_key"),
    ],
)
def test_bad_value_is_refused_with_its_path(values: Any, rule: str, path: str) -> None:
    """Each mistake has a stable rule, names its place, and says what would be right."""
    findings = refused(job=a_file(**values))

    assert [(found.rule, found.path) for found in findings] == [(rule, path)]
    assert all(found.message[-1] == "." and found.fix[-1] in ".?" for found in findings)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("budget.run_usd", -1),
        ("budget.run_usd", "50"),
        ("budget.hosting_usd_month", None),
        ("allow.capacity", 0),
        ("approval.training", "sometimes"),
        ("approval.promotion", "over_budget"),
        ("approval.timeout_hours", 0),
        ("validation.min_examples", 9),
        ("deploy.candidate.sku", "a b"),
        ("deploy.candidate.capacity", 0),
        ("deploy.production.sku", "auto"),
        ("deploy.production.sku", "DeveloperTier"),
        ("polling.first_seconds", 0),
        ("polling.longest_seconds", float("inf")),
        ("retention.rollback_hours", -1),
        ("mode", "go"),
        ("mode", None),
        ("smoke_test.messages", []),
    ],
)
def test_bad_value_of_the_pipeline_is_refused_with_its_path(path: str, value: Any) -> None:
    """Droptune's own keys are held to their ranges."""
    findings = refused(job=a_file(**nested(f"pipeline.{path}", value)))

    assert [(found.rule, found.path) for found in findings] == [("wrong-value", f"pipeline.{path}")]


@pytest.mark.parametrize(
    ("target", "rule", "path"),
    [
        ({"url_setting": "PATH"}, "wrong-value", "[0].url_setting"),
        ({"url_setting": "AZURE_OPENAI_API_KEY"}, "wrong-value", "[0].url_setting"),
        ({"url_setting": "NOTIFY_A\n"}, "wrong-value", "[0].url_setting"),
        ({"url_setting": "NOTIFY_B"}, "unknown-setting", "[0].url_setting"),
        ({"url": "https://example.com"}, "unknown-key", "[0].url"),
        ({"url_setting": "NOTIFY_A", "format": "mail"}, "wrong-value", "[0].format"),
        ({"url_setting": "NOTIFY_A", "events": ["Run"]}, "wrong-value", "[0].events[0]"),
    ],
)
def test_only_settings_for_notifications_may_be_told(target: Any, rule: str, path: str) -> None:
    """A file can send news only to an address that the installation holds for that."""
    job = a_file(pipeline={"notify": [target]})

    findings = refused(job=job, notify_settings=("NOTIFY_A",))

    assert (rule, f"pipeline.notify{path}") in [(found.rule, found.path) for found in findings]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_epochs", 0),
        ("n_epochs", 51),
        ("n_epochs", 2.5),
        ("n_epochs", "many"),
        ("n_epochs", -2),
        ("epochs", True),
        ("batch_size", 0),
        ("learning_rate_multiplier", 0),
        ("learning_rate_multiplier", -0.1),
        ("learning_rate_multiplier", float("nan")),
        ("prompt_loss_weight", 1.1),
    ],
)
def test_impossible_hyperparameter_is_refused(name: str, value: Any) -> None:
    """What the service could only refuse is refused before anything is uploaded."""
    [found] = refused(job=a_file(method=a_method(**{name: value})))

    assert found.path == f"method.supervised.hyperparameters.{name}"


def test_both_names_for_epochs_are_refused() -> None:
    """Two words for one thing are a question."""
    [found] = refused(job=a_file(method=a_method(epochs=1, n_epochs=2)))

    assert found.rule == "duplicate-key"


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"modle": "x"}, "`model`"),
        ({"n_epoch": 3}, "`method.supervised.hyperparameters.n_epochs`"),
        ({"budget": {}}, "`pipeline.budget`"),
        ({"method": a_method(n_epoch=3)}, "`n_epochs`"),
        ({"method": a_method(beta=3)}, "`method.dpo.hyperparameters.beta`"),
        ({"pipeline": {"deploy": {"producton": None}}}, "`production`"),
    ],
)
def test_unknown_key_comes_with_a_suggestion(values: Any, meant: str) -> None:
    """A key that nobody knows is answered by the one that was probably meant, and its place."""
    [found] = refused(job=a_file(**values))

    assert (found.rule, found.fix) == ("unknown-key", f"Did you mean {meant}?")


def test_unlike_key_is_answered_by_what_is_known() -> None:
    """Where nothing is close, all keys of the place are named."""
    [found] = refused(job=a_file(pipeline={"budget": {"zzz": 1}}))

    assert found.fix == "Known here: hosting_usd_month, run_usd."


def test_all_mistakes_of_all_files_are_reported_at_once() -> None:
    """Nobody mends a file twice: shape, meaning and ceilings are said together."""
    project = a_file(PROJECT, model="gpt-5o-mini", colour="red")
    job = a_file(
        seed="x", suffix="a b", training_file="file-1", pipeline={"budget": {"run_usd": 9}}
    )

    findings = refused(project=project, job=job, run_usd=5)

    assert [(found.file, found.rule) for found in findings] == [
        (PROJECT, "unknown-key"),
        (PROJECT, "unknown-model"),
        (JOB, "wrong-value"),
        (JOB, "wrong-value"),
        (JOB, "file-id"),
        (JOB, "ceiling"),
    ]


def test_many_mistakes_are_named_and_the_rest_is_counted() -> None:
    """A hostile file costs twenty sentences, not thousands."""
    findings = refused(job=a_file(**{f"key{number}": 1 for number in range(5000)}))

    assert len(findings) == 20
    assert (findings[-1].rule, findings[-1].count) == ("more-findings", 4981)


def test_finding_names_the_line_of_its_value_or_of_what_is_around_it() -> None:
    """An editor can jump there."""
    lines = {"pipeline": 3, "pipeline.notify": 4, "pipeline.notify[0]": 5, "seed": 1}
    values = {"seed": "x", "pipeline": {"notify": [{"format": 1}, {"format": 1}]}}

    findings = refused(job=JobFile(file=JOB, values=values, lines=lines))

    assert [found.line for found in findings] == [1, 5, 5, 4, 4]


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o",
        "gpt-4o-2024-08-06",
        "GPT-4o",
        "ministral-3b",
        "gpt-4o-2024-08-06.ft-0123456789abcdef-support",
        "gpt-4.1-mini-2025-04-14.ft-0123:ckpt-step-90",
    ],
)
def test_model_is_known_in_every_version_and_fine_tuned(model: str) -> None:
    """An earlier fine-tuned model can be trained on."""
    assert resolved(job=a_file(model=model), models=("gpt-4o", "gpt-4.1-mini", "Ministral-3B"))


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4", "gpt-4o-audio", "gpt-4.1"])
def test_model_of_a_like_name_is_another_model(model: str) -> None:
    """A prefix is not the same model."""
    [found] = refused(job=a_file(model=model))

    assert found.rule == "unknown-model"


def test_model_that_the_installation_allows_is_known() -> None:
    """A model that appears tomorrow needs a setting, not a release."""
    assert resolved(job=a_file(model="gpt-6"), models=("gpt-6",)).model == "gpt-6"


def test_without_known_models_every_name_is_taken() -> None:
    """Who does not know the models says nothing of them."""
    configuration, findings = resolve(
        installation=Ceilings(), project_file=None, job_file=a_file(model="anything")
    )

    assert (configuration is not None, findings) == (True, ())
