"""Counters give tiktoken's numbers, whatever the text, and give back what they take."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from droptune.validation.counter_check import counter_agrees
from droptune.validation.tokens import load_encoding, make_counter
from droptune.validation.tokens.counters import made_counter
from droptune.validation.tokens.fast import SEPARATOR, FastCounter
from droptune.validation.tokens.recipe import LONGEST_TEXT, Recipe
from droptune.validation.tokens.reference import ReferenceCounter

pytest.importorskip("gigatoken")
SPLIT = (SEPARATOR[:-1], SEPARATOR[1:], SEPARATOR[:3], SEPARATOR[-2:], f" {SEPARATOR} ")
ENCODINGS = ("o200k_base", "cl100k_base", "o200k_harmony")
encodings = pytest.mark.parametrize("encoding", ENCODINGS)
# Letters that are new in Unicode 17 are unknown to tiktoken's tables, not to gigatoken's.
_old = st.characters(exclude_categories=["Cs", "Cn"], max_codepoint=0x2FFFF)
_pieces = st.sampled_from(
    [
        "don't",
        "'S",
        "\r\n",
        "   ",
        "\t",
        "1234567",
        "<|endoftext|>",
        "<|start|>",
        "日本語",
        "👩‍👩‍👧",
        "e\u0301",
    ]
)
texts = st.lists(st.text(_old, max_size=12) | _pieces, max_size=12).map("".join)


@encodings
@settings(max_examples=400, deadline=None)
@given(text=texts)
def test_fast_counter_counts_as_tiktoken(encoding: str, text: str) -> None:
    """Both count the same tokens, the text of special tokens as text."""
    expected = len(load_encoding(encoding).encode_ordinary(text))

    assert make_counter(encoding, fast=True).count(text) == expected
    assert make_counter(encoding, fast=False).count(text) == expected


@settings(max_examples=200, deadline=None)
@given(found=st.lists(texts | st.just(SEPARATOR) | st.sampled_from(SPLIT), max_size=12))
def test_many_texts_count_as_each(found: list[str]) -> None:
    """Texts that are counted in one call count as one by one, whatever stands at their ends."""
    counter = make_counter("o200k_base", fast=True)
    encoding = load_encoding("o200k_base")
    expected = [len(encoding.encode_ordinary(text)) for text in found]

    assert counter.count_many(found) == expected
    assert counter.count_beside(found) == expected
    assert make_counter("o200k_base", fast=False).count_beside(found) == expected


@pytest.mark.parametrize(("encoding", "tokens"), [("o200k_base", 7), ("cl100k_base", 7)])
def test_special_token_s_text_is_text(encoding: str, tokens: int) -> None:
    """Text that looks like a special token is never taken for one: it would count as one token."""
    assert make_counter(encoding).count("<|endoftext|>") == tokens


def test_fast_counter_gives_its_memory_back() -> None:
    """Once it has grown by its bound it is loaded anew, and counts the same."""
    counter = FastCounter("o200k_base", cache_bytes=8 << 20)
    words = [f"{at * 7919:x}{at:o}q{at * 31:x}" for at in range(120_000)]
    for at in range(0, len(words), 1_000):
        counter.count(" ".join(words[at : at + 1_000]))
        counter.trim()

    assert counter.reloads >= 1
    assert counter.count("hello world") == 2


def test_threads_that_share_a_counter_wait_for_each_other() -> None:
    """gigatoken refuses two at a time; to load it anew for each refusal took four times as long."""
    counter, texts = FastCounter("o200k_base"), [f"{at} words of {at * 7919:x}" for at in range(9)]
    loaded, ways = counter._backend, (counter.count_beside, counter.count_many)
    expected = [counter.count(text) for text in texts] * 4_000

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda at: ways[at % 2](texts * 4_000), range(8)))

    assert found == [expected] * 8
    assert counter._backend is loaded


def test_text_that_the_fast_counter_refuses_is_counted_by_tiktoken() -> None:
    """An exception of the fast counter costs time, never a count."""
    counter = FastCounter("o200k_base")

    assert counter.count("half \ud83d of a character") == ReferenceCounter("o200k_base").count(
        "half \ud83d of a character"
    )


def test_reference_survives_a_million_blanks() -> None:
    """tiktoken gives up on a million blanks with an exception that is none; we count in pieces."""
    counter = ReferenceCounter("o200k_base")

    tokens = counter.count(" " * 1_000_000)

    assert counter.estimates == 1
    assert 0 < tokens < 100_000


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("piece", [" ", "a", "=", "\n", "ab", " \n", "😀"])
def test_megabyte_of_one_thing_is_counted(encoding: str, piece: str) -> None:
    """What defeats other counters takes no second here."""
    text = piece * (1_000_000 // len(piece))

    assert make_counter(encoding).count(text) > 0


def test_threads_that_ask_at_once_share_one_counter() -> None:
    """Each would take a fifth of a second and 60 MiB."""
    threads = 4
    together = Barrier(threads)
    made_counter.cache_clear()

    def ask(_: int) -> int:
        together.wait()
        return id(make_counter("o200k_base"))

    with ThreadPoolExecutor(threads) as pool:
        counters = list(pool.map(ask, range(threads)))

    assert len(set(counters)) == 1


def test_long_text_is_counted_in_pieces() -> None:
    """A text that no model takes is estimated, so that random letters cost no minutes."""
    recipe = Recipe(make_counter("o200k_base"))

    tokens = recipe.count("word " * (LONGEST_TEXT // 4))

    assert tokens == pytest.approx(LONGEST_TEXT / 4, rel=0.001)


def test_sample_that_disagrees_is_found() -> None:
    """A wrong count in the sample is enough; small files are not worth the asking."""
    right, wrong = [("hello world", 2)], [("hello world", 3)]

    assert counter_agrees(right, "o200k_base", 1, worth=0)
    assert not counter_agrees(wrong, "o200k_base", 1, worth=0)
    assert counter_agrees(wrong, "o200k_base", 1, worth=2)


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
from droptune.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_fast_counter_without_numpy_leaves_the_counting_to_tiktoken(tmp_path: Path) -> None:
    """Rust gives up where numpy is missing; the report is there, and says who counted and why."""
    path = tmp_path / "training.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "Hi"}]}\n')
    command = [sys.executable, "-c", WITHOUT_NUMPY, "validate", "--json", str(path)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    report = json.loads(ended.stdout)
    said = [each["message"] for each in report["findings"] if each["rule"] == "slow-counter"]
    assert ended.stderr == ""
    assert "installed without numpy" in said[0]
    assert report["files"][0]["tokens"]["total"]["sum"] == 8
