"""A local installation as processes: storage, a stand-in for Azure OpenAI, the Functions host."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from droptune.cli.installation import (
    Installation,
    claim_state,
    find_installation,
    write_installation,
)
from droptune.cli.ports import is_free
from droptune.cli.processes import LocalProcess, undisturbed
from droptune.cli.refusals import Refusal
from droptune.cli.storage import (
    azurite_command,
    azurite_flags,
    connection_string,
    create_containers,
)

ROOT = Path(__file__).resolve().parents[2]
EMULATOR_KEY = "emulator-key"
RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
    "/providers/Microsoft.CognitiveServices/accounts/local"
)
_READY = r" ready (http://\S+)"
_AZURITE_READY = r"successfully listens on (http://\S+)"
_LOOK_SECONDS = 0.1


class AlreadyRunningError(Refusal):
    """Another process serves this state; `installation` says where."""

    def __init__(self, state: Path, installation: Installation | None) -> None:
        """Name the state."""
        super().__init__(f"A local app already runs on {state}.", "Use it, or name another state.")
        self.installation = installation


class LocalApp:
    """Storage, emulator and host on this machine; what must last lies under `state`.

    A context manager: everything started is stopped at its end, whatever the reason. On Linux even
    a launcher that is killed leaves nothing running. Start it from the main thread.
    """

    def __init__(
        self,
        *,
        state: Path,
        time_scale: float = 60,
        app_port: int = 0,
        emulator_port: int = 0,
        storage_port: int = 0,
        root: Path = ROOT,
        say: Callable[[str], None] = lambda text: None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Describe it; a port of 0 is the one of last time if it is free, else any free one.

        Args:
            settings: further app settings.
        """
        self.state = state.resolve()
        self.time_scale = time_scale
        self._root = root
        self._say = say
        self._settings = settings
        self._ports = {"storage": storage_port, "emulator": emulator_port, "app": app_port}
        self._lock: IO[bytes] | None = None
        self._storage = self._process("azurite", _AZURITE_READY)
        self._emulator = self._process("emulator", _READY)
        self._host = self._process("devhost", _READY)
        self.app_url = self.emulator_url = self.storage_connection_string = ""

    def _process(self, name: str, ready: str) -> LocalProcess:
        log = self.state / "logs" / f"{name}.log"
        return LocalProcess(name=name, ready=ready, log=log, cwd=self._root)

    def __enter__(self) -> Self:
        """Start everything."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self) -> None:
        """Start everything and wait until the app answers; stops what it started if that fails.

        Raises AlreadyRunningError when another process serves this state.
        """
        require_clone(self._root)
        self._lock = claim_state(self.state)
        if self._lock is None:
            raise AlreadyRunningError(self.state, find_installation(self.state))
        try:
            self._prefer_last_ports()
            self.start_storage()
            create_containers(self.storage_connection_string)
            self.start_emulator()
            self.start_host()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, the host first; the state can be started again."""
        with undisturbed():
            for process in (self._host, self._emulator, self._storage):
                process.stop()
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def start_storage(self) -> None:
        """Start Azurite."""
        flags = azurite_flags(self.state / self._storage.name, self._ports["storage"])
        command = azurite_command(self._root) + flags
        url = self._start(self._storage, "storage", command)
        self.storage_connection_string = connection_string(url)

    def stop_storage(self) -> None:
        """Ask Azurite to end (SIGTERM), as a machine that shuts down does."""
        self._storage.stop()

    def start_emulator(self) -> None:
        """Start the local Azure OpenAI, on the port that it had."""
        options = ("--time-scale", f"{self.time_scale:g}", "--key", EMULATOR_KEY)
        self.emulator_url = self._start(
            self._emulator, "emulator", self._server("emulator", *options)
        )

    def kill_emulator(self) -> None:
        """End the local Azure OpenAI as a crash would."""
        self._emulator.kill()

    def start_host(self) -> None:
        """Start the Functions host, on the port that it had, and wait until the app is ready."""
        command = self._server("devhost", "--app", str(self._root), name="app")
        self.app_url = self._start(self._host, "app", command)
        self._wait_until_healthy()
        write_installation(self.state, self.installation())

    def kill_host(self) -> None:
        """End the Functions host as a crash would (SIGKILL)."""
        self._host.kill()

    def _server(self, module: str, *options: str, name: str = "") -> list[str]:
        port = str(self._ports[name or module])
        state = str(self.state / module)
        return [sys.executable, "-m", module, "--port", port, "--state", state, *options]

    def _start(self, process: LocalProcess, name: str, command: list[str]) -> str:
        self._say(f"starting {process.name}")
        (self.state / process.name).mkdir(parents=True, exist_ok=True)
        url = process.start(command, self._environ()).rstrip("/")
        self._ports[name] = urlsplit(url).port or 0
        return url

    def _prefer_last_ports(self) -> None:
        last = find_installation(self.state)
        if last is None:
            return
        blobs = last.storage_connection_string.partition("BlobEndpoint=")[2]
        for name, url in (
            ("storage", blobs),
            ("emulator", last.emulator_url),
            ("app", last.app_url),
        ):
            port = urlsplit(url).port or 0
            if not self._ports[name] and is_free(port):
                self._ports[name] = port

    def _wait_until_healthy(self, timeout: float = 90) -> None:
        deadline = time.monotonic() + timeout
        while not _answers(f"{self.app_url}/api/health"):
            if not self._host.is_running:
                raise Refusal("devhost ended while it started.", f"Its log: {self.state}/logs")
            if time.monotonic() > deadline:
                raise Refusal(
                    f"The app was not ready in {timeout:.0f} s.", f"Its log: {self.state}/logs"
                )
            time.sleep(_LOOK_SECONDS)

    def ended(self) -> str | None:
        """Return the name of a process that does not run any more, or None while all do."""
        processes = (self._storage, self._emulator, self._host)
        return next((process.name for process in processes if not process.is_running), None)

    def installation(self) -> Installation:
        """Return where everything is now."""
        processes = {"storage": self._storage, "emulator": self._emulator, "app": self._host}
        return Installation(
            app_url=self.app_url,
            emulator_url=self.emulator_url,
            storage_connection_string=self.storage_connection_string,
            pids={"local_app": os.getpid(), **{name: p.pid for name, p in processes.items()}},
        )

    def _environ(self) -> dict[str, str]:
        """Return the environment of the processes: this one's, without any word about Azure."""
        kept = {key: value for key, value in os.environ.items() if not _is_about_azure(key)}
        paths = [str(self._root), os.environ.get("PYTHONPATH", "")]
        storage = self.storage_connection_string
        return kept | {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "PYTHONUNBUFFERED": "1",
            "AzureWebJobsStorage": storage,
            "DATA_STORAGE": storage,
            "AZURE_OPENAI_ENDPOINT": self.emulator_url,
            "AZURE_OPENAI_API_KEY": EMULATOR_KEY,
            "ARM_ENDPOINT": self.emulator_url,
            "ARM_TOKEN": EMULATOR_KEY,
            "AZURE_OPENAI_RESOURCE_ID": RESOURCE_ID,
            "SETTLE_SECONDS": "2",
            "SUBMIT_AFTER_SECONDS": "2",
            "TIME_SCALE": f"{self.time_scale:g}",
            "DEVHOST_TIMER_SECONDS": "5",
            "TASK_HUB_NAME": "droptune",
            **self._settings,
        }


def is_clone(root: Path = ROOT) -> bool:
    """Whether this is the repository and not an installed package."""
    return (root / "function_app.py").is_file()


def require_clone(root: Path = ROOT) -> None:
    """Raise Refusal in an installed package, which holds the app's library but not the app."""
    if not is_clone(root):
        raise Refusal(
            "An installed package holds no local app.",
            "Clone the repository and run python3 -m droptune there.",
        )


def _is_about_azure(name: str) -> bool:
    return name.upper().startswith(("AZURE", "ARM_", "IDENTITY_", "MSI_", "APPLICATIONINSIGHTS"))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
