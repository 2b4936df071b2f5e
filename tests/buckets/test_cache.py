"""The cache of objects: what it keeps, what goes, and what several processes make of it at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tonesmith.buckets.cache import Cache, bytes_of, user_cache
from tonesmith.errors import BucketError, ConfigError


def read(cache: Cache, name: str, content: bytes = b"") -> bytes:
    """Return what a cache has under a name; what it has not is fetched as this content."""
    with os.fdopen(cache.opened(name, lambda to: Path(to).write_bytes(content)), "rb") as file:
        return file.read()


def kept(cache: Cache) -> int:
    return sum(file.stat().st_size for file in cache.folder.rglob("*") if file.is_file())


def test_what_was_fetched_is_not_fetched_again(tmp_path):
    cache = Cache(tmp_path / "cache", 1000)

    assert read(cache, "a", b"first") == b"first"
    assert read(cache, "a", b"second") == b"first"
    assert read(Cache(tmp_path / "cache", 1000), "a", b"third") == b"first"
    cache.forget("a")
    assert read(cache, "a", b"fourth") == b"fourth"


def test_within_its_limit_those_stay_that_were_used_last(tmp_path):
    cache = Cache(tmp_path, 1000)
    for number in range(9):
        read(cache, str(number), bytes(100))
        os.utime(cache.file_of(str(number)), (time.time() - 1000 + number, 1))
    read(cache, "0", b"again")  # used last, though it came first

    read(cache, "large", bytes(400))

    assert kept(cache) <= 1000
    assert cache.file_of("0").exists()
    assert cache.file_of("large").exists()
    assert not cache.file_of("1").exists()
    assert cache.file_of("8").exists()


def test_what_is_too_large_for_the_cache_is_read_all_the_same(tmp_path):
    cache = Cache(tmp_path, 10)
    assert read(cache, "large", bytes(1000)) == bytes(1000)
    os.utime(cache.file_of("large"), (time.time() + 60, 1))  # a clock has its steps: it may even seem to be newer
    assert read(cache, "next", bytes(5)) == bytes(5)
    assert kept(cache) == 5


def test_a_fetch_that_fails_leaves_nothing(tmp_path):
    cache = Cache(tmp_path, 1000)

    def fail(to: Path) -> None:
        to.write_bytes(b"half")
        raise BucketError("gone")

    with pytest.raises(BucketError, match="gone"):
        cache.opened("a", fail)
    assert kept(cache) == 0
    assert read(cache, "a", b"whole") == b"whole"


def test_what_a_killed_process_left_on_its_way_goes(tmp_path):
    old, new = tmp_path / ".coming-old", tmp_path / ".coming-new"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (1, 1))

    read(Cache(tmp_path, 1000), "a", b"x")

    assert not old.exists()
    assert new.exists()


def test_processes_that_share_a_small_cache_each_read_what_they_asked_for(tmp_path):
    script = (
        "import os, sys, random\nfrom pathlib import Path\nfrom tonesmith.buckets.cache import Cache\n"
        f"cache, moments = Cache(Path({str(tmp_path)!r}), 20_000), random.Random(int(sys.argv[1]))\n"
        "for _ in range(400):\n"
        "    number = moments.randrange(40)\n"
        "    content = bytes([number]) * 1000\n"
        "    with os.fdopen(cache.opened(str(number), lambda to: to.write_bytes(content)), 'rb') as file:\n"
        "        assert file.read() == content, number\n"
    )
    readers = [subprocess.Popen([sys.executable, "-c", script, str(seed)]) for seed in range(3)]
    assert [reader.wait(100) for reader in readers] == [0, 0, 0]
    assert kept(Cache(tmp_path, 0)) <= 30_000


def test_a_cache_that_cannot_be_written_says_where_it_is(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BucketError, match=r"file/cache cannot be written.*--cache DIR"):
        read(Cache(tmp_path / "file" / "cache", 10), "a", b"x")


@pytest.mark.parametrize(
    ("text", "nbytes"), [("0", 0), ("500MB", 500 * 10**6), ("1.5 GiB", 3 * 2**29), ("2tb", 2 * 10**12)]
)
def test_a_size_is_read_as_a_person_writes_it(text, nbytes):
    assert bytes_of(text) == nbytes


def test_a_size_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("TONESMITH_BUCKET_CACHE_SIZE", "plenty")
    with pytest.raises(ConfigError, match="'plenty' is no size"):
        user_cache()
