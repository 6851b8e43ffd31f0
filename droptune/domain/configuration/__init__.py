"""The configuration of a run: what files may say, and what they mean together."""

from droptune.domain.configuration.checks import check_values
from droptune.domain.configuration.document import (
    Allow,
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
from droptune.domain.configuration.files import Ceilings, JobFile
from droptune.domain.configuration.meaning import TRAINING_TYPES, named_files
from droptune.domain.configuration.resolution import resolve
from droptune.domain.configuration.schema import json_schema

__all__ = [
    "TRAINING_TYPES",
    "Allow",
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
    "json_schema",
    "named_files",
    "resolve",
]
