"""The adapter of Blob Storage where the wire misbehaves."""

from __future__ import annotations

import pytest

from droptune.adapters.blob_storage import CHUNK_BYTES, BlobContainer
from droptune.domain.errors import NotFoundError, RequestRejectedError, TransientError
from tests.adapters.scripted_server import Answer, ScriptedServer
from tests.servers import connection_string


@pytest.fixture
def pauses() -> list[float]:
    """Seconds that reading would have waited."""
    return []


@pytest.fixture
def container(server: ScriptedServer, pauses: list[float]) -> BlobContainer:
    """The adapter, pointed at the scripted server."""
    connection = connection_string(server.url)
    return BlobContainer.connect("c", connection_string=connection, pause=pauses.append)


def part(data: bytes, *, start: int, of: int) -> Answer:
    """Return a stretch of a blob as Azure sends it."""
    stretch = f"bytes {start}-{start + len(data) - 1}/{of}"
    headers = {"Content-Range": stretch, "ETag": '"1"', "x-ms-blob-type": "BlockBlob"}
    return Answer(status=206, body=data, headers=headers)


def refused(status: int, code: str) -> Answer:
    """Return a refusal of Blob Storage, which names its code in a header."""
    return Answer(status=status, headers={"x-ms-error-code": code})


def test_broken_read_goes_on_where_it_was(
    server: ScriptedServer, container: BlobContainer, pauses: list[float]
) -> None:
    """One failure in a long read costs one range, not the file, and the ETag stays pinned."""
    first, last = bytes(CHUNK_BYTES), b"end"
    of = len(first) + len(last)
    server.says(
        part(first, start=0, of=of),
        refused(503, "ServerBusy"),
        Answer(drop=True),
        part(last, start=CHUNK_BYTES, of=of),
    )

    data = b"".join(container.open("a"))

    assert data == first + last
    assert len(pauses) == 2
    assert [asked.headers.get("if-match") for asked in server.asked] == [None, '"1"', '"1"', '"1"']
    ranges = {asked.headers["x-ms-range"] for asked in server.asked[1:]}
    assert ranges == {f"bytes={CHUNK_BYTES}-{2 * CHUNK_BYTES - 1}"}


def test_read_that_stays_broken_is_transient(
    server: ScriptedServer, container: BlobContainer, pauses: list[float]
) -> None:
    """After three more tries the step decides."""
    server.says(*[refused(503, "ServerBusy")] * 4)

    with pytest.raises(TransientError):
        b"".join(container.open("a"))

    assert pauses == [0.5, 2.0, 5.0]


def test_connection_that_was_just_closed_costs_a_reader_nothing(
    server: ScriptedServer, container: BlobContainer
) -> None:
    """A service closes what it kept open for long; whoever asks just then asks once more."""
    server.says(Answer(drop=True), part(b"here", start=0, of=4))

    found = container.find("a")

    assert found is not None
    assert found.data == b"here"
    assert len(server.asked) == 2


def test_reader_who_gets_no_answer_twice_is_told(
    server: ScriptedServer, container: BlobContainer
) -> None:
    """Once more, and no more: whoever asked decides."""
    server.says(Answer(drop=True), Answer(drop=True))

    with pytest.raises(TransientError):
        container.find("a")

    assert len(server.asked) == 2


def test_write_is_sent_once(server: ScriptedServer, container: BlobContainer) -> None:
    """A conditional write that was repeated could conflict with itself."""
    server.says(refused(500, "InternalError"))

    with pytest.raises(TransientError):
        container.write("a", b"1", if_absent=True)

    assert len(server.asked) == 1


@pytest.mark.parametrize("method", ["find", "find_info", "delete"])
def test_missing_container_is_an_error_not_a_missing_blob(
    server: ScriptedServer, container: BlobContainer, method: str
) -> None:
    """A wrong setting must not look like an empty store."""
    server.says(refused(404, "ContainerNotFound"))

    with pytest.raises(NotFoundError, match="ContainerNotFound"):
        getattr(container, method)("a")


def test_missing_right_is_a_lasting_no(server: ScriptedServer, container: BlobContainer) -> None:
    """403 names Azure's code and what would help."""
    server.says(refused(403, "AuthorizationPermissionMismatch"))

    with pytest.raises(RequestRejectedError, match="AuthorizationPermissionMismatch") as raised:
        container.find("a")

    assert raised.value.remedy


def test_container_needs_an_address() -> None:
    """Neither connection string nor account URL is a mistake in the wiring."""
    with pytest.raises(ValueError, match="connection string or an account URL"):
        BlobContainer.connect("c")
