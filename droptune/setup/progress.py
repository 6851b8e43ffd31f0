"""What a set-up shows while it works, and how it says that it cannot go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SHOWN_ON_FAILURE = 12


class SetupError(Exception):
    """The machine lacks something; the message says what would be right."""


def say(text: str) -> None:
    """Tell the person one thing, on stderr."""
    sys.stderr.write(f"droptune: {text}\n")
    sys.stderr.flush()


class Progress:
    """Tells on stderr what is being made; what the tools print goes to a log file."""

    def __init__(self, *, log: Path, steps: int) -> None:
        """Begin a set-up of so many steps."""
        self._log = log
        self._steps = steps
        self._step = 0
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")

    def begin(self, what: str) -> None:
        """Announce the next step."""
        self._step += 1
        self._started = time.monotonic()
        say(f"[{self._step}/{self._steps}] {what}")

    def done(self) -> None:
        """Say how long the step took."""
        say(f"[{self._step}/{self._steps}] done in {time.monotonic() - self._started:.0f} s")

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Run a tool, its output in the log; raises SetupError with the last lines of it."""
        lines = []
        with self._log.open("a", encoding="utf-8") as log:
            log.write("$ " + " ".join(command) + "\n")
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**os.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                close_fds=False,  # a tool that outlives us keeps the lock until it ends
            )
            with process:
                try:
                    for line in process.stdout or ():
                        log.write(line)
                        log.flush()
                        lines.append(line.rstrip())
                        on_line(line)
                except BaseException:
                    process.terminate()
                    raise
        if process.returncode:
            tail = "\n".join(f"    {line}" for line in lines[-SHOWN_ON_FAILURE:])
            raise SetupError(
                f"{Path(command[0]).name} could not do its part of the set-up:\n{tail}\n"
                f"droptune: all of its output is in {self._log}; run the command again to go on."
            )


def counter(start: str, total: int, unit: str) -> Callable[[str], None]:
    """Return a reader of a tool's output that says at each quarter how far it is."""
    seen = 0

    def read(line: str) -> None:
        nonlocal seen
        if line.startswith(start):
            seen += 1
            if total >= 4 and seen % (total // 4) == 0 and seen < total:
                say(f"      {seen} of {total} {unit}")

    return read
