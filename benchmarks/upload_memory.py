"""What an upload of 100 MB costs in memory: the adapter's process above idle, against one that
holds the file as the simplest code does.

    python -m benchmarks.upload_memory
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import describe
from tests.servers import EMULATOR_KEY, running_emulator

SIZE = 101_000_000  # over the limit of one request, so that it goes in parts
_UPLOAD = """
import io, resource, sys
from pathlib import Path
from droptune.adapters.azure_openai import AzureOpenAIService

url, key, path, way = sys.argv[1:]
service = AzureOpenAIService(url, credential=key)
service.list_files()
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = Path(path).stat().st_size
file = open(path, "rb")
service.upload_file("benchmark.jsonl", file if way == "streamed" else io.BytesIO(file.read()), size)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) / 1024)
"""


def main() -> None:
    """Upload the same file both ways and print the growth of each."""
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "training.jsonl"
        _write(file)
        with running_emulator(Path(folder) / "emulator") as url:
            streamed = _growth(url, file, "streamed")
            held = _growth(url, file, "held")
    print(f"{SIZE / 1e6:.0f} MB, streamed       {streamed:7.1f} MiB above idle")
    print(f"{SIZE / 1e6:.0f} MB, held whole     {held:7.1f} MiB above idle")
    print(f"ratio                 {streamed / held:7.2f}")


def _write(file: Path) -> None:
    messages = [
        {"role": "user", "content": "What is this? " * 20},
        {"role": "assistant", "content": "A line of a large file. " * 40},
    ]
    line = json.dumps({"messages": messages}).encode() + b"\n"
    with file.open("wb") as out:
        for _ in range(SIZE // len(line) + 1):
            out.write(line)


def _growth(url: str, file: Path, way: str) -> float:
    command = [sys.executable, "-c", _UPLOAD, url, EMULATOR_KEY, str(file), way]
    return float(subprocess.check_output(command, text=True))


if __name__ == "__main__":
    main()
