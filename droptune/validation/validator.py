"""Reading a dataset once and saying what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from droptune.domain.cost import CostEstimate, estimate
from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.domain.models import find_model
from droptune.validation.finding_list import FindingList
from droptune.validation.pool import Plan, Pool
from droptune.validation.recognise import recognise_format
from droptune.validation.report import FileReport, Report, ValidationRequest
from droptune.validation.rules import RULES
from droptune.validation.rules.example import Asked, DatasetView, FileStart, FileView
from droptune.validation.rules.registry import Place, Rule
from droptune.validation.rules.selection import Selection
from droptune.validation.scan import TOKEN_KINDS, Scanned, Scanner
from droptune.validation.sources import FileSource, Source
from droptune.validation.tally import Tally
from droptune.validation.tokens.vocabulary import DEFAULT_ENCODING

Progress = Callable[[int], None]
WORTH_PROCESSES = 24 << 20
_START = 1 << 16
_ROLES = tuple(Role)


def validate(
    sources: Sequence[Source],
    *,
    request: ValidationRequest,
    workers: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Read every file once and report.

    `workers` is how many processes may read files of this machine; one reads in this process. The
    report is the same. `progress` is called with numbers of bytes as they are read.
    """
    ordered = sorted(sources, key=lambda source: _ROLES.index(source.role))
    validation = _Validation(request, ordered, workers, progress)
    try:
        return validation.run()
    finally:
        validation.close()


class _Validation:
    """One validation: what rules said and what was gathered, over all files."""

    def __init__(
        self,
        request: ValidationRequest,
        sources: Sequence[Source],
        workers: int,
        progress: Progress | None,
    ) -> None:
        self._request, self._sources, self._progress = request, sources, progress
        facts = find_model(request.model) if request.model else None
        self._starts = [_read_start(source) for source in sources]
        data_format = request.method or recognise_format(self._starts[0] if sources else b"")
        self._asked = Asked(request=request, format=data_format, model=facts)
        self._encoding = (facts.encoding if facts else None) or DEFAULT_ENCODING
        self._selection = Selection(tuple(RULES.values()), self._asked)
        self._dataset = DatasetView(self._asked)
        self._findings = FindingList(request)
        self._scanner: Scanner | None = None
        self._plan = Plan(asked=self._asked, encoding=self._encoding)
        self._pool = Pool(self._plan, workers) if workers > 1 else None

    def close(self) -> None:
        """End the processes, if there are any."""
        if self._pool is not None:
            self._pool.close()

    def run(self) -> Report:
        """Return the report."""
        files = tuple(
            self._file(source, start)
            for source, start in zip(self._sources, self._starts, strict=True)
        )
        tally = Tally()
        for rule in self._selection.dataset:
            _tell(tally, rule, rule.check(self._dataset))
        self._findings.add(tally, None)
        findings = self._findings.all()
        bad = any(finding.severity is Severity.ERROR for finding in findings)
        return Report(
            verdict="reject" if bad else "accept",
            format=self._asked.format,
            model=self._request.model,
            encoding=self._encoding,
            files=files,
            findings=findings,
            cost=self._cost(files),
        )

    def _file(self, source: Source, start: bytes) -> FileReport:
        tally = Tally()
        first = FileStart(
            name=source.name,
            role=source.role,
            size_bytes=source.size_bytes,
            data=start,
            asked=self._asked,
        )
        for rule in self._selection.start:
            _tell(tally, rule, rule.check(first))
        digest = _Digest(self._progress)
        if any(RULES[rule].severity is Severity.ERROR for rule in tally.rules):
            self._dataset.refused.add(source.role)
            digest.read(source)
            self._findings.add(tally, source.name)
            return _file_report(source, digest, Scanned())
        scanned = self._scan(source, digest)
        tally.merge(scanned.tally, 0)
        view = self._view(source, digest, scanned)
        self._dataset.files[source.role] = view
        for rule in self._selection.file:
            _tell(tally, rule, rule.check(view))
        self._findings.add(tally, source.name)
        return _file_report(source, digest, scanned)

    def _scan(self, source: Source, digest: _Digest) -> Scanned:
        if self._pool and isinstance(source, FileSource) and source.size_bytes > WORTH_PROCESSES:
            scanned = self._pool.scan(source, lambda: digest.read(source))
            if scanned is not None:
                return scanned
        if self._scanner is None:
            self._scanner = Scanner(self._asked, self._encoding)
        return self._scanner.scan(source, on_bytes=digest.add)

    def _view(self, source: Source, digest: _Digest, scanned: Scanned) -> FileView:
        return FileView(
            role=source.role,
            name=source.name,
            size_bytes=digest.size_bytes,
            lines=scanned.lines,
            examples=scanned.examples,
            tokens=scanned.tokens,
            states=scanned.states,
            dataset=self._dataset,
        )

    def _cost(self, files: Sequence[FileReport]) -> CostEstimate:
        training = next((file for file in files if file.role is Role.TRAINING), None)
        tokens = training.tokens if training else {}
        return estimate(
            model=self._request.model,
            tokens=sum(tokens[kind].sum for kind in ("total", "apart") if kind in tokens),
            examples=training.examples if training else 0,
            n_epochs=self._request.n_epochs,
            training_type=self._request.training_type,
            production_sku=self._request.production_sku,
            candidate_sku=self._request.candidate_sku,
        )


class _Digest:
    """SHA-256 and length of a file's bytes."""

    def __init__(self, progress: Progress | None) -> None:
        self._hash, self._progress = hashlib.sha256(), progress
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """The digest of all bytes so far, in hex."""
        return self._hash.hexdigest()

    def add(self, data: bytes) -> None:
        """Take in bytes."""
        self._hash.update(data)
        self.size_bytes += len(data)
        if self._progress is not None:
            self._progress(len(data))

    def read(self, source: Source) -> None:
        """Take in a whole file."""
        self._hash, self.size_bytes = hashlib.sha256(), 0
        with source.open() as stream:
            while data := stream.read(1 << 20):
                self.add(data)


def _read_start(source: Source) -> bytes:
    with source.open(0, min(_START, source.size_bytes)) as stream:
        return stream.read(_START)


def _tell(tally: Tally, rule: Rule, places: Iterable[Place]) -> None:
    for place in places:
        tally.add(rule.id, place, place.line)


def _file_report(source: Source, digest: _Digest, scanned: Scanned) -> FileReport:
    figures = {}
    for kind in TOKEN_KINDS:
        counts = scanned.tokens[kind]
        if without := scanned.tokens["total"].total() - counts.total():
            counts[0] += without
        figures[kind] = counts.figures()
    return FileReport(
        role=source.role,
        name=source.name,
        sha256=digest.sha256,
        bytes=digest.size_bytes,
        examples=scanned.examples,
        tokens=figures,
    )
