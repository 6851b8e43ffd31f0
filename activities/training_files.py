"""Training and validation data at Azure OpenAI: each content once."""

from __future__ import annotations

from dataclasses import replace

from activities.pinned_data import PinnedData, open_data
from activities.pins import hold_pins, reading_pinned
from activities.room import is_full
from activities.run_records import RunRecords
from droptune.domain.dataset import Role
from droptune.domain.errors import RequestRejectedError, RunEndedError, TransientError
from droptune.domain.identity import file_name
from droptune.domain.job import FileStatus, TrainingFile
from droptune.domain.phases import Phase
from droptune.domain.poll_schedule import delay
from droptune.domain.run import RunRecord
from droptune.domain.service_errors import explain_error
from droptune.domain.services import BlobStore, FineTuningService
from droptune.domain.steps import Later, Policy, StepRequest

_GONE = (FileStatus.ERROR, FileStatus.DELETING, FileStatus.DELETED)


def upload_training_file(
    request: StepRequest,
    *,
    records: RunRecords,
    datasets: BlobStore,
    azure_openai: FineTuningService,
    policy: Policy,
) -> Later | None:
    """Upload one role's data and answer once the service says `processed`.

    The file's name carries the content's hash: whatever was uploaded before is found by it.
    """
    role = Role(request.about)
    record = records.begin(request.run, Phase.UPLOADING, "Uploading the training data.")
    file: TrainingFile | Later | None = _find(record, role, azure_openai)
    if file is None and record.job is not None:
        return None  # the job has read it already
    if file is None:
        record = hold_pins(record, datasets=datasets, records=records)
        file = _upload(record, role, datasets, azure_openai, policy)
    if isinstance(file, Later):
        return _waiting(records, record, file)
    _note(records, record, role, file)
    if file.status is FileStatus.ERROR:
        raise records.refuse(record, _refused(role, file))
    if file.status is FileStatus.PROCESSED:
        return None
    wait = delay(first_seconds=5, longest_seconds=60, polls=request.polls)
    return Later(seconds=policy.scaled(wait), reason=file.status.value)


def _find(record: RunRecord, role: Role, azure_openai: FineTuningService) -> TrainingFile | None:
    known = record.files.get(role.value)
    if known and (file := azure_openai.find_file(known)):
        return file
    name = file_name(role.value, record.content[role.value])
    same = [f for f in azure_openai.list_files() if f.name == name and f.status not in _GONE]
    return min(same, key=lambda f: (f.status is not FileStatus.PROCESSED, f.id), default=None)


def _upload(
    record: RunRecord,
    role: Role,
    datasets: BlobStore,
    azure_openai: FineTuningService,
    policy: Policy,
) -> TrainingFile | Later:
    pins = record.pins_of(role)
    name = file_name(role.value, record.content[role.value])
    with reading_pinned():
        size = PinnedData(datasets, pins).size_bytes
        try:
            return azure_openai.upload_file(name, open_data(datasets, pins), size)
        except (RequestRejectedError, TransientError) as refused:
            if is_full(refused):
                return Later(seconds=policy.scaled(300), reason="Azure takes no more files now.")
            raise


def _waiting(records: RunRecords, record: RunRecord, later: Later) -> Later:
    records.note(record, lambda r: replace(r, waiting_for=later.reason))
    return later


def _note(records: RunRecords, record: RunRecord, role: Role, file: TrainingFile) -> None:
    if record.files.get(role.value) != file.id:
        records.mark_file(record.ref, file.id)  # before the record names it: nobody deletes it then
    records.update(
        record.ref, lambda r: replace(r, files={**r.files, role.value: file.id}), known=record
    )


def _refused(role: Role, file: TrainingFile) -> RunEndedError:
    known = explain_error("", file.detail)
    mend = known.remedy if known.is_known else "Mend what the service names."
    return RunEndedError(
        f"Azure OpenAI refused the {role.value} file: {file.detail or 'no reason was given'}",
        phase=Phase.REJECTED,
        code="file-refused",
        remedy=f"{mend} Then drop the dataset again.",
    )
