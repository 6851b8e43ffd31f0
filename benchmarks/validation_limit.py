"""The physical limit: parse the lines and count the distinct strings, all in memory, all cores.

    python -m benchmarks.validation_limit FILE --workers 2

Each process holds its share of the lines and its own distinct strings, tables are loaded, nothing
is checked, nothing is read. It prints the seconds of the slowest process.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import msgspec

from droptune.validation.tokens import DEFAULT_ENCODING, make_counter


def main() -> None:
    """Print the seconds that parsing and counting take at least."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    barrier, times = context.Barrier(given.workers), context.SimpleQueue()
    processes = [
        context.Process(target=_work, args=(given.file, at, given.workers, barrier, times))
        for at in range(given.workers)
    ]
    for process in processes:
        process.start()
    seconds = [times.get() for _ in processes]
    for process in processes:
        process.join()
    print(json.dumps({"seconds": max(seconds)}))


def _work(
    file: Path, at: int, workers: int, barrier: Barrier, times: multiprocessing.SimpleQueue[float]
) -> None:
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(size * at // workers)
        stream.readline()
        lines = stream.readlines(size // workers)
    texts = {
        message["content"] for line in lines for message in msgspec.json.decode(line)["messages"]
    }
    blocks = [b"".join(lines[start : start + 400]) for start in range(0, len(lines), 400)]
    count = make_counter(DEFAULT_ENCODING).count
    decode = msgspec.json.Decoder().decode_lines
    count("warm")
    barrier.wait()
    started = time.perf_counter()
    for block in blocks:
        decode(block)
    for text in texts:
        count(text)
    times.put(time.perf_counter() - started)


if __name__ == "__main__":
    main()
