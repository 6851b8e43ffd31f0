"""The doors of the app: which trigger and route leads to which function, and what it is given."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

from activities.accounts import check_account
from activities.approvals import admit_run, await_approval
from activities.boundary import answer_async, bind
from activities.comparisons import compare_answers
from activities.datasets import look_at_dataset, note_failed_collection
from activities.deployments import create_deployment, test_deployment
from activities.endings import end_run
from activities.fine_tuning_jobs import create_fine_tuning_job, get_fine_tuning_job, keep_results
from activities.later_promotions import LaterPromotions, end_promotion
from activities.leftovers import Leftovers
from activities.new_datasets import KnownFolders
from activities.notifications import Webhooks, deliver_notifications, put_missing
from activities.outbox import Outbox
from activities.promotions import decide_promotion, promote_deployment
from activities.reports import estimate_cost, validate_dataset
from activities.rollbacks import finish_rollback, roll_back_champion
from activities.run_records import RunRecords
from activities.runs import Register, start_run
from activities.sweeps import sweep
from activities.training_files import upload_training_file
from droptune import __version__
from droptune.adapters.azure_openai import AzureOpenAIService
from droptune.adapters.blob_storage import BlobContainer
from droptune.adapters.clock import SystemClock
from droptune.adapters.credentials import AzureIdentity
from droptune.adapters.durable_client import DurableOrchestrations
from droptune.adapters.resource_manager import RequestsResourceManager
from droptune.adapters.webhooks import RequestsWebhooks
from droptune.api.delays import delayed
from droptune.api.messages import HOLDER_OF_THE_KEY, ApiRequest, ApiResponse
from droptune.api.retirement import RetirementDates
from droptune.api.routes import ROUTES, Route, dispatch
from droptune.api.services import ApiServices
from droptune.domain.dataset import Rejected, locate
from droptune.domain.errors import DroptuneError
from droptune.domain.payload import Payload, format_time
from droptune.domain.services import (
    BlobStore,
    Clock,
    FineTuningService,
    Orchestrations,
    ResourceManager,
)
from droptune.domain.steps import Collecting, Policy
from droptune.settings import Settings
from orchestrators.ask_again import ask_again
from orchestrators.collect_dataset import collect_dataset
from orchestrators.fine_tune_model import fine_tune_model
from orchestrators.promote_model import promote_model
from orchestrators.wait_for_job import wait_for_job

_logger = logging.getLogger(__name__)
SIGN_IN = "/.auth/login/aad"  # App Service Authentication's own route
ORCHESTRATORS = (collect_dataset, fine_tune_model, promote_model, wait_for_job, ask_again)


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that the functions are given."""

    settings: Settings = field(repr=False)
    datasets: BlobStore
    runs: BlobStore
    registry: BlobStore
    azure_openai: FineTuningService
    resource_manager: ResourceManager
    clock: Clock
    webhooks: Webhooks | None = None

    @property
    def policy(self) -> Policy:
        """What the installation says about time and admission."""
        return self.settings.policy

    @property
    def records(self) -> RunRecords:
        """The runs' records."""
        return RunRecords(self.runs, self.clock, self.outbox.put)

    @property
    def outbox(self) -> Outbox:
        """What others are to be told."""
        return Outbox(
            runs=self.runs,
            clock=self.clock,
            app_url=self.settings.app_url or "",
            always=self.settings.told_always,
        )

    @property
    def register(self) -> Register:
        """What finds or creates a run."""
        return Register(
            datasets=self.datasets,
            registry=self.registry,
            records=self.records,
            clock=self.clock,
            policy=self.policy,
            ceilings=self.settings.ceilings,
        )

    @property
    def leftovers(self) -> Leftovers:
        """What finds and deletes what nobody needs."""
        return Leftovers(
            records=self.records,
            registry=self.registry,
            azure_openai=self.azure_openai,
            resource_manager=self.resource_manager,
            clock=self.clock,
        )

    @cached_property
    def api(self) -> ApiServices:
        """What the routes are given; it remembers documents from one request to the next."""
        return ApiServices(
            datasets=self.datasets,
            runs=self.runs,
            registry=self.registry,
            resource_manager=self.resource_manager,
            clock=self.clock,
            app_url=self.settings.app_url,
            app_key=self.settings.app_key,
            version=__version__,
            register=self.register,
            roll_back=partial(
                roll_back_champion,
                registry=self.registry,
                records=self.records,
                resource_manager=self.resource_manager,
                clock=self.clock,
            ),
            promote=LaterPromotions(
                records=self.records,
                registry=self.registry,
                azure_openai=self.azure_openai,
                clock=self.clock,
            ),
            sign_in_path=SIGN_IN if self.settings.app_service_authentication else None,
            sweep=lambda dry_run: self.leftovers.find() if dry_run else self.leftovers.delete(),
            replay=self.outbox.replay,
            budgets=self.settings.budgets,
            retires_at=RetirementDates(self.resource_manager, self.clock),
        )


def connect(settings: Settings) -> Services:
    """Build the services that talk to Azure, or to what stands in for it."""
    identity = AzureIdentity(settings.azure_client_id)
    storage = AzureIdentity(settings.data_storage_client_id)

    def container(name: str) -> BlobContainer:
        if settings.data_storage is not None:
            return BlobContainer.connect(name, connection_string=settings.data_storage)
        return BlobContainer.connect(
            name, account_url=settings.data_storage_url, credential=storage.credential
        )

    key, arm_token = settings.azure_openai_api_key, settings.arm_token
    return Services(
        settings=settings,
        datasets=container(settings.datasets_container),
        runs=container(settings.runs_container),
        registry=container(settings.registry_container),
        azure_openai=AzureOpenAIService(
            settings.azure_openai_endpoint,
            credential=key or identity.token(settings.azure_openai_scope),
            dated_api_version=settings.azure_openai_dated_api_version,
        ),
        resource_manager=RequestsResourceManager(
            settings.arm_endpoint,
            settings.azure_openai_resource_id,
            token=(lambda: arm_token) if arm_token else identity.token(_arm_scope(settings)),
            api_version=settings.arm_api_version,
        ),
        clock=SystemClock(),
    )


def _arm_scope(settings: Settings) -> str:
    return f"{settings.arm_endpoint}/.default"


def build_app(services: Services) -> df.DFApp:
    """Return the app with every function."""
    app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
    register(app, services)
    return app


def register(app: df.DFApp, services: Services) -> None:
    """Register every function with `app`, or with whatever has its decorators."""
    for orchestrator in ORCHESTRATORS:
        app.orchestration_trigger(context_name="context")(orchestrator)
    for activity in activities(services):
        app.activity_trigger(input_name="request")(activity)
    _register_start_run(app, services)
    _register_triggers(app, services)
    for route in ROUTES:
        _register_route(app, route, services)


def activities(services: Services) -> list[Any]:
    """Return every plain activity with what it needs."""
    records = {"records": services.records}
    data = {"datasets": services.datasets}
    registry = {"registry": services.registry}
    azure = {"azure_openai": services.azure_openai}
    arm = {"resource_manager": services.resource_manager}
    clock = {"clock": services.clock}
    policy = {"policy": services.policy}
    budgets = {"budgets": services.settings.budgets}
    limits = budgets | {"service_limits": services.settings.service_limits}
    return [
        bind(look_at_dataset, **data, **registry, **clock, **policy),
        bind(note_failed_collection, **registry, **clock),
        bind(validate_dataset, **data, **records, **registry, **clock, render=render_report),
        bind(estimate_cost, **records),
        bind(check_account, **records, **arm, **clock),
        bind(await_approval, **records, **clock),
        bind(admit_run, **records, **data, **registry, **azure, **arm, **clock, **policy, **limits),
        bind(upload_training_file, **records, **data, **azure, **policy),
        bind(create_fine_tuning_job, **records, **data, **registry, **azure, **clock, **policy),
        bind(get_fine_tuning_job, **records, **registry, **azure, **clock, **policy),
        bind(keep_results, **records, **azure),
        bind(create_deployment, **records, **registry, **arm, **clock, **policy, **budgets),
        bind(test_deployment, **records, **data, **registry, **azure, **arm, **clock, **policy),
        bind(compare_answers, **records, **data, **registry, **azure, **arm),
        bind(decide_promotion, **records, **registry, **arm),
        bind(promote_deployment, **records, **registry, **azure, **arm, **clock, **policy),
        bind(finish_rollback, **records, **registry, **azure, **arm, **clock, **policy),
        bind(end_promotion, **records, **registry, **arm, **clock),
        bind(end_run, **records, **registry, **azure, **arm, **clock, **policy),
    ]


def render_report(report: Payload) -> str:
    """Return a report as a page; the template engine is loaded when the first one is."""
    from droptune.api.pages.report_page import render_report as render

    return render(report)


def _register_start_run(app: df.DFApp, services: Services) -> None:
    async def start(request: Payload, client: df.DurableOrchestrationClient) -> Payload:
        return await answer_async(
            start_run(
                Collecting.from_payload(request),
                register=services.register,
                records=services.records,
                orchestrations=DurableOrchestrations(client),
            )
        )

    start.__name__ = start_run.__name__
    app.activity_trigger(input_name="request")(
        app.durable_client_input(client_name="client")(start)
    )


def _register_triggers(app: df.DFApp, services: Services) -> None:
    @app.blob_trigger(
        arg_name="dropped",
        path=f"{services.settings.datasets_container}/{{name}}",
        connection="DATA_STORAGE",
        source=func.BlobSource.EVENT_GRID,
    )
    @app.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def notice_blob(dropped: blob.BlobClient, client: df.DurableOrchestrationClient) -> None:
        """A blob was written: collect its dataset. An extra event changes nothing."""
        await notice(str(dropped.blob_name), services, DurableOrchestrations(client))

    known = KnownFolders()

    @app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=True)
    @app.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def look_round(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
        """Every five minutes: what should be running and is not?"""
        failures = await sweep(
            datasets=services.datasets,
            registry=services.registry,
            records=services.records,
            azure_openai=services.azure_openai,
            resource_manager=services.resource_manager,
            clock=services.clock,
            orchestrations=DurableOrchestrations(client),
            known=known,
        )
        for failure in failures:
            _logger.warning("Not looked after", extra=asdict(failure))

    webhooks = services.webhooks or RequestsWebhooks(
        services.settings.notify, local=services.settings.is_local
    )

    @app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
    def tell(timer: func.TimerRequest) -> None:
        """Every minute: whom is something to be told that was not yet?"""
        deliver_notifications(
            outbox=services.outbox, webhooks=webhooks, settings=services.settings.notify
        )

    @app.timer_trigger(arg_name="timer", schedule="30 */5 * * * *")
    def put_missing_notifications(timer: func.TimerRequest) -> None:
        """Every five minutes: what did a crash leave out of the outbox, and what stands still?"""
        scale = services.policy.time_scale
        put_missing(services.outbox, services.records, time_scale=scale)

    @app.timer_trigger(arg_name="timer", schedule="0 30 3 * * *")
    def clean_up(timer: func.TimerRequest) -> None:
        """Every night: what did ended runs leave at Azure, and in the outbox?"""
        services.outbox.forget_old()
        services.register.list_lost()
        services.leftovers.delete()


async def notice(path: str, services: Services, orchestrations: Orchestrations) -> None:
    """Start or wake the collection of the dataset that a blob belongs to; keep what is
    misplaced."""
    place = locate(path)
    if isinstance(place, Rejected):
        await asyncio.to_thread(_keep_rejected, place, services)
    elif place is not None:
        begun = Collecting(dataset=place).to_payload()
        await orchestrations.ensure_started("collect_dataset", place.collector_id, begun)


def _keep_rejected(rejected: Rejected, services: Services) -> None:
    name = hashlib.sha256(rejected.path.encode("utf-8", "surrogatepass")).hexdigest()
    document = {
        "path": rejected.path,
        "message": rejected.message,
        "remedy": rejected.remedy,
        "at": format_time(services.clock.now()),
    }
    services.registry.write(f"_rejected/{name}.json", json.dumps(document).encode())


def _register_route(app: df.DFApp, route: Route, services: Services) -> None:
    async def handle(
        req: func.HttpRequest, client: df.DurableOrchestrationClient
    ) -> func.HttpResponse:
        asked = read_request(req, services.settings)
        response = await asyncio.to_thread(dispatch, route, asked, services.api)
        response = await act(response, DurableOrchestrations(client))
        kind = response.headers.get("Content-Type", "application/json")
        return func.HttpResponse(
            response.body,
            status_code=response.status,
            headers=dict(response.headers),
            mimetype=kind.split(";")[0],
        )

    handle.__name__ = route.name
    level = func.AuthLevel.ANONYMOUS if route.anonymous else func.AuthLevel.FUNCTION
    bound = app.durable_client_input(client_name="client")(handle)
    app.route(route=route.path, methods=list(route.methods), auth_level=level)(bound)


async def act(response: ApiResponse, orchestrations: Orchestrations) -> ApiResponse:
    """Start and wake what a route asks for; what fails is made good by timers, which the answer
    says: what was asked for is written already."""
    acts = [orchestrations.wake(instance) for instance in response.wake]
    if start := response.start:
        asked = orchestrations.ensure_started(start.name, start.instance_id, start.payload)
        acts.insert(0, asked)
    failures = []
    for act in acts:
        try:
            await act
        except DroptuneError as error:
            failures.append(error)
            _logger.warning("Not started or woken", extra={"reason": str(error)})
    return delayed(response) if failures else response


def read_request(req: func.HttpRequest, settings: Settings) -> ApiRequest:
    """Return what a route is asked, whichever host asks."""
    headers = {name.lower(): value for name, value in req.headers.items()}
    scheme, _, rest = req.url.partition("://")
    host, _, path = rest.partition("/")
    return ApiRequest(
        method=req.method,
        path="/" + path.partition("?")[0],
        url=f"{scheme}://{host}",
        query=dict(req.params),
        headers=headers,
        params=dict(req.route_params),
        body=req.get_body(),
        principal=_principal(headers, settings),
    )


def _principal(headers: Mapping[str, str], settings: Settings) -> str:
    """Return whom App Service names; without its authentication anybody may send that header."""
    if not settings.app_service_authentication:
        return HOLDER_OF_THE_KEY
    return headers.get("x-ms-client-principal-name") or HOLDER_OF_THE_KEY


app = build_app(connect(Settings.from_environ(os.environ)))
