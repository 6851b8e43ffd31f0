"""What the routes are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from droptune.api.documents import Documents
from droptune.domain.budget import BudgetLimits
from droptune.domain.champion import Champion
from droptune.domain.promotion import Promotion
from droptune.domain.registration import Registration, RunRequest
from droptune.domain.retention import Sweep
from droptune.domain.run import RunRef
from droptune.domain.services import BlobStore, Clock, ResourceManager


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiServices:
    """The services behind the routes.

    Attributes:
        app_url: the app's public base URL, or None to use the one that was asked.
        app_key: guards the pages where App Service Authentication does not; None leaves them open.
        sign_in_path: where App Service Authentication signs people in, or None without it.
        register: finds or creates the run that a wish leads to.
        roll_back: project, who, why -> the new champion, or None when there is no previous one.
        promote: ended run, who, why -> the promotion under way, or done; WishRefusedError else.
        sweep: whether nothing is to be touched -> what nobody needs, and what came of it.
        replay: run id -> how many undelivered notifications are tried again.
        budgets: what projects and the app may spend, shown with a project.
        retires_at: base model -> when inference with it ends, or None where that is not known.
        documents: remembers parsed documents from one request to the next.
    """

    datasets: BlobStore
    runs: BlobStore
    registry: BlobStore
    resource_manager: ResourceManager
    clock: Clock
    app_url: str | None
    app_key: str | None = field(repr=False)
    version: str
    register: Callable[[RunRequest], Registration]
    roll_back: Callable[[str, str, str], Champion | None]
    promote: Callable[[RunRef, str, str], Promotion]
    sweep: Callable[[bool], Sweep] = lambda dry_run: Sweep(dry_run=dry_run)
    replay: Callable[[str], int] = lambda run_id: 0
    budgets: BudgetLimits = field(default_factory=BudgetLimits)
    sign_in_path: str | None = None
    retires_at: Callable[[str], datetime | None] = lambda model: None
    documents: Documents = field(default_factory=Documents, repr=False, compare=False)

    def base(self, asked: str) -> str:
        """Return the absolute base of every link, without a slash at its end."""
        return (self.app_url or asked).rstrip("/")
