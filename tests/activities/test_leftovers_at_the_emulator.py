"""A sweep of what really exists: the adapters at the emulator."""

from __future__ import annotations

import io
import uuid

from activities.leftovers import Leftovers
from droptune.domain.identity import deployment_name, file_name, job_suffix
from droptune.domain.job import JobRequest, JobStatus
from droptune.domain.phases import Phase
from tests.builders import World
from tests.contract.worlds import EmulatorWorld, a_deployment, training_data

TEN_YEARS = 10 * 365 * 24 * 3600


def test_sweep_leaves_nothing_at_the_service_but_what_is_not_ours(emulator_url: str) -> None:
    """The dry run names it, the sweep deletes it, and the next one what the job had held."""
    world, azure = World(), EmulatorWorld(emulator_url)
    data, theirs = training_data(), f"theirs-{uuid.uuid4().hex[:8]}"
    run = world.a_run(training=data + f'{{"messages": "{uuid.uuid4()}"}}\n'.encode())
    own = file_name("training", run.content["training"])
    files = {
        name: azure.fine_tuning.upload_file(name, io.BytesIO(data), len(data))
        for name in (own, f"{theirs}.jsonl")
    }
    azure.process_files()
    deployment = deployment_name("shop", run.run_digest)
    for name in (deployment, theirs):
        azure.resource_manager.put_deployment(a_deployment(name))
    azure.provision()
    job = azure.fine_tuning.create_job(
        JobRequest(
            model="gpt-4.1-mini",
            training_file=files[own].id,
            suffix=job_suffix("shop", run.training_digest),
            extra_body={"trainingType": "GlobalStandard"},
        )
    )
    world.ended(run, Phase.CANCELLED)
    world.clock.advance(TEN_YEARS)
    leftovers = Leftovers(
        records=world.records,
        registry=world.registry,
        azure_openai=azure.fine_tuning,
        resource_manager=azure.resource_manager,
        clock=world.clock,
    )

    found, first, second = leftovers.find(), leftovers.delete(), leftovers.delete()

    due = [(each.what, each.name) for each in found.deletions]
    assert due == [("deployment", deployment), ("running-job", job.id)]
    assert [(each.what, each.name) for each in first.deletions] == due
    assert {each.state for each in first.deletions} == {"deleted"}
    assert [(each.what, each.name) for each in second.deletions] == [("file", files[own].id)]
    assert azure.fine_tuning.get_job(job.id).status is JobStatus.CANCELLED
    left = {file.name for file in azure.fine_tuning.list_files()}
    assert own not in left
    assert f"{theirs}.jsonl" in left
    assert azure.resource_manager.find_deployment(theirs) is not None
    azure.provision()
    assert azure.resource_manager.find_deployment(deployment) is None
    assert leftovers.delete().deletions == ()
    azure.resource_manager.delete_deployment(theirs)
