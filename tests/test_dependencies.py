"""What is installed: what the locks say, hashed, from nowhere else, under licences that fit.

Whether anything of it has a known weakness only an advisory service can say: `.ci/audit` asks it
(`tests/test_audit.py`).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "droptune/setup/requirements-uv.txt",
    "droptune/setup/requirements-node.txt",
    ".ci/requirements-audit.txt",
)
# Each lets anybody use, change and pass on, and asks nothing of the code beside it.
PERMITTED = {
    "mit", "mit-0", "mit license", "apache-2.0", "apache software license", "bsd-2-clause",
    "bsd-3-clause", "bsd license", "0bsd", "isc", "isc license (iscl)", "psf-2.0", "cnri-python",
    "python software foundation license", "zlib", "cc0-1.0", "public domain", "unlicense",
    "freely distributable", "blueoak-1.0.0", "python-2.0",
    "http://geraintluff.github.io/tv4/license.txt",  # public domain, its README says
    "mpl-2.0", "mozilla public license 2.0 (mpl 2.0)",  # of a file's own changes alone
}  # fmt: skip
_NO_LICENCE = {"dfsg approved"}


@dataclass(frozen=True)
class Locked:
    """One entry of a lock."""

    text: str

    @property
    def requirement(self) -> Requirement:
        return Requirement(self.text.split(" --hash")[0].strip())

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        [only] = self.requirement.specifier
        return only.version if only.operator == "==" else ""

    @property
    def hashes(self) -> list[str]:
        return re.findall(r"--hash=sha256:([0-9a-f]{64})(?:\s|$)", self.text)


@cache
def locked(name: str) -> tuple[Locked, ...]:
    """Return a lock's entries; a line that is none makes one that cannot be read."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return tuple(Locked(" ".join(line.split())) for line in lines if line)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_one_version_of_each_package_with_its_hashes(name: str) -> None:
    """No range, no address, no other index, and nothing that a hash does not hold."""
    entries = locked(name)

    assert entries
    assert [each.text for each in entries if not each.hashes] == []
    assert [each.text for each in entries if not each.version or each.requirement.url] == []


def test_locks_of_app_and_laptop_name_the_same_versions() -> None:
    """What is tried here is what runs in Azure."""
    app = {each.name: each.version for each in locked("requirements.txt")}
    laptop = {each.name: each.version for each in locked("requirements-dev.txt")}

    assert app.items() <= laptop.items()


def test_what_the_project_asks_for_is_locked_as_it_asks() -> None:
    """A dependency that was added without its lock would be installed nowhere."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [
        Requirement(each) for group in (project["dependencies"], *extras.values()) for each in group
    ]
    laptop = {each.name: each.version for each in locked("requirements-dev.txt")}

    unmet = [
        str(each)
        for each in asked
        if canonicalize_name(each.name) != project["name"]
        and not each.specifier.contains(
            laptop.get(canonicalize_name(each.name), ""), prereleases=True
        )
    ]
    assert unmet == []


def installed() -> Iterator[tuple[Locked, metadata.Distribution]]:
    """Iterate over what is locked for this machine, with what is installed of it."""
    for each in locked("requirements-dev.txt"):
        marker = each.requirement.marker
        if marker is None or marker.evaluate():
            yield each, metadata.distribution(each.name)


def test_locked_versions_are_installed() -> None:
    """The tests run with what the lock names."""
    found = {each.name: (each.version, there.version) for each, there in installed()}

    assert len(found) > 80
    assert {name: both for name, both in found.items() if both[0] != both[1]} == {}


def test_every_licence_is_one_that_fits() -> None:
    """As the packages themselves state it; one that states none is looked at by a person."""
    stated = {each.name: licences_of(there) for each, there in installed()}

    assert {name: said for name, said in stated.items() if not said or said - PERMITTED} == {}


def licences_of(distribution: metadata.Distribution) -> set[str]:
    """Return every licence that a package names, in lower case."""
    stated = distribution.metadata.json
    expression = str(stated.get("license_expression") or "")
    if expression:
        return {part.strip(" ()").lower() for part in re.split(r" AND | OR ", expression)}
    lines = [str(each) for each in stated.get("classifier") or []]
    found = {each.rpartition(" :: ")[2].lower() for each in lines if each.startswith("License ::")}
    text = str(stated.get("license") or "").strip().lower()
    return (found - _NO_LICENCE) or {text.split("\n")[0]} - {""}


def test_azurites_packages_are_hashed_and_licensed() -> None:
    """npm's lock says the same of what serves blobs on a laptop."""
    packages = json.loads((ROOT / "azurite/package-lock.json").read_text("utf-8"))["packages"]
    others = {name: each for name, each in packages.items() if name}

    unhashed = [
        n for n, each in others.items() if not each.get("integrity", "").startswith("sha512-")
    ]
    strange = {name: each.get("license") for name, each in others.items() if not fits(each)}
    assert len(others) > 50
    assert unhashed == []
    assert strange == {}


def fits(package: dict[str, object]) -> bool:
    parts = re.split(r" AND | OR ", str(package.get("license", "")))
    return {part.strip(" ()").lower() for part in parts} <= PERMITTED
