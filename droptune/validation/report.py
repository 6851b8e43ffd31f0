"""What is asked of a validation and what it answers (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from droptune.domain.cost import CostEstimate
from droptune.domain.dataset import Role
from droptune.domain.findings import Finding, Severity
from droptune.domain.payload import Model


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierTest(Model):
    """What is kept of an earlier version's test data: digests and sketches, no text.

    Attributes:
        name: how messages call it, such as `v3/test.jsonl`.
        digests: 64 bits of SHA-256 of each example, little endian, in base64.
        sketches: what `similarity.Sketches` holds, packed, in base64; empty for none.
    """

    name: str
    digests: str
    sketches: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationRequest:
    """How a dataset shall be read.

    Attributes:
        model: None for a plan; tokens are then counted with o200k_base.
        method: supervised, dpo or reinforcement; None for what the data shows.
        ignore: rules whose warnings are left out, which the report says; errors stay.
        raised: rules that count as one severity worse.
        families: families of rules to apply; empty for all.
        grader_fields: fields of an example that the configured grader reads.
        as_of: the day of the validation, for dates of retirement.
        allowed: personal data that may stand in texts, or how they end, such as `@contoso.com`.
        earlier: what is kept of the test data of earlier versions, which is not to be trained on.
    """

    model: str | None = None
    method: str | None = None
    training_type: str = "GlobalStandard"
    n_epochs: int | str = "auto"
    batch_size: int | str = "auto"
    learning_rate_multiplier: float | str = "auto"
    min_examples: int = 10
    ignore: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    production_sku: str | None = None
    candidate_sku: str | None = None
    as_of: date | None = None
    families: tuple[str, ...] = ()
    grader_fields: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    earlier: tuple[EarlierTest, ...] = ()
    budget_usd: float | None = None
    hosting_budget_usd_month: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin(Model):
    """How many examples have a count from `low` to `high`, both included."""

    low: int
    high: int
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenFigures(Model):
    """The lab's figures and more; percentiles are linear, as numpy's default."""

    n: int
    sum: int
    min: int
    max: int
    mean: float
    median: float
    p5: float
    p95: float
    histogram: tuple[Bin, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReport(Model):
    """One file: what it holds.

    `tokens` has total and assistant as the recipe counts them, and apart (the sum of tools, parts
    and images), which are estimates; `whole` is both, which is what is billed and what the model's
    limit is for.

    Attributes:
        over_limit: examples that are longer than the model takes; None where that is not known.
    """

    role: Role
    name: str
    sha256: str
    bytes: int
    examples: int
    tokens: Mapping[str, TokenFigures]
    over_limit: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample(Model):
    """What stands at a place that a finding names, cut short; secrets in it are masked."""

    rule: str
    file: str
    line: int
    path: str | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDiff(Model):
    """How the data of a role differs from an earlier version's; rows are compared to the byte.

    Attributes:
        changed: rows whose answer alone is another.
        added_lines, changed_lines: the first of them, in the file as it is now.
        removed_lines: the first of them, in the earlier file.
    """

    role: Role
    earlier: str
    rows_before: int
    rows: int
    added: int
    removed: int
    changed: int
    added_lines: tuple[int, ...] = ()
    changed_lines: tuple[int, ...] = ()
    removed_lines: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Report(Model):
    """The report document.

    Attributes:
        example_tokens: the longest example that the model trains on; None where that is not known.
        samples: lines that findings name, where they were asked for.
        diff: how the data differs from an earlier version, where one was named.
        unknown: sentences on what a validation cannot know.
    """

    verdict: str
    format: str
    model: str | None
    encoding: str
    schema_version: int = 1
    files: tuple[FileReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    cost: CostEstimate | None = field(default=None)
    example_tokens: int | None = None
    samples: tuple[Sample, ...] = ()
    diff: tuple[FileDiff, ...] = ()
    unknown: tuple[str, ...] = ()

    def errors(self) -> tuple[Finding, ...]:
        """Return the findings that reject the dataset."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    def file(self, role: Role) -> FileReport | None:
        """Return the report of a role's file, or None."""
        return next((file for file in self.files if file.role is role), None)


def counted(findings: Sequence[Finding]) -> Mapping[str, Any]:
    """Return how many findings there are of each severity."""
    return {s.value: sum(f.count for f in findings if f.severity is s) for s in Severity}
