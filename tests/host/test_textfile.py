from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonesmith.host.textfile import decoded, read_text

TEXT = '{"Größe": "大きさ 🎹"}'


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode() + b"\0",
        TEXT.encode() + b"\0left over from a longer file",
        codecs.BOM_UTF16_LE + f"{TEXT}\0".encode("utf-16-le"),
    ],
    ids=["utf-8", "utf-8 bom", "utf-16-le", "utf-16-be", "nul", "nul and more", "utf-16 nul"],
)
def test_a_text_is_the_same_in_every_encoding(content: bytes, tmp_path):
    path = tmp_path / "text"
    path.write_bytes(content)
    assert read_text(path) == TEXT


def test_what_is_not_utf_8_is_read_in_the_code_page_of_windows():
    assert decoded("Größe: 20 €".encode("cp1252")) == "Größe: 20 €"
    assert decoded(b"\xff\x81") == "ÿ\x81"  # a byte that the code page does not define is kept


@given(st.binary(max_size=200))
def test_no_bytes_are_refused(content: bytes):
    assert "\0" not in decoded(content)


@given(st.text(alphabet=st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"])))
def test_utf_8_is_kept_to_the_letter(text: str):
    assert decoded(text.encode()) == text
