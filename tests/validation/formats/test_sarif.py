"""SARIF 2.1.0 as its standard and GitHub's code scanning want it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from droptune.validation.formats.sarif import to_sarif
from tests.validation.formats.documents import a_document, a_finding

# The parts of sarif-schema-2.1.0.json that apply here, with its required fields, enumerations and
# closed objects. Source: OASIS, SARIF 2.1.0, appendix and sections 3.13 to 3.52.
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
STRUCTURE: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool"],
            "additionalProperties": False,
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "additionalProperties": False,
                    "properties": {"driver": {"$ref": "#/$defs/toolComponent"}},
                },
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "invocations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["executionSuccessful"],
                        "properties": {"executionSuccessful": {"type": "boolean"}},
                    },
                },
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "toolComponent": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "semanticVersion": {"type": "string"},
                "rules": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {
                        "type": "object",
                        "required": ["id"],
                        "additionalProperties": False,
                        "properties": {
                            "id": {"type": "string"},
                            "shortDescription": MESSAGE,
                            "help": MESSAGE,
                            "defaultConfiguration": {
                                "type": "object",
                                "properties": {"level": LEVEL},
                            },
                        },
                    },
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": -1},
                "level": LEVEL,
                "message": MESSAGE,
                "occurrenceCount": {"type": "integer", "minimum": 1},
                "locations": {"type": "array", "items": {"$ref": "#/$defs/location"}},
            },
        },
        "location": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "physicalLocation": {
                    "type": "object",
                    "required": ["artifactLocation"],
                    "additionalProperties": False,
                    "properties": {
                        "artifactLocation": {
                            "type": "object",
                            "required": ["uri"],
                            "properties": {
                                "uri": {"type": "string", "pattern": "^[!#$&-;=?-Z_a-z~%]+$"}
                            },
                        },
                        "region": {
                            "type": "object",
                            "properties": {"startLine": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
                "logicalLocations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"fullyQualifiedName": {"type": "string"}},
                    },
                },
            },
        },
    },
}


def sarif(*findings: dict[str, Any], paths: dict[str, str] | None = None) -> Any:
    """Return the log on some findings, as it is printed, once it is known to be valid."""
    log = to_sarif([(a_document(*findings), paths or {})], version="1.2.3")
    printed = json.loads(json.dumps(log))
    jsonschema.validate(printed, STRUCTURE, jsonschema.Draft202012Validator)
    return printed


def test_log_names_tool_rules_and_results() -> None:
    """A rule is described once, a result points at it by id and index."""
    found = [a_finding(), a_finding(line=4), a_finding(rule="bad-job-file", severity="warning")]

    [run] = sarif(*found)["runs"]

    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["unknown-role", "bad-job-file"]
    assert rules[0]["help"]["text"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])


@pytest.mark.parametrize(
    ("severity", "level"), [("error", "error"), ("warning", "warning"), ("info", "note")]
)
def test_severity_is_a_level(severity: str, level: str) -> None:
    """An info is a note."""
    [result] = sarif(a_finding(severity=severity))["runs"][0]["results"]

    assert result["level"] == level


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("data/v1/training.jsonl", "data/v1/training.jsonl"),
        ("/srv/data/a b.jsonl", "file:///srv/data/a%20b.jsonl"),
        ("dé/ü%.jsonl", "d%C3%A9/%C3%BC%25.jsonl"),
    ],
)
def test_file_is_a_valid_reference(path: str, uri: str) -> None:
    """Relative paths stay relative, so that GitHub finds them in the repository."""
    [result] = sarif(a_finding(), paths={"training.jsonl": path})["runs"][0]["results"]

    found = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert found == uri
    assert unquote(urlsplit(found).path) == path


def test_finding_on_the_dataset_stands_at_its_first_file() -> None:
    """Code scanning shows no result without a place."""
    [result] = sarif(a_finding(file=None, line=None))["runs"][0]["results"]

    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "training.jsonl"


def test_several_datasets_are_one_log() -> None:
    """Results of all of them stand in one run."""
    log = to_sarif([(a_document(a_finding()), {}), (a_document(a_finding()), {})], version="1")

    assert len(log["runs"][0]["results"]) == 2


def test_good_data_has_an_empty_list_of_results() -> None:
    """Code scanning then closes what it had."""
    assert sarif()["runs"][0]["results"] == []
