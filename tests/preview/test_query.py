"""The language of filters."""

from __future__ import annotations

import pytest

from tonesmith.preview.lists.query import LONGEST, Compared, Every, Not, QueryError, Some, Text, parse


def compared(name: str, operator: str, value: str) -> Compared:
    return Compared(name, operator, value)


def placeless(query: object) -> object:
    match query:
        case Compared(name, operator, value):
            return Compared(name, operator, value)
        case Not(of):
            return Not(placeless(of))
        case Every(parts):
            return Every(tuple(map(placeless, parts)))
        case Some(parts):
            return Some(tuple(map(placeless, parts)))
    return query


A, B, C = compared("a", ">", "1"), compared("b", "=", "x y"), compared("c", "~", "z")


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Every(())),
        ("  pad ", Text("pad")),
        ("warm pad", Every((Text("warm"), Text("pad")))),
        ("a>1", A),
        ("a == 1", compared("a", "=", "1")),
        ("a != -2.5e3", compared("a", "!=", "-2.5e3")),
        ("a > 1 and b = 'x y' or c ~ z", Some((Every((A, B)), C))),
        ('a > 1 AND (b = "x y" Or c ~ z)', Every((A, Some((B, C))))),
        ("not a > 1 c ~ z", Every((Not(A), C))),
        ("not not (a > 1)", Not(Not(A))),
        ('")" (b = "x y")', Every((Text(")"), B))),
        ("'and' = 1", compared("and", "=", "1")),
        ("größe >= 3", compared("größe", ">=", "3")),
    ],
)
def test_a_filter_is_read(text: str, query: object) -> None:
    assert placeless(parse(text)) == query


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("a >", 3, "expected a value after '>'"),
        ("a > and", 4, None),
        ("a = = 3", 4, "expected a value"),
        ("(a > 1", 0, "this ( is not closed"),
        ("a > 1)", 5, "there is no ( for this )"),
        ("a ! 3", 2, "'!' is no operator. Did you mean '!='"),
        ("a = 'x", 4, "this quote is not closed"),
        ("and a", 0, "expected a name or a text before 'and'"),
        ("a or", 4, "expected a name or a text here"),
        ("> 3", 0, "expected a name or a text before '>'"),
        ("()", 1, "expected a name or a text before ')'"),
        ("(" * 60, 33, "more than 32 parentheses"),
        ("not " * 200, 132, "more than 32 parentheses"),
        ("x" * (LONGEST + 1), LONGEST, "at most 1,000 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, place: int, told: str | None) -> None:
    if told is None:
        assert placeless(parse(text)) == compared("a", ">", "and")
        return
    with pytest.raises(QueryError) as raised:
        parse(text)
    assert (raised.value.place, told in str(raised.value)) == (place, True), str(raised.value)
    assert str(raised.value).startswith(f"column {place + 1}: ")
