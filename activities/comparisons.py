"""Answers of candidate, champion and base model side by side, for whoever decides a promotion."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from activities.candidates import give_back_place
from activities.champions import load_champion
from activities.contenders import find_base_deployment
from activities.questions import Prompt, prompts
from activities.run_records import RunRecords, change_document, load_document
from droptune.domain.comparison import ANSWERS, Comparison, Exchange
from droptune.domain.dataset import Role
from droptune.domain.errors import DroptuneError, TransientError
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, FineTuningService, ResourceManager
from droptune.domain.steps import Compared, Later, StepRequest

MOST_PROMPTS = 20
MOST_TOKENS = 256  # an answer's
LONGEST_KEPT = 4_000  # characters of a prompt or an answer that are kept
_ANSWERS_A_CALL = 6  # a worker is held for some minutes at most, also by slow answers
_PATIENCE = 40  # calls after which what a later try may cure is not waited for any more


def compare_answers(
    request: StepRequest,
    *,
    records: RunRecords,
    datasets: BlobStore,
    registry: BlobStore,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
) -> Compared | Later:
    """Ask up to 20 held-out prompts of candidate, champion and base model, a few each time.

    Each answer is kept as soon as it is there, in a document of the run, and what is answered is
    not asked again: at most 60 answers of 256 tokens to prompts of 8,000 bytes. Who does not
    answer costs the run nothing. At the end the candidate's place is given back.
    """
    record = records.begin(request.run, Phase.EVALUATING, "Asking for answers side by side.")
    asked = _prompts(record, datasets)
    name = record.ref.folder + ANSWERS
    comparison = _begun(name, record, asked, records, registry, resource_manager)
    by_line = {prompt.line: prompt for _, each in asked for prompt in each}
    for exchange, who in islice(list(comparison.unasked()), _ANSWERS_A_CALL):
        deployment = comparison.deployments[who]
        said = _ask(by_line.get(exchange.line), deployment, azure_openai, request.polls)
        if isinstance(said, Later):
            return said
        comparison = _keep(records.store, name, exchange.line, who, said) or comparison
    if any(True for _ in comparison.unasked()):
        return Later(seconds=0, reason="more answers are to come")
    give_back_place(record, records=records, registry=registry, resource_manager=resource_manager)
    return Compared(answers=sum(len(each.answers) for each in comparison.exchanges))


def _prompts(record: RunRecord, datasets: BlobStore) -> list[tuple[Role, list[Prompt]]]:
    """Return the first prompts of the test data, else of the validation data."""
    for role in (Role.TEST, Role.VALIDATION):
        if found := list(islice(prompts(record, role, datasets), MOST_PROMPTS)):
            return [(role, found)]
    return []


def _begun(
    name: str,
    record: RunRecord,
    asked: list[tuple[Role, list[Prompt]]],
    records: RunRecords,
    registry: BlobStore,
    resource_manager: ResourceManager,
) -> Comparison:
    """Return the comparison as it is stored, or a new one of whom there is to ask now."""
    known, _ = load_document(records.store, name, Comparison)
    if known is not None or not asked:
        return known or Comparison(role="", deployments={}, exchanges=())
    [(role, found)] = asked
    exchanges = tuple(
        Exchange(
            line=prompt.line,
            prompt=prompt.last[:LONGEST_KEPT],
            expected=prompt.expected[:LONGEST_KEPT],
        )
        for prompt in found
    )
    new = Comparison(
        role=role.value,
        deployments=_deployments(record, registry, resource_manager),
        exchanges=exchanges,
    )
    return change_document(records.store, name, Comparison, lambda now: now or new) or new


def _deployments(
    record: RunRecord, registry: BlobStore, resource_manager: ResourceManager
) -> dict[str, str]:
    champion, _ = load_champion(registry, record.project)
    contenders = {
        "candidate": (record.deployment or {}).get("name"),
        "champion": champion.current.deployment if champion else None,
        "base": find_base_deployment(record, resource_manager),
    }
    return {who: str(name) for who, name in contenders.items() if name}


def _ask(
    prompt: Prompt | None, deployment: str, azure_openai: FineTuningService, polls: int
) -> Mapping[str, str] | Later:
    """Return `text`, or in `missing` why there is none; what a later try may cure is waited for,
    for a while."""
    if prompt is None:
        return {"text": "", "missing": "prompt-gone"}
    try:
        answer = azure_openai.complete_chat(deployment, prompt.messages, max_tokens=MOST_TOKENS)
    except TransientError as error:
        if polls < _PATIENCE:
            return Later(seconds=error.retry_after or 5, reason=error.code)
        return {"text": "", "missing": error.code}
    except DroptuneError as error:
        return {"text": "", "missing": error.code}
    return {"text": answer.content[:LONGEST_KEPT], "missing": ""}


def _keep(
    store: BlobStore, name: str, line: int, who: str, said: Mapping[str, str]
) -> Comparison | None:
    return change_document(
        store,
        name,
        Comparison,
        lambda now: now.answered(line, who, said["text"], missing=said["missing"]) if now else None,
    )
