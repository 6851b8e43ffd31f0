"""Reading a dataset once and saying what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from droptune.domain.cost import estimate
from droptune.domain.dataset import Role
from droptune.domain.findings import Finding, Severity
from droptune.domain.models import ModelFacts, find_model
from droptune.validation.chat import Complaint, check_chat
from droptune.validation.finding_list import FindingList
from droptune.validation.lines import Line, LineReader
from droptune.validation.preferences import check_preference, messages_of
from droptune.validation.report import FileReport, Report, TokenFigures, ValidationRequest
from droptune.validation.sources import Source
from droptune.validation.tokens import TokenCounter

DEFAULT_ENCODING = "o200k_base"
_ORDER = tuple(Role)


@dataclass(kw_only=True)
class _Counts:
    """Token counts of a file's examples."""

    total: list[int] = field(default_factory=list)
    assistant: list[int] = field(default_factory=list)
    apart: list[int] = field(default_factory=list)


def validate(sources: Sequence[Source], *, request: ValidationRequest, workers: int = 1) -> Report:
    """Read every file once and report.

    `workers` is how many processes may read; one reads in this process. The report is the same.
    """
    return _Validation(request).run(sorted(sources, key=lambda s: _ORDER.index(s.role)))


class _Validation:
    """One validation: findings and figures gathered over all files."""

    def __init__(self, request: ValidationRequest) -> None:
        self._request = request
        self._facts: ModelFacts | None = find_model(request.model) if request.model else None
        encoding = self._facts.encoding if self._facts else None
        self._counter = TokenCounter(encoding or DEFAULT_ENCODING)
        self._findings = FindingList(request)
        self._format = {"dpo": "dpo", "reinforcement": "reinforcement"}.get(
            request.method, "supervised"
        )
        self._seen: dict[bytes, tuple[Role, int]] = {}

    def run(self, sources: Sequence[Source]) -> Report:
        """Return the report on the sources."""
        self._check_request(sources)
        files = tuple(self._file(source) for source in sources)
        training = next((file for file in files if file.role is Role.TRAINING), None)
        tokens = training.tokens if training else {}
        cost = estimate(
            model=self._request.model,
            tokens=sum(tokens[key].sum for key in ("total", "apart") if key in tokens),
            examples=training.examples if training else 0,
            n_epochs=self._request.n_epochs,
            training_type=self._request.training_type,
            production_sku=self._request.production_sku,
            candidate_sku=self._request.candidate_sku,
        )
        findings = self._findings.all()
        bad = any(finding.severity is Severity.ERROR for finding in findings)
        return Report(
            verdict="reject" if bad else "accept",
            format=self._format,
            model=self._request.model,
            encoding=self._counter.encoding,
            files=files,
            findings=findings,
            cost=cost,
        )

    def _check_request(self, sources: Sequence[Source]) -> None:
        if not any(source.role is Role.TRAINING for source in sources):
            self._say("no-training-data", "There is no training data.", "Add training.jsonl.")
        if self._format == "reinforcement":
            said = "Reinforcement fine-tuning is not supported yet."
            self._say("not-yet", said, "Use supervised or dpo.")
        if self._request.model and (self._facts is None or self._facts.encoding is None):
            self._findings.add(
                Finding(
                    rule="unknown-encoding",
                    severity=Severity.WARNING,
                    message=f"The encoding of {self._request.model[:60]} is not known: tokens are "
                    f"counted with {DEFAULT_ENCODING} and are an estimate.",
                )
            )

    def _file(self, source: Source) -> FileReport:
        reader = LineReader(source, self._findings.add)
        counts = _Counts()
        examples = 0
        for line in reader:
            examples += 1
            self._example(source, line, counts)
        least = self._request.min_examples
        if source.role is Role.TRAINING and 0 < examples < least:
            said = f"There are {examples} examples; at least {least} are needed."
            self._say("too-few-examples", said, "Add examples.", file=source.name)
        return FileReport(
            role=source.role,
            name=source.name,
            sha256=reader.sha256,
            bytes=reader.size_bytes,
            examples=examples,
            tokens={
                "total": TokenFigures.of(counts.total),
                "assistant": TokenFigures.of(counts.assistant),
                "apart": TokenFigures.of(counts.apart),
            },
        )

    def _example(self, source: Source, line: Line, counts: _Counts) -> None:
        bad = False
        for complaint in self._check(line.example):
            bad = bad or complaint.severity is Severity.ERROR
            self._findings.add(_finding(complaint, source, line.number))
        self._check_seen(source, line)
        if not bad:
            self._count(source, line, counts)

    def _check(self, example: Mapping[str, Any]) -> Iterator[Complaint]:
        return check_preference(example) if self._format == "dpo" else check_chat(example)

    def _count(self, source: Source, line: Line, counts: _Counts) -> None:
        example = line.example
        if self._format == "dpo":
            tokens = self._counter.count_example(messages_of(example))
        else:
            others = [example.get("tools"), example.get("functions")]
            tokens = self._counter.count_example(example["messages"], others)
        counts.total.append(tokens.total)
        counts.assistant.append(tokens.assistant)
        counts.apart.append(tokens.apart)
        longest = self._facts.example_tokens if self._facts else None
        if longest is not None and tokens.total + tokens.apart > longest:
            self._findings.add(
                Finding(
                    rule="example-too-long",
                    severity=Severity.WARNING,
                    file=source.name,
                    line=line.number,
                    message=f"The example has {tokens.total + tokens.apart} tokens; the model "
                    f"trains on at most {longest}.",
                    fix="Shorten or split it.",
                )
            )

    def _check_seen(self, source: Source, line: Line) -> None:
        first = self._seen.setdefault(line.digest, (source.role, line.number))
        if first == (source.role, line.number):
            return
        role, number = first
        leak = role is not source.role
        self._findings.add(
            Finding(
                rule="leaked-example" if leak else "duplicate-example",
                severity=Severity.WARNING,
                file=source.name,
                line=line.number,
                message=f"The example is the same as line {number} of the {role.value} data.",
                fix="Keep one of them.",
            )
        )

    def _say(self, rule: str, message: str, fix: str, *, file: str | None = None) -> None:
        self._findings.add(
            Finding(rule=rule, severity=Severity.ERROR, file=file, message=message, fix=fix)
        )


def _finding(complaint: Complaint, source: Source, line: int) -> Finding:
    return Finding(
        rule=complaint.rule,
        severity=complaint.severity,
        file=source.name,
        line=line,
        path=complaint.path,
        message=f"line {line}: {complaint.path}: {complaint.message}",
        fix=complaint.fix,
    )
