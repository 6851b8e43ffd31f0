"""A report document as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from droptune.domain.payload import Payload
from droptune.validation.rules import RULES

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def to_sarif(
    documents: Iterable[tuple[Payload, Mapping[str, str]]], *, version: str
) -> dict[str, Any]:
    """Return report documents as one SARIF log.

    Each comes with the path of each of its files on this machine, by the file's name in the report.
    Source: SARIF 2.1.0, OASIS standard, March 2020.
    """
    results: list[tuple[Mapping[str, Any], str | None]] = []
    for document, paths in documents:
        first = next((file["name"] for file in document["files"]), None)
        for finding in document["findings"]:
            name = finding.get("file") or first
            results.append((finding, paths.get(name, name) if name else None))
    rules = list(dict.fromkeys(finding["rule"] for finding, _ in results))
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "droptune",
                        "semanticVersion": version,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True}],
                "results": [
                    _result(finding, path, rules.index(finding["rule"]))
                    for finding, path in results
                ],
            }
        ],
    }


def _rule(id: str) -> dict[str, Any]:
    known = RULES.get(id)
    says = known.says if known else f"{id.replace('-', ' ').capitalize()}."
    rule: dict[str, Any] = {"id": id, "shortDescription": {"text": says}}
    if known:
        rule["help"] = {"text": known.fix}
        rule["defaultConfiguration"] = {"level": _LEVELS[known.severity.value]}
    return rule


def _result(finding: Mapping[str, Any], path: str | None, index: int) -> dict[str, Any]:
    fix = f" {finding['fix']}" if finding.get("fix") else ""
    result: dict[str, Any] = {
        "ruleId": finding["rule"],
        "ruleIndex": index,
        "level": _LEVELS[finding["severity"]],
        "message": {"text": f"{finding['message']}{fix}"},
        "occurrenceCount": max(1, finding.get("count", 1)),
    }
    if path:
        result["locations"] = [_location(finding, path)]
    return result


def _location(finding: Mapping[str, Any], path: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if finding.get("line"):
        physical["region"] = {"startLine": finding["line"]}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.get("path"):
        location["logicalLocations"] = [{"fullyQualifiedName": finding["path"]}]
    return location


def _uri(path: str) -> str:
    found = PurePath(path)
    if found.is_absolute():
        return found.as_uri()
    return quote(found.as_posix().encode("utf-8", "surrogateescape"))
