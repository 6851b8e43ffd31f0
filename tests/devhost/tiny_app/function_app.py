"""A small app with one of everything; `block` waits until somebody writes to a pipe."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
FOLDER = Path(os.environ["TINY_FOLDER"])


def told(name: str, text: str) -> None:
    with (FOLDER / name).open("a") as log:
        log.write(f"{text}\n")


@app.orchestration_trigger(context_name="context")
def chain(context: Any) -> Any:
    first = yield context.call_activity("note", "first")
    blocked = yield context.call_activity("block", context.get_input())
    last = yield context.call_activity("note", "last")
    return [first, blocked, last]


@app.orchestration_trigger(context_name="context")
def quick(context: Any) -> Any:
    return (yield context.call_activity("note_async", context.get_input()))


@app.activity_trigger(input_name="text")
def note(text: str) -> str:
    told("notes", text)
    return f"{text} noted"


@app.activity_trigger(input_name="text")
async def note_async(text: str) -> str:
    told("notes", text)
    return f"{text} noted"


@app.activity_trigger(input_name="pipe")
def block(pipe: str) -> str:
    told("blocks", pipe)
    return (FOLDER / pipe).read_text()


@app.route("ping", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def ping(req: func.HttpRequest) -> str:
    return "pong"


@app.route("pid", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def pid(req: func.HttpRequest) -> str:
    return str(os.getpid())


@app.route("things/{id:int}/files/{*path}", methods=["GET", "PUT"])
async def things(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
        "header": req.headers.get("x-thing"),
    }
    return func.HttpResponse(
        json.dumps(seen), status_code=207, mimetype="application/json", headers={"x-answer": "yes"}
    )


@app.route("broken")
def broken(req: func.HttpRequest) -> str:
    raise ValueError("no")


@app.route("start/{name}/{id}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> str:
    given = req.route_params
    return await client.start_new(given["name"], given["id"], req.get_body().decode())


@app.route("state/{id}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def state(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    return await client.wait_for_completion_or_create_check_status_response(
        req, req.route_params["id"], int(req.params.get("ms", "5000")), 20
    )


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 JAN *", run_on_startup=True)
def yearly(timer: func.TimerRequest) -> None:
    told("timers", f"past_due={timer.past_due}")


if os.environ.get("TINY_STORAGE"):

    @app.blob_trigger(
        arg_name="dropped", path="%TINY_CONTAINER%/in/{name}.txt", connection="TINY_STORAGE"
    )
    def dropped(dropped: blob.BlobClient) -> None:
        text = dropped.download_blob().readall().decode()
        told("blobs", f"{dropped.container_name}/{dropped.blob_name} {text}")
        if text == "bad":
            raise ValueError("bad blob")
