"""What is wrong with a dataset and what training on it costs: known before anything is spent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from activities.configurations import configuration_of
from activities.earlier_tests import earlier_tests, keep_test_of
from activities.pinned_data import sources
from activities.pins import hold_pins, reading_pinned
from activities.run_records import RunRecords, dump
from droptune.domain.configuration import Configuration
from droptune.domain.dataset import Role
from droptune.domain.errors import RunEndedError
from droptune.domain.findings import Finding, Severity
from droptune.domain.models import find_model
from droptune.domain.payload import Payload
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock
from droptune.domain.steps import Plan, StepRequest, Validated

REPORT = "report.json"
_ALWAYS = "Every training of this project waits for approval."


def validate_dataset(
    request: StepRequest,
    *,
    datasets: BlobStore,
    records: RunRecords,
    registry: BlobStore,
    clock: Clock,
    render: Callable[[Payload], str] | None = None,
) -> Validated:
    """Write the report and pass the dataset, or end the run `rejected` with what is wrong.

    A repetition reads the same pinned bytes and writes the same report. Once the job exists the
    report is what was trained on: it stays as it is.
    """
    record = records.begin(request.run, Phase.VALIDATING, "Reading every line of the dataset.")
    if record.job is not None:
        return _validated(record)
    record = hold_pins(record, datasets=datasets, records=records)
    with reading_pinned():
        report = _report(record, datasets, registry, clock)
    records.keep(record.ref, REPORT, dump(report), "application/json")
    if render is not None:
        html = render(report).encode()
        records.keep(record.ref, "report.html", html, "text/html; charset=utf-8")
    record = records.update(record.ref, lambda r: with_report(r, report))
    if report["verdict"] != "accept":
        raise records.refuse(record, _rejected(report))
    with reading_pinned():
        keep_test_of(record, datasets=datasets, registry=registry)
    return _validated(record)


def _validated(record: RunRecord) -> Validated:
    roles = (Role.TRAINING, Role.VALIDATION)
    return Validated(roles=tuple(role.value for role in roles if record.pins_of(role)))


def _report(record: RunRecord, datasets: BlobStore, registry: BlobStore, clock: Clock) -> Payload:
    from droptune.validation import validate  # the tokenizers are heavy
    from droptune.validation.asking import request_for
    from droptune.validation.samples import read_samples

    configuration = (
        Configuration.from_payload(record.configuration) if record.configuration else None
    )
    request = request_for(configuration, as_of=clock.now().date())
    request = replace(request, earlier=earlier_tests(record, registry))
    data = sources(record, datasets)
    found = validate(data, request=request, check_counter=True)
    report = replace(found, samples=read_samples(data, found.findings)).to_payload()
    own = [finding.to_payload() for finding in record.configuration_findings]
    return _with_findings(report, own)


def _with_findings(report: Payload, own: Sequence[Payload]) -> Payload:
    bad = any(finding["severity"] == Severity.ERROR for finding in own)
    return report | {
        "findings": [*own, *report["findings"]],
        "verdict": "reject" if bad else report["verdict"],
    }


def with_report(record: RunRecord, report: Payload) -> RunRecord:
    """Return the record with the report's figures."""
    training = [file for file in report["files"] if file["role"] == Role.TRAINING]
    counted = {"error": 0, "warning": 0}
    for finding in report["findings"]:
        if finding["severity"] in counted:
            counted[finding["severity"]] += finding.get("count", 1)
    return replace(
        record,
        examples=sum(file["examples"] for file in training),
        tokens=sum(file["tokens"]["total"]["sum"] for file in training),
        findings=counted,
        cost=report.get("cost") or {},
    )


def _rejected(report: Payload) -> RunEndedError:
    errors = [
        Finding.from_payload(each) for each in report["findings"] if each["severity"] == "error"
    ]
    more = f" ({len(errors) - 1} more in the report)" if len(errors) > 1 else ""
    first = errors[0]
    line = f"line {first.line}" if first.line else ""
    named = bool(line) and first.message.startswith(f"{line}:")
    place = ", ".join(part for part in (first.file, "" if named else line) if part)
    joined = ", " if named else ": "
    known = not place or place in first.message
    message = first.message if known else f"{place}{joined}{first.message}"
    return RunEndedError(
        f"{message}{more}",
        phase=Phase.REJECTED,
        code="training-data",
        remedy=first.fix or "Mend the data and drop it again.",
    )


def estimate_cost(request: StepRequest, *, records: RunRecords) -> Plan:
    """Compare the estimate with the budget; say whether the run trains and who has to approve."""
    record = records.begin(request.run, Phase.ESTIMATING, "Comparing the cost with the budget.")
    configuration = configuration_of(record)
    if configuration.model is None or configuration.pipeline.mode == "plan":
        return Plan(trains=False)
    price = _price_reasons(record, configuration)
    if price and configuration.pipeline.approval.training == "never" and record.job is None:
        raise RunEndedError(
            " ".join(price),
            phase=Phase.REJECTED,
            code="over-budget",
            remedy="Raise pipeline.budget.run_usd, or let a person approve: "
            "pipeline.approval.training: over_budget.",
        )
    reasons = tuple(dict.fromkeys((*record.approval_reasons, *price)))
    if configuration.pipeline.approval.training == "always":
        reasons = tuple(dict.fromkeys((*reasons, _ALWAYS)))
    records.update(record.ref, lambda r: replace(r, approval_reasons=reasons))
    return Plan(trains=True, needs_approval=bool(reasons))


def _price_reasons(record: RunRecord, configuration: Configuration) -> tuple[str, ...]:
    """Return why the price does not pass the budget by itself; empty when it does."""
    reasons = []
    budget, high = configuration.pipeline.budget.run_usd, record.cost.get("high")
    facts = find_model(configuration.model or "")
    if high is None:
        reasons.append("The price of training this model is not known.")
    elif budget is not None and high > budget:
        reasons.append(f"Training may cost ${high:.2f}, and the budget is ${budget:.2f}.")
    if facts is None or facts.encoding is None:
        reasons.append("This model's tokens cannot be counted exactly, so its price is a guess.")
    return tuple(reasons)
