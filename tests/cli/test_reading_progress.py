"""How far reading is: a line on a terminal, nothing elsewhere."""

from __future__ import annotations

import io

from droptune.cli.reading_progress import ReadingProgress, reading_progress
from droptune.cli.terminal import Terminal


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        """Begin at 0 s."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_line_tells_share_and_time_left() -> None:
    """Half of 100 MB in 5 s leaves 5 s."""
    stream, clock = io.StringIO(), Clock()
    progress = ReadingProgress(100_000_000, Terminal(stream, live=True), clock)

    clock.now = 5.0
    progress(50_000_000)

    assert "50%" in stream.getvalue()
    assert "50 of 100 MB, about 5 s left" in stream.getvalue()


def test_time_left_is_not_guessed_from_the_first_bytes() -> None:
    """What has just begun tells nothing of how long it takes."""
    stream, clock = io.StringIO(), Clock()
    progress = ReadingProgress(100_000_000, Terminal(stream, live=True), clock)

    clock.now = 0.5
    progress(100)

    assert "0 of 100 MB" in stream.getvalue()
    assert "left" not in stream.getvalue()


def test_line_is_written_ten_times_a_second_at_most() -> None:
    """A thousand blocks in a moment are no flood."""
    stream, clock = io.StringIO(), Clock()
    progress = ReadingProgress(1_000_000, Terminal(stream, live=True), clock)

    for _ in range(1_000):
        clock.now += 0.001
        progress(1_000)

    assert 5 <= stream.getvalue().count("\r") <= 10


def test_file_that_grows_is_never_more_than_whole() -> None:
    """The share stays at 100 %."""
    stream, clock = io.StringIO(), Clock()
    progress = ReadingProgress(10, Terminal(stream, live=True), clock)

    clock.now = 1.0
    progress(1_000_000)

    assert "100%" in stream.getvalue()


def test_nothing_is_told_where_there_is_no_terminal() -> None:
    """Logs hold no bars."""
    with reading_progress(1 << 30) as progress:
        assert progress is None
