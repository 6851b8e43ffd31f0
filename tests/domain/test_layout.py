"""Which dataset a blob belongs to, by its path alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.domain.dataset import DatasetRef, Rejected, is_name, locate

V1 = DatasetRef(project="p", version="v1")


@pytest.mark.parametrize(
    ("path", "ref"),
    [
        ("p/v1/training.jsonl", V1),
        ("p/v1/anything.bin", V1),
        ("p/v1/training/part-0.jsonl", V1),
        ("p/v1/", V1),
        ("p/v1/_SUCCESS", V1),
        ("P-1.x_y/2026-10-06/a", DatasetRef(project="P-1.x_y", version="2026-10-06")),
        (f"{'p' * 64}/v/a", DatasetRef(project="p" * 64, version="v")),
        ("support.jsonl", DatasetRef(project="support", version="latest")),
        ("a.b.jsonl", DatasetRef(project="a.b", version="latest")),
    ],
)
def test_path_within_the_layout_names_its_dataset(path: str, ref: DatasetRef) -> None:
    """A folder of two levels, or a bare file."""
    assert locate(path) == ref
    assert locate(path, size_bytes=10) == ref


@pytest.mark.parametrize("path", ["p/project.yaml", "p", "p/", "p/v1", "support/2026-10"])
def test_path_that_starts_nothing_is_left_alone(path: str) -> None:
    """A project's configuration and the markers of folders are no mistakes."""
    assert locate(path) is None


@pytest.mark.parametrize("path", ["p", "p/v1", "p/v1.0", "p/", "v1.0"])
def test_empty_blob_of_a_folders_name_is_its_marker(path: str) -> None:
    """ADLS Gen2 lists folders as empty blobs, dots in their names or not."""
    assert locate(path, size_bytes=0) is None


@pytest.mark.parametrize(
    "path",
    [
        "../v1/training.jsonl",
        "p/../training.jsonl",
        "p/./training.jsonl",
        "/p/v1/training.jsonl",
        "//training.jsonl",
        "p//training.jsonl",
        ".p/v1/training.jsonl",
        "_p/v1/training.jsonl",
        "p/_v/training.jsonl",
        "p p/v1/training.jsonl",
        "p\\v1\\training.jsonl",
        "p/v\n/training.jsonl",
        "p/v\x00/training.jsonl",
        "p/v%2e/training.jsonl",
        "pröjekt/v1/training.jsonl",
        "p/v\u202e/training.jsonl",
        f"{'p' * 65}/v1/training.jsonl",
        "p/training.jsonl",
        "p/Project.yaml",
        "bad name/project.yaml",
        "training.csv",
        "Support.JSONL",
        ".jsonl",
        "_x.jsonl",
        "my data.jsonl",
        "project.yaml",
        "",
    ],
)
def test_path_outside_the_layout_is_rejected_with_a_remedy(path: str) -> None:
    """Never a crash and never silence; nothing that could act on a terminal is repeated."""
    found = locate(path, size_bytes=10)

    assert isinstance(found, Rejected)
    assert found.path == path
    assert found.message.isprintable()
    assert found.message.endswith(".")
    assert found.remedy.endswith(".")


def test_file_without_an_ending_beside_the_versions_is_rejected_once_it_has_content() -> None:
    """What is not empty is no marker."""
    assert isinstance(locate("p/training", size_bytes=5), Rejected)
    assert locate("p/training") is None


@given(st.text())
def test_any_path_is_located_rejected_or_left_alone(path: str) -> None:
    """No name crashes, and what is accepted can be a name at Azure and in a URL."""
    found = locate(path)

    if isinstance(found, DatasetRef):
        assert is_name(found.project)
        assert is_name(found.version)
        assert path.startswith(found.prefix) or path == found.bare_file
    else:
        assert found is None or found.message


def test_names_that_differ_only_in_case_have_collectors_of_their_own() -> None:
    """Instance ids at Azure ignore nothing, and neither does Droptune."""
    ids = {DatasetRef(project="p", version=version).collector_id for version in ("v", "V", "w")}

    assert len(ids) == 3
    assert all(each.startswith("collect-") and len(each) == 40 for each in ids)


def test_only_the_latest_version_has_a_bare_file() -> None:
    """`<name>.jsonl` is the version `latest` of the project `<name>`."""
    assert DatasetRef(project="p", version="latest").bare_file == "p.jsonl"
    assert V1.bare_file is None
    assert (str(V1), V1.prefix) == ("p/v1", "p/v1/")
