"""What every test may ask for: an Azurite, a local Azure OpenAI."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests import servers


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let contract tests run on the real service: `--service azure`."""
    parser.addoption(
        "--service",
        choices=("local", "azure"),
        default="local",
        help="azure: contract tests also run on the resource that the settings name (costs money)",
    )


def pytest_configure() -> None:
    """Hear Ctrl-C, and let what tests start hear it: a shell's background jobs do not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was tried, of what tests counted with `record_property`."""
    counted: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        if report.when == "call":
            counted.update({k: v for k, v in report.user_properties if isinstance(v, int)})
    for name, count in counted.items():
        terminalreporter.write_line(f"{count:,} {name}")


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of this session."""
    command = servers.find_azurite()
    if command is None:
        pytest.skip("Azurite is not installed: python3 -m droptune test installs it")
    with servers.running_azurite(command, tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(scope="session")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a local Azure OpenAI whose time stands as good as still."""
    if find_spec("emulator.__main__") is None:
        pytest.skip("there is no emulator in this checkout")
    with servers.running_emulator(tmp_path_factory.mktemp("emulator")) as url:
        yield url
