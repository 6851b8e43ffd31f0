"""Blob storage as the command line needs it: how it is started, opened and read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from droptune.cli.refusals import Refusal
from droptune.domain.payload import Payload
from droptune.setup.azurite import SCRIPT
from droptune.setup.marker import read_marker

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

CONTAINERS = ("datasets", "runs", "registry")
# Public: every Azurite has these. Source: Azurite's README, "Default Storage Account".
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection_string(blob_url: str) -> str:
    """Return the connection string of the Azurite that serves a URL."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint={blob_url}/{ACCOUNT};"
    )


def azurite_command(root: Path, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the program that serves blobs: the set-up's, or the one that AZURITE names."""
    if named := environ.get("AZURITE"):
        return [named]
    folder = root / ".droptune" / "azurite"
    node = read_marker(folder).get("node")
    if node is None:
        raise Refusal(
            "Azurite, the local storage, is not set up.",
            "Run python3 -m droptune up from the clone, or name an azurite-blob in AZURITE.",
        )
    return [node, str(folder / SCRIPT)]


def azurite_flags(location: Path, port: int) -> list[str]:
    """Return how Azurite is started: all it holds lasts, and nothing is sent anywhere."""
    return [
        *("--location", str(location), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
        *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
    ]


def create_containers(connection: str) -> None:
    """Create the containers of an installation where they are missing."""
    from azure.core.exceptions import ResourceExistsError

    with open_storage(connection) as storage:
        for name in CONTAINERS:
            try:
                storage.create_container(name)
            except ResourceExistsError:
                continue


def open_storage(storage: str) -> BlobServiceClient:
    """Return a client for a connection string, or for an account's URL as whoever is signed in."""
    try:
        from azure.storage.blob import BlobServiceClient
    except ImportError:
        raise Refusal(
            "Uploading needs the package azure-storage-blob, which is not installed.",
            "Install droptune[app], or upload with az storage blob upload-batch or azcopy.",
        ) from None
    if not storage.startswith("https://"):
        return BlobServiceClient.from_connection_string(storage)
    from azure.identity import DefaultAzureCredential

    return BlobServiceClient(storage, credential=DefaultAzureCredential())


def read_json(storage: str, container: str, name: str) -> Payload:
    """Return a document that the app keeps; raises Refusal when it cannot be read."""
    from azure.core.exceptions import AzureError

    try:
        with open_storage(storage) as client:
            document: Payload = json.loads(
                client.get_blob_client(container, name).download_blob().readall()
            )
    except (AzureError, ValueError) as error:
        raise Refusal(f"{container}/{name} cannot be read: {error}.") from None
    return document
