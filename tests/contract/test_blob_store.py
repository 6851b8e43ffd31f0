"""What a BlobStore promises, kept by the fake and by Azure's SDK on Azurite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from droptune.domain.errors import BlobNotFoundError, ConflictError
from droptune.domain.services import BlobStore

CHUNK = 8 << 20


def test_missing_blob_is_none(store: BlobStore) -> None:
    """A blob that does not exist is found as None, by content and by properties."""
    assert store.find("a/b.json") is None
    assert store.find_info("a/b.json") is None


def test_written_blob_reads_back_with_its_etag(store: BlobStore) -> None:
    """Write, content, properties and listing agree on content, size and ETag."""
    etag = store.write("a/b.json", b"{}")

    found, info, listed = store.find("a/b.json"), store.find_info("a/b.json"), list(store.list())

    assert found is not None
    assert (found.data, found.etag) == (b"{}", etag)
    assert info is not None
    assert (info.name, info.etag, info.size_bytes) == ("a/b.json", etag, 2)
    assert listed == [info]


def test_time_of_a_write_is_aware_utc(store: BlobStore) -> None:
    """A blob's time is an aware UTC time."""
    store.write("a", b"x")

    info = store.find_info("a")

    assert info is not None
    assert info.modified_at.utcoffset() == timedelta(0)
    assert info.modified_at.astimezone(UTC) > datetime(2020, 1, 1, tzinfo=UTC)


def test_every_write_changes_the_etag(store: BlobStore) -> None:
    """The same content written again has another ETag."""
    first = store.write("a", b"x")

    second = store.write("a", b"x")

    assert second != first


def test_if_absent_writes_once(store: BlobStore) -> None:
    """Of two writes that want to be the first, the second conflicts and changes nothing."""
    store.write("run.json", b"first", if_absent=True)

    with pytest.raises(ConflictError):
        store.write("run.json", b"second", if_absent=True)

    assert read(store, "run.json") == b"first"


def test_if_match_writes_only_on_what_was_read(store: BlobStore) -> None:
    """A write with an ETag that was overtaken conflicts; one with the current ETag does not."""
    old = store.write("a", b"1")
    new = store.write("a", b"2", if_match=old)

    with pytest.raises(ConflictError):
        store.write("a", b"3", if_match=old)
    store.write("a", b"4", if_match=new)

    assert read(store, "a") == b"4"


def test_if_match_on_a_missing_blob_conflicts(store: BlobStore) -> None:
    """A blob that is gone is another state than the one that was read."""
    etag = store.write("a", b"1")
    store.delete("a")

    with pytest.raises(ConflictError):
        store.write("a", b"2", if_match=etag)


def test_delete_of_a_missing_blob_is_no_error(store: BlobStore) -> None:
    """Deleting twice is deleting once."""
    store.write("a", b"1")

    store.delete("a")
    store.delete("a")

    assert store.find("a") is None


def test_delete_with_an_overtaken_etag_conflicts(store: BlobStore) -> None:
    """A conditional delete leaves a newer blob alone."""
    old = store.write("a", b"1")
    store.write("a", b"2")

    with pytest.raises(ConflictError):
        store.delete("a", if_match=old)

    assert read(store, "a") == b"2"


def test_list_is_in_order_and_begins_behind_after(store: BlobStore) -> None:
    """A listing is sorted by name, may begin behind a name, and may end after a number of blobs."""
    for name in ("p/c", "p/a", "p/b", "p/d", "q/a"):
        store.write(name, b"")

    everything = [blob.name for blob in store.list("p/")]
    two_behind_a = [blob.name for blob in store.list("p/", after="p/a", limit=2)]
    behind_a_gap = [blob.name for blob in store.list("p/", after="p/bb")]

    assert everything == ["p/a", "p/b", "p/c", "p/d"]
    assert two_behind_a == ["p/b", "p/c"]
    assert behind_a_gap == ["p/c", "p/d"]


def test_folders_are_those_directly_below(store: BlobStore) -> None:
    """Folders are named with their whole path and a slash; deeper ones and blobs are not listed."""
    for name in ("a/v1/training.jsonl", "a/v1/parts/x", "a/v2/training.jsonl", "a/project.yaml"):
        store.write(name, b"")

    assert list(store.list_folders()) == ["a/"]
    assert list(store.list_folders("a/")) == ["a/v1/", "a/v2/"]


def test_names_that_need_escaping_are_names_like_others(store: BlobStore) -> None:
    """Spaces, percent signs, question marks and umlauts reach the store as they are."""
    name = "a b/100%/größe?.jsonl"

    store.write(name, b"x")

    assert [blob.name for blob in store.list("a b/")] == [name]
    assert read(store, name) == b"x"


def test_open_streams_in_chunks_of_bounded_size(store: BlobStore) -> None:
    """A large blob comes in pieces of 8 MiB at most that add up to its content."""
    data = bytes(range(256)) * (CHUNK * 2 // 256) + b"end"
    store.write("big", data)

    chunks = list(store.open("big"))

    assert max(map(len, chunks)) <= CHUNK
    assert b"".join(chunks) == data


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, None, b"0123456789"), (3, 6, b"345"), (8, 99, b"89"), (10, None, b""), (12, 14, b"")],
)
def test_open_reads_a_range(store: BlobStore, start: int, end: int | None, expected: bytes) -> None:
    """A range ends before `end` and at the blob's own end; behind it there is nothing."""
    store.write("a", b"0123456789")

    assert b"".join(store.open("a", start=start, end=end)) == expected


def test_open_of_an_empty_blob_yields_nothing(store: BlobStore) -> None:
    """A placeholder of zero bytes is no error."""
    store.write("a", b"")

    assert b"".join(store.open("a")) == b""


def test_open_with_an_overtaken_etag_conflicts(store: BlobStore) -> None:
    """Reading a pinned blob that was overwritten conflicts."""
    old = store.write("a", b"1")
    store.write("a", b"2")

    with pytest.raises(ConflictError):
        b"".join(store.open("a", if_match=old))


def test_overwriting_while_reading_conflicts(store: BlobStore) -> None:
    """Chunks of two versions are never mixed, also without an ETag to match."""
    store.write("a", bytes(CHUNK + 1))
    chunks = store.open("a")
    next(chunks)

    store.write("a", bytes(CHUNK + 1))

    with pytest.raises(ConflictError):
        next(chunks)


def test_open_of_a_missing_blob_says_so(store: BlobStore) -> None:
    """A blob that is gone is BlobNotFoundError, with or without an ETag."""
    etag = store.write("a", b"1")
    store.delete("a")

    with pytest.raises(BlobNotFoundError):
        b"".join(store.open("a"))
    with pytest.raises(BlobNotFoundError):
        b"".join(store.open("a", if_match=etag))


def test_lease_is_held_by_one(store: BlobStore) -> None:
    """While a lease is held nobody else gets one; given back, it is free."""
    store.write("claim", b"{}")
    lease = store.acquire_lease("claim", 60)

    with pytest.raises(ConflictError):
        store.acquire_lease("claim", 60)
    store.release_lease("claim", lease)

    store.acquire_lease("claim", 15)


def test_leased_blob_is_written_by_the_holder_only(store: BlobStore) -> None:
    """Only a write that names the lease goes through; everybody may read."""
    store.write("claim", b"1")
    lease = store.acquire_lease("claim", 60)

    with pytest.raises(ConflictError):
        store.write("claim", b"2")
    store.write("claim", b"3", lease=lease)

    assert read(store, "claim") == b"3"


def test_write_with_a_lease_that_was_given_back_conflicts(store: BlobStore) -> None:
    """Whoever lost the lease cannot write under it."""
    store.write("claim", b"1")
    lease = store.acquire_lease("claim", 60)
    store.release_lease("claim", lease)

    with pytest.raises(ConflictError):
        store.write("claim", b"2", lease=lease)


def test_lease_on_a_missing_blob_says_so(store: BlobStore) -> None:
    """There is no lease on nothing."""
    with pytest.raises(BlobNotFoundError):
        store.acquire_lease("claim", 15)


def test_releasing_a_lost_lease_is_no_error(store: BlobStore) -> None:
    """Giving a lease back twice, or one on a deleted blob, changes nothing."""
    store.write("claim", b"1")
    lease = store.acquire_lease("claim", 15)
    store.release_lease("claim", lease)
    store.release_lease("claim", lease)
    store.delete("claim")

    store.release_lease("claim", lease)

    assert store.find("claim") is None


@pytest.mark.parametrize("seconds", [0, 14, 61])
def test_lease_of_impossible_length_is_refused(store: BlobStore, seconds: int) -> None:
    """A lease lasts 15 to 60 seconds; anything else is a mistake of the caller."""
    store.write("claim", b"1")

    with pytest.raises(ValueError, match="15 to 60"):
        store.acquire_lease("claim", seconds)


def read(store: BlobStore, name: str) -> bytes:
    """Return a blob's content."""
    found = store.find(name)
    assert found is not None
    return found.data
