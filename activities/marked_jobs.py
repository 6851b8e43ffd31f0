"""A training's own jobs among all jobs of the service."""

from __future__ import annotations

from activities.configurations import configuration_of
from droptune.domain.claim import MarkedJob, find_marked
from droptune.domain.identity import file_name
from droptune.domain.run import RunRecord
from droptune.domain.services import FineTuningService


def list_marked(record: RunRecord, azure_openai: FineTuningService) -> tuple[MarkedJob, ...]:
    """Return the jobs that carry the mark of a run's training, newest first. Reads only."""
    return find_marked(
        azure_openai.list_jobs(),
        training_digest=record.training_digest,
        model=configuration_of(record).model or "",
        training_file=file_name("training", record.content["training"]),
        file_names={file.id: file.name for file in azure_openai.list_files()},
    )
