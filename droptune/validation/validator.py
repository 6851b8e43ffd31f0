"""Reading a dataset once and saying what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from droptune.domain.cost import CostEstimate, estimate
from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.domain.models import find_model
from droptune.validation.counter_check import counter_agrees
from droptune.validation.finding_list import FindingList
from droptune.validation.pool import Pool
from droptune.validation.reading import Digest, InOneGo, Plan, Progress, Reader
from droptune.validation.recognise import recognise_format
from droptune.validation.report import FileReport, Report, TokenFigures, ValidationRequest
from droptune.validation.rules import RULES
from droptune.validation.rules.example import Asked, DatasetView, FileStart, FileView
from droptune.validation.rules.registry import Place, Rule
from droptune.validation.rules.selection import Selection
from droptune.validation.scanned import TOKEN_KINDS, Scanned
from droptune.validation.sources import Source, read_start
from droptune.validation.tally import Tally
from droptune.validation.tokens import fast_fault
from droptune.validation.tokens.vocabulary import DEFAULT_ENCODING
from droptune.validation.unknown import cannot_know

_START = 1 << 16
_ROLES = tuple(Role)


def validate(
    sources: Sequence[Source],
    *,
    request: ValidationRequest,
    workers: int = 1,
    progress: Progress | None = None,
    reader: Callable[[Plan], Reader] | None = None,
    check_counter: bool = False,
) -> Report:
    """Read every file once and report.

    `workers` is how many processes may read large files of this machine; one reads in this process.
    The report is the same to the byte. `progress` is told of numbers of bytes as they are read;
    `reader` makes another way to read. `check_counter` has the reference count a sample of large
    files, and all of one where the fast counter was wrong.
    """
    ordered = sorted(sources, key=lambda source: _ROLES.index(source.role))
    make = reader or (InOneGo if workers < 2 else lambda plan: Pool(plan, workers))
    return _Validation(request, ordered, make, progress, check_counter).run()


class _Validation:
    """One validation: what rules said and what was gathered, over all files."""

    def __init__(
        self,
        request: ValidationRequest,
        sources: Sequence[Source],
        make_reader: Callable[[Plan], Reader],
        progress: Progress | None,
        check_counter: bool,
    ) -> None:
        self._request, self._sources, self._progress = request, sources, progress
        self._check_counter = check_counter
        self._findings = FindingList(request)
        self._starts = [self._read_start(source) for source in sources]
        facts = find_model(request.model) if request.model else None
        first = next((start for start in self._starts if start), b"")
        data_format = request.method or recognise_format(first)
        asked = Asked(request=request, format=data_format, model=facts)
        encoding = (facts.encoding if facts else None) or DEFAULT_ENCODING
        self._plan = Plan(asked=asked, encoding=encoding)
        self._selection = Selection(tuple(RULES.values()), asked)
        self._dataset = DatasetView(asked)
        self._limit = facts.example_tokens if facts else None
        self._billed = 0
        self._reader = make_reader(self._plan)

    def run(self) -> Report:
        """Return the report."""
        with ThreadPoolExecutor(1) as beside:
            try:
                files = tuple(map(self._file, self._sources, self._starts))
            finally:
                closed = beside.submit(self._reader.close)
            report = self._report(files)
            closed.result()
        return report

    def _report(self, files: tuple[FileReport, ...]) -> Report:
        if why := fast_fault():
            self._findings.slow(why)
        tally = Tally()
        for rule in self._selection.dataset:
            _tell(tally, rule, rule.check(self._dataset))
        self._findings.add(tally, None)
        findings = self._findings.all()
        bad = any(finding.severity is Severity.ERROR for finding in findings)
        return Report(
            verdict="reject" if bad else "accept",
            format=self._plan.asked.format,
            model=self._request.model,
            encoding=self._plan.encoding,
            files=files,
            findings=findings,
            cost=self._cost(files),
            example_tokens=self._limit,
            unknown=cannot_know(files, self._request),
        )

    def _read_start(self, source: Source) -> bytes | None:
        """Return a file's first bytes, None if it cannot be read."""
        try:
            return read_start(source, _START)
        except OSError as error:
            self._findings.unreadable(source.name, error.strerror or "it cannot be read")
            return None

    def _file(self, source: Source, start: bytes | None) -> FileReport:
        digest = Digest(self._progress)
        scanned = Scanned()
        if start is None:
            self._dataset.refused.add(source.role)
            return self._file_report(source, digest, scanned)
        before = fingerprint(source)
        try:
            scanned = self._read(source, start, digest)
        except OSError as error:
            self._findings.unreadable(source.name, error.strerror or "it cannot be read")
        if fingerprint(source) != before:
            self._findings.changed(source.name)
        return self._file_report(source, digest, scanned)

    def _read(self, source: Source, start: bytes, digest: Digest) -> Scanned:
        asked, tally = self._plan.asked, Tally()
        size = source.size_bytes
        first = FileStart(
            name=source.name, role=source.role, size_bytes=size, data=start, asked=asked
        )
        for rule in self._selection.start:
            _tell(tally, rule, rule.check(first))
        if any(RULES[rule].severity is Severity.ERROR for rule in tally.rules):
            self._dataset.refused.add(source.role)
            digest.read(source)
            self._findings.add(tally, source.name)
            return Scanned()
        scanned = self._scan(source, digest)
        tally.merge(scanned.tally, 0)
        view = self._view(source, digest, scanned)
        self._dataset.files.append(view)
        for rule in self._selection.file:
            _tell(tally, rule, rule.check(view))
        self._findings.add(tally, source.name)
        return scanned

    def _scan(self, source: Source, digest: Digest) -> Scanned:
        scanned = self._reader.scan(source, digest)
        if scanned.estimates:
            self._findings.estimated(source.name, scanned.estimates)
        size, encoding = digest.size_bytes, self._plan.encoding
        if not self._check_counter or counter_agrees(scanned.sample, encoding, size):
            return scanned
        self._findings.miscounted(source.name)
        slow = InOneGo(replace(self._plan, fast=False))
        return slow.scan(source, Digest())

    def _view(self, source: Source, digest: Digest, scanned: Scanned) -> FileView:
        return FileView(
            role=source.role,
            name=source.name,
            size_bytes=max(source.size_bytes, digest.size_bytes),
            lines=scanned.lines,
            examples=scanned.examples,
            tokens=scanned.tokens,
            states=scanned.states,
            dataset=self._dataset,
        )

    def _file_report(self, source: Source, digest: Digest, scanned: Scanned) -> FileReport:
        whole = scanned.whole()
        if source.role is Role.TRAINING:
            self._billed += whole.sum() if self._limit is None else whole.sum_capped(self._limit)
        return FileReport(
            role=source.role,
            name=source.name,
            sha256=digest.sha256,
            bytes=digest.size_bytes,
            examples=scanned.examples,
            tokens=_figures(scanned) | {"whole": whole.figures()},
            over_limit=None if self._limit is None else whole.above(self._limit),
        )

    def _cost(self, files: Sequence[FileReport]) -> CostEstimate:
        """Return the price of what is trained on; a longer example is billed as it is cut."""
        training = [file for file in files if file.role is Role.TRAINING]
        request = self._request
        return estimate(
            model=request.model,
            tokens=self._billed,
            tokens_cut=sum(file.tokens["whole"].sum for file in training) - self._billed,
            examples=sum(file.examples for file in training),
            n_epochs=request.n_epochs,
            training_type=request.training_type,
            production_sku=request.production_sku,
            candidate_sku=request.candidate_sku,
            today=request.as_of,
            budget_usd=request.budget_usd,
            hosting_budget_usd_month=request.hosting_budget_usd_month,
        )


def fingerprint(source: Source) -> object:
    """Return what changes when the file does, where the source can tell."""
    tell = getattr(source, "fingerprint", None)
    return tell() if tell is not None else None


def _tell(tally: Tally, rule: Rule, places: Iterable[Place]) -> None:
    for place in places:
        tally.add(rule.id, place, place.line)


def _figures(scanned: Scanned) -> dict[str, TokenFigures]:
    figures = {}
    for kind in TOKEN_KINDS:
        counts = scanned.tokens[kind]
        if without := scanned.tokens["total"].total() - counts.total():
            counts[0] += without
        figures[kind] = counts.figures()
    return figures
