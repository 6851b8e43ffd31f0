"""`python -m devhost`: serve an app until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import sys
from pathlib import Path

from devhost.http_process import HttpProcess
from devhost.sockets import listen, url_of

COULD_NOT_START = 3


def main() -> int:
    """Load the app, serve it, and end cleanly; 3 when it cannot be served."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    options.state.mkdir(parents=True, exist_ok=True)
    with (options.state / "devhost.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _refuse(f"another host serves {options.state} already")
        return _serve(options)


def _serve(options: argparse.Namespace) -> int:
    """Start the process that answers HTTP first of all: both load the app at the same time."""
    with listen(options.port) as public, listen(0) as durable:
        url = url_of(public)
        os.environ["WEBSITE_HOSTNAME"] = url.removeprefix("http://")
        os.environ["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"
        answering = HttpProcess(options.app, public, url_of(durable), options.key or None)
        try:
            from devhost.server import serve  # takes a third of a second

            refusal = serve(options.app, options.state, url, durable, answering)
        finally:
            answering.stop()
    return _refuse(refusal) if refusal else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="devhost", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--state", type=Path, required=True, help="folder of all that lasts")
    parser.add_argument(
        "--key",
        default=os.environ.get("DEVHOST_KEY"),
        help="what functions that are not anonymous ask for; default: DEVHOST_KEY; none: nothing",
    )
    return parser.parse_args()


def _refuse(said: str) -> int:
    sys.stderr.write(f"devhost: {said}\n")
    return COULD_NOT_START


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # activities in flight run again at the next start
