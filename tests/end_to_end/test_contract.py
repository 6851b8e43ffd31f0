"""The OpenAPI document, held against the running host with schemathesis."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.contract import GuardedApp, ask_everything, fill
from tests.end_to_end.conftest import FAST, has_azurite

EXAMPLES = 10
LEAST_CASES = 2_000


def test_running_host_answers_everything_as_declared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No server error, no undeclared answer, no route open without its key, whatever is sent."""
    if not has_azurite():
        pytest.skip("Azurite is not set up; see AZURITE")

    with GuardedApp(state=tmp_path, time_scale=FAST) as app:
        verdicts = ask_everything(app, fill(app), examples=EXAMPLES)

    cases = sum(verdict.cases for verdict in verdicts)
    with capsys.disabled():
        print(f" {cases} cases")  # noqa: T201 - how much was tried is part of the result
    assert [verdict.said for verdict in verdicts if not verdict.holds] == []
    assert cases >= LEAST_CASES
