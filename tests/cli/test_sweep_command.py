"""`droptune sweep`: what would go and why, and to be rid of it."""

from __future__ import annotations

import json
from typing import Any

from droptune.cli.main import main
from tests.cli.canned_app import CannedApp

DUE = {
    "what": "deployment",
    "name": "shop-1",
    "why": "The run r has ended (failed), and no champion uses it.",
    "run": "r",
    "state": "due",
    "message": "",
}


def swept(*deletions: dict[str, Any], dry_run: bool = False) -> dict[str, Any]:
    return {"dry_run": dry_run, "deletions": list(deletions)}


def test_dry_run_lists_what_would_go_and_why(app: CannedApp, capsys) -> None:
    """The app is asked to touch nothing."""
    app.answer("POST /api/sweep", swept(DUE, dry_run=True))

    code = main(["sweep", "--dry-run", "--app", app.url])

    said = capsys.readouterr().out
    assert code == 0
    assert app.asked[-1].body == {"dry_run": True}
    assert "would go   deployment      shop-1" in said
    assert DUE["why"] in said


def test_sweep_says_what_was_deleted(app: CannedApp, capsys) -> None:
    """Without --dry-run it is gone."""
    app.answer("POST /api/sweep", swept(DUE | {"state": "deleted"}))

    code = main(["sweep", "--app", app.url])

    assert code == 0
    assert app.asked[-1].body == {"dry_run": False}
    assert "deleted    deployment      shop-1" in capsys.readouterr().out


def test_refused_deletion_is_a_reasoned_no(app: CannedApp, capsys) -> None:
    """Exit code 1, and Azure's own words."""
    app.answer("POST /api/sweep", swept(DUE | {"state": "refused", "message": "ScopeLocked"}))

    code = main(["sweep", "--app", app.url])

    assert code == 1
    assert "ScopeLocked" in capsys.readouterr().out


def test_nothing_to_delete_is_said(app: CannedApp, capsys) -> None:
    """An empty list is no silence."""
    app.answer("POST /api/sweep", swept())

    code = main(["sweep", "--app", app.url])

    assert code == 0
    assert "Nothing to delete" in capsys.readouterr().out


def test_json_is_what_the_route_answers(app: CannedApp, capsys) -> None:
    """Alone on stdout."""
    app.answer("POST /api/sweep", swept(DUE, dry_run=True))

    main(["sweep", "--dry-run", "--json", "--app", app.url])

    assert json.loads(capsys.readouterr().out) == swept(DUE, dry_run=True)
