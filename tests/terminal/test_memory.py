from __future__ import annotations

import pytest

from tonesmith.terminal.memory import memory_of, memory_text


@pytest.mark.parametrize(
    ("written", "nbytes"),
    [("2 GB", 2 * 10**9), ("1.5gb", 15 * 10**8), ("512 MiB", 2**29), ("2000000", 2_000_000), ("0", 0), (10**6, 10**6)],
)
def test_an_amount_of_memory_is_read_as_people_write_it(written, nbytes):
    assert memory_of(written) == nbytes


@pytest.mark.parametrize("written", ["2 XB", "", "-2 GB", "2 GB more", "many"])
def test_what_is_no_amount_is_told_with_an_example(written):
    with pytest.raises(ValueError, match=r"is no amount of memory\. Expected a text such as '2 GB', or bytes"):
        memory_of(written)


@pytest.mark.parametrize("written", [5, "999 KB", -1, "99999999999 GB"])
def test_a_limit_that_nothing_could_keep_is_refused(written):
    with pytest.raises(ValueError, match="Expected 1 MB or more, or 0 for no limit"):
        memory_of(written)


@pytest.mark.parametrize("written", ["2 GB", "1 GiB", "1500 MB", "1000001 B", "0 B"])
def test_an_amount_is_shown_as_it_is_read(written):
    assert memory_text(memory_of(written)) == written
