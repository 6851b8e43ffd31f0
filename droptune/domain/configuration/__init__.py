"""The configuration of a run: what files may say, and what they mean together."""

from droptune.domain.configuration.document import (
    Approval,
    Budget,
    Configuration,
    Deploy,
    DeploymentChoice,
    Notification,
    Pipeline,
    Polling,
    Retention,
    SmokeTest,
    ValidationChoice,
)
from droptune.domain.configuration.fields import check_values
from droptune.domain.configuration.files import Ceilings, JobFile
from droptune.domain.configuration.resolution import resolve

__all__ = [
    "Approval",
    "Budget",
    "Ceilings",
    "Configuration",
    "Deploy",
    "DeploymentChoice",
    "JobFile",
    "Notification",
    "Pipeline",
    "Polling",
    "Retention",
    "SmokeTest",
    "ValidationChoice",
    "check_values",
    "resolve",
]
