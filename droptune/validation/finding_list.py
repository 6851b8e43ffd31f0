"""From what rules said to findings: severities, silenced rules, and what is left uncounted."""

from __future__ import annotations

from collections.abc import Iterable

from droptune.domain.findings import Finding, Severity
from droptune.domain.report.wording import number_of
from droptune.validation.report import ValidationRequest
from droptune.validation.rules import RULES
from droptune.validation.rules.quoting import quoted
from droptune.validation.rules.registry import Place, Rule
from droptune.validation.tally import RuleTally, Tally

_WORSE = {Severity.INFO: Severity.WARNING, Severity.WARNING: Severity.ERROR}
_ORDER = tuple(Severity)


class FindingList:
    """Gathers findings over all files."""

    def __init__(self, request: ValidationRequest) -> None:
        """Apply what the request says of single rules."""
        self._request = request
        self._found: list[Finding] = []
        self._silenced: dict[str, int] = {}

    def add(self, tally: Tally, file: str | None) -> None:
        """Take in what rules said of a file, or of the dataset."""
        for rule in RULES.values():
            found = tally.rules.get(rule.id)
            if found is None:
                continue
            if rule.id in self._request.ignore and rule.severity is not Severity.ERROR:
                self._silenced[rule.id] = self._silenced.get(rule.id, 0) + found.count
                continue
            self._found += self._findings(rule, tally, file)

    def _findings(self, rule: Rule, tally: Tally, file: str | None) -> Iterable[Finding]:
        found, listed = tally.rules[rule.id], 0
        if rule.together:
            said = rule.together.format(count=found.count, line=found.places[0].line)
            found = RuleTally(found.count, [Place(message=said, count=found.count)])
        severity = self._severity(rule)
        for place in found.places:
            listed += place.count
            name = place.file or file
            where = [f"line {place.line}"] if place.line is not None else []
            where += [place.path] if place.path else []
            yield Finding(
                rule=rule.id,
                severity=severity,
                file=name,
                line=place.line,
                path=place.path,
                message=": ".join([*where, _sentence(place.message, begins=not where)]),
                fix=place.fix or rule.fix,
                count=place.count,
            )
        if rest := found.count - listed:
            said = f"{rest:,} more of the same{' in this file' if file else ''}."
            yield Finding(
                rule=rule.id, severity=severity, file=file, message=said, fix=rule.fix, count=rest
            )

    def _severity(self, rule: Rule) -> Severity:
        raised = rule.id in self._request.raised
        return _WORSE.get(rule.severity, rule.severity) if raised else rule.severity

    def unreadable(self, file: str, why: str) -> None:
        """Say that a file could not be read to its end."""
        said = f"The file cannot be read: {why}."
        self._say("unreadable-file", Severity.ERROR, said, "Name a file that can be read.", file)

    def changed(self, file: str) -> None:
        """Say that a file became another while it was read."""
        said = "The file changed while it was read: what is said of it may be of neither."
        self._say("file-changed", Severity.ERROR, said, "Validate it once it is complete.", file)

    def estimated(self, file: str, texts: int) -> None:
        """Say that texts could not be counted exactly."""
        said = f"The tokens of {texts} texts could only be counted in pieces: an estimate."
        self._say("tokens-estimated", Severity.INFO, said, "Shorten the texts.", file)

    def miscounted(self, file: str) -> None:
        """Say that the fast counter was found wrong, and the reference counted."""
        said = "The fast counter disagreed with tiktoken, so tiktoken counted the file."
        self._say("counter-disagreed", Severity.INFO, said, "Tell Droptune's authors.", file)

    def slow(self, why: str) -> None:
        """Say why tiktoken counts where the fast counter was to."""
        said = f"Tokens are counted with tiktoken, exactly and several times slower: {why}."
        self._say("slow-counter", Severity.INFO, said, "Install droptune[fast].", None)

    def _say(self, rule: str, severity: Severity, message: str, fix: str, file: str | None) -> None:
        self._found.append(
            Finding(rule=rule, severity=severity, file=file, message=message, fix=fix)
        )

    def all(self) -> tuple[Finding, ...]:
        """Return the findings, worst first, in the order of files and rules."""
        found = [*self._found, *self._of_configuration()]
        return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.severity)))

    def _of_configuration(self) -> Iterable[Finding]:
        for rule in dict.fromkeys((*self._request.ignore, *self._request.raised)):
            if rule not in RULES:
                said = f"The configuration names a rule {quoted(rule)} that there is not."
                yield _about("unknown-rule", Severity.WARNING, said, "See docs/rules.md.")
        for rule in dict.fromkeys(self._request.ignore):
            if rule in RULES and RULES[rule].severity is Severity.ERROR:
                said = f"{rule} is an error and cannot be silenced."
                yield _about("not-silenced", Severity.INFO, said, "Mend the data.")
            elif rule in RULES:
                count = self._silenced.get(rule, 0)
                places = number_of(count, "place")
                said = f"{rule} is silenced by the configuration; it would speak of {places}."
                yield _about("silenced", Severity.INFO, said, "")


def _about(rule: str, severity: Severity, message: str, fix: str) -> Finding:
    return Finding(rule=rule, severity=severity, message=message, fix=fix)


def _sentence(said: str, *, begins: bool) -> str:
    text = f"{said[:1].upper()}{said[1:]}" if begins else said
    return text if text.endswith((".", "?", "!")) else f"{text}."
