"""Free, read-only questions that prove, before spending, that a run can be carried out."""

from __future__ import annotations

from datetime import timedelta

from activities.configurations import configuration_of
from activities.run_records import RunRecords
from droptune.domain.configuration import Configuration
from droptune.domain.deployment import AccountModel
from droptune.domain.errors import RunEndedError
from droptune.domain.models import find_model
from droptune.domain.phases import Phase
from droptune.domain.services import Clock, ResourceManager
from droptune.domain.steps import StepRequest

AUTO = "auto"
# A job queues and trains for hours. The end of the base model's inference says nothing of models
# fine-tuned from it, which have a later end of their own (facts 0.1).
_SOON = timedelta(days=1)


def check_account(
    request: StepRequest, *, records: RunRecords, resource_manager: ResourceManager, clock: Clock
) -> None:
    """End the run `rejected` on a lasting no: model, SKU, rights, retirement. Reads only."""
    record = records.begin(
        request.run, Phase.CHECKING, "Asking Azure whether the account can do all of it."
    )
    if record.job is not None:
        return  # what was to be proved has been done
    configuration = configuration_of(record)
    model = find_base_model(configuration.model or "", resource_manager)
    _check_method(configuration)
    _check_model(configuration, model, clock)
    _check_skus(configuration, model)
    if not resource_manager.may_deploy():
        raise _no(
            "no-right-to-deploy",
            "The app's identity may not create deployments on the Azure OpenAI account.",
            "Give it the role Cognitive Services OpenAI Contributor on the account.",
        )


def find_base_model(name: str, resource_manager: ResourceManager) -> AccountModel | None:
    """Return what the account says of a base model, or of the base of a fine-tuned one."""
    base = name.split(".ft-")[0].casefold()
    found = [m for m in resource_manager.list_models() if base in _names(m)]
    return next((m for m in found if m.fine_tune), found[0] if found else None)


def _names(model: AccountModel) -> tuple[str, str]:
    """Return a model's name without and with its version; Azure ignores case (facts 1.4)."""
    name = model.name.casefold()
    return name, f"{name}-{model.version.casefold()}"


def _check_method(configuration: Configuration) -> None:
    facts = find_model(configuration.model or "")
    if facts is not None and configuration.method_type not in facts.methods:
        raise _no(
            "method-not-offered",
            f"{facts.name} cannot be trained with the method {configuration.method_type}.",
            f"Use {' or '.join(facts.methods)}, or another model.",
        )


def _check_model(configuration: Configuration, model: AccountModel | None, clock: Clock) -> None:
    name = configuration.model
    if model is None:
        raise _no(
            "model-not-offered",
            f"The account does not offer the model {name}.",
            "Use a model that can be fine-tuned in the account's region, or another region.",
        )
    if model.fine_tune is False:
        raise _no(
            "model-not-fine-tunable",
            f"The account says that {name} cannot be fine-tuned.",
            "Use a model that can be fine-tuned in the account's region.",
        )
    if model.fine_tune_until is not None and model.fine_tune_until <= clock.now() + _SOON:
        raise _no(
            "model-retired",
            f"Fine-tuning of {name} ends on {model.fine_tune_until:%Y-%m-%d}.",
            "Use a newer model.",
        )


def _check_skus(configuration: Configuration, model: AccountModel | None) -> None:
    deploy = configuration.pipeline.deploy
    wanted = [deploy.candidate.sku] if deploy.candidate.sku != AUTO else []
    wanted += [deploy.production.sku] if deploy.production else []
    offered = model.skus if model else ()
    for sku in wanted:
        if offered and sku not in offered:
            raise _no(
                "sku-not-offered",
                f"The model {configuration.model} cannot be deployed as {sku} here.",
                f"Use one of {', '.join(offered)}.",
            )


def _no(code: str, message: str, remedy: str) -> RunEndedError:
    return RunEndedError(message, phase=Phase.REJECTED, code=code, remedy=remedy)
