"""Which blocks a share has, and what is said of one that cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonesmith.errors import ConfigError
from tonesmith.plan.share import Share, gaps, ranges_of, share_of, spelled


@given(total=st.integers(1, 500), parts=st.integers(1, 500))
def test_the_parts_of_a_plan_have_each_block_once_and_differ_by_one_block_at_most(total, parts):
    parts = min(parts, total)
    made = [list(share_of(total, None, f"{number}/{parts}")) for number in range(1, parts + 1)]

    assert [block for part in made for block in part] == list(range(total))
    assert max(map(len, made)) - min(map(len, made)) <= 1


@given(blocks=st.sets(st.integers(0, 99), min_size=1))
def test_what_is_spelled_is_read_again(blocks):
    text = spelled(ranges_of(blocks))

    assert list(share_of(100, text, None)) == sorted(blocks)
    assert str(share_of(100, blocks, None)) == text


@given(blocks=st.sets(st.integers(0, 99)))
def test_the_gaps_between_blocks_have_all_others(blocks):
    assert gaps(blocks, 100) == ranges_of(set(range(100)) - blocks)


@pytest.mark.parametrize(
    ("blocks", "share", "made"),
    [
        ("0:50,70", None, [*range(50), 70]),
        ("99", None, [99]),
        (" 5:7 , 1:3,2:6 ", None, [1, 2, 3, 4, 5, 6]),
        (range(3, 6), None, [3, 4, 5]),
        ([7, 2, 7], None, [2, 7]),
        (None, "3/20", [10, 11, 12, 13, 14]),
        (None, (3, 20), [10, 11, 12, 13, 14]),
        (None, "1/1", list(range(100))),
    ],
)
def test_a_share_is_told_by_its_blocks_or_as_a_part(blocks, share, made):
    found = share_of(100, blocks, share)

    assert list(found) == made
    assert len(found) == len(made)


def test_without_either_there_is_no_share():
    assert share_of(100, None, None) is None


@pytest.mark.parametrize(
    ("blocks", "share", "said"),
    [
        ("50:0", None, r"blocks: 50:0 is empty"),
        ("5:5", None, r"blocks: 5:5 is empty"),
        ("0:101", None, r"blocks: block 100 is not in the plan, which has 100 blocks: 0 to 99\."),
        ("200:300", None, r"blocks: block 200 is not in the plan"),
        ("3,100", None, r"blocks: block 100 is not"),
        ([-1], None, r"blocks: block -1 is not"),
        ([], None, r"blocks: there is no block in it"),
        ([1.5], None, r"blocks: a block is a whole number"),
        ("", None, r"blocks: '' is no block"),
        ("1-5", None, r"blocks: '1-5' is no block .* Write FIRST:END"),
        ("٣", None, r"is no block"),
        ("1:" + "9" * 5000, None, r"is no block"),
        (None, "0/20", r"share: there is no part 0 of 20\. They are numbered from 1 to 20"),
        (None, "21/20", r"share: there is no part 21 of 20"),
        (None, "1/0", r"share: there is no part 1 of 0"),
        (None, "3-20", r"share: '3-20' is no share\. Write PART/PARTS"),
        (None, (1, 2, 3), r"share: '1/2/3' is no share"),
        (None, "1/101", r"share: part 1 of 101 is empty, because the plan has 100 blocks\. Use at most 100 parts"),
        ("0:1", "1/2", r"blocks and share both choose"),
    ],
)
def test_a_share_that_cannot_be_is_refused_in_a_sentence(blocks, share, said):
    with pytest.raises(ConfigError, match=said):
        share_of(100, blocks, share)


def test_a_share_of_a_huge_plan_costs_no_memory():
    whole = range(10**9)
    assert share_of(10**9, f"0:{10**9}", None) == share_of(10**9, whole, None) == Share((whole,))
