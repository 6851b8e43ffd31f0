"""Gathering findings: twenty places for each rule and file, then a count."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from droptune.domain.findings import Finding, Severity
from droptune.validation.report import ValidationRequest

LISTED = 20


class FindingList:
    """Findings as they come; ignored rules leave no warnings, raised ones are errors."""

    def __init__(self, request: ValidationRequest) -> None:
        """Apply what the request says of single rules."""
        self._request = request
        self._found: list[Finding] = []
        self._seen: Counter[tuple[str, str | None, Severity]] = Counter()

    def add(self, finding: Finding) -> None:
        """Take a finding in."""
        if finding.rule in self._request.raised and finding.severity is Severity.WARNING:
            finding = replace(finding, severity=Severity.ERROR)
        if finding.rule in self._request.ignore and finding.severity is not Severity.ERROR:
            return
        key = (finding.rule, finding.file, finding.severity)
        self._seen[key] += finding.count
        if self._seen[key] <= LISTED or finding.count > 1:
            self._found.append(finding)

    def all(self) -> tuple[Finding, ...]:
        """Return the findings, worst first, each rule's rest as one finding with a count."""
        listed: Counter[tuple[str, str | None, Severity]] = Counter()
        for finding in self._found:
            listed[(finding.rule, finding.file, finding.severity)] += finding.count
        rest = [
            Finding(
                rule=rule,
                severity=severity,
                file=file,
                message=f"{total - listed[key]} more of the same in this file.",
                count=total - listed[key],
            )
            for key, total in self._seen.items()
            if total > listed[key]
            for rule, file, severity in [key]
        ]
        order = list(Severity)
        return tuple(sorted([*self._found, *rest], key=lambda f: order.index(f.severity)))
