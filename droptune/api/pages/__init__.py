"""Pages for people: the dashboard, a run, a project, and the forms on them.

Links only show; a POST decides.
"""

from __future__ import annotations

from droptune.api.pages.assets import get_asset
from droptune.api.pages.dashboard import show_dashboard
from droptune.api.pages.forms import say_on_page, say_on_project, start_on_page
from droptune.api.pages.project_page import show_project
from droptune.api.pages.render import show_problem
from droptune.api.pages.run_page import show_document, show_run
from droptune.api.pages.session import close_session, open_session

__all__ = [
    "close_session",
    "get_asset",
    "open_session",
    "say_on_page",
    "say_on_project",
    "show_dashboard",
    "show_document",
    "show_problem",
    "show_project",
    "show_run",
    "start_on_page",
]
