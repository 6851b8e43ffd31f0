"""`droptune show` of a run that failed for a reason that nobody knows."""

from __future__ import annotations

from droptune.cli.main import main
from tests.cli.canned_app import CannedApp, a_status

RUN = "bot-v1-0a1b2c3d"


def test_answer_that_nobody_knows_is_shown_in_short(app: CannedApp, capsys) -> None:
    """The cause, the remedy, and what the service said; the document has all of it."""
    error = {"code": "x", "message": "It broke.", "remedy": "", "evidence": "418 teapot " * 100}
    app.answer(f"GET /api/runs/{RUN}", a_status("failed", error=error))

    main(["show", RUN, "--app", app.url])

    said = capsys.readouterr().out
    assert "the service said   418 teapot" in said
    assert max(map(len, said.splitlines())) < 300
