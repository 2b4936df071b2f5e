"""The schema for editors says of a composition what the parser says, and a real editor's linter reads it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT
from support.documents import DOCUMENTS, blocks_of

from tonesmith.errors import ConfigError
from tonesmith.host.composition import compose, load_config
from tonesmith.host.editor_schema import composition_schema
from tonesmith.host.registry import Host
from tonesmith.host.toml import TomlSource

SCHEMA = composition_schema(Host.load())
NAME = "tonesmith.schema.json"
TOMBI = Path(sys.executable).parent / "tombi"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / NAME).write_text(json.dumps(SCHEMA))
    environment = {"NO_COLOR": "1", "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [TOMBI, "lint", "--offline", "--error-on-warnings", "."],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_editor_accepts_every_composition_of_the_docs_and_of_the_repository(tmp_path):
    texts = {"plugins": (ROOT / "plugins.toml").read_text(), "saved": load_config(ROOT / "plugins.toml").to_toml()}
    for page in [*DOCUMENTS, *(ROOT / "examples").glob("*/README.md")]:
        for block in blocks_of(page):
            another = (
                block.marker.endswith("pyproject.toml") or "composition" in block.marker or "corpus" in block.marker
            )
            if block.language == "toml" and not another:
                texts[f"{page.stem}-{block.line}"] = block.text
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(f"#:schema ./{NAME}\n{text}")
    done = lint(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(texts)} files linted" in done.stdout + done.stderr
    assert len(texts) > 15


_WRONG = f"""#:schema ./{NAME}
validators = ["level", "levle"]

[plan]
sed = 1
patches = 0

[backend]
name = "vita"
tier = 4

[sampler]
name = "lsh"

[features.mel]
bands = 1.5

[sinks]
"""


def test_an_editor_points_at_each_mistake_with_line_and_column(tmp_path):
    (tmp_path / "wrong.toml").write_text(_WRONG)
    done = lint(tmp_path)
    assert done.returncode == 1
    at = re.findall(r"at \./wrong\.toml:(\d+:\d+)", done.stdout + done.stderr)
    assert {"2:24", "5:1", "6:11", "10:8", "13:8", "16:9", "18:1"} == set(at), done.stdout + done.stderr


def _is_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TOML = jsonschema.Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer)  # 1.0 is no integer of TOML
_VALIDATOR = jsonschema.validators.extend(jsonschema.Draft7Validator, type_checker=_TOML)(SCHEMA)

_RULES = re.compile(
    # what hangs on a value, or on another key
    r"unknown (shape|spec) |sampler\.parts|for no limit|is (plan|run)\.\w+, which is given too"
    r"|^\S+: (?!.*(is not allowed\. Expected|unknown|must be a table|lists a \w+ twice))"
)


def values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that a schema allows."""
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return st.sampled_from(choices)
    if parts := [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        return st.one_of([values(part) for part in parts])
    of_type = {"integer": _numbers, "number": _numbers, "string": _texts, "array": _lists, "object": _objects}
    return st.booleans() if schema["type"] == "boolean" else of_type[schema["type"]](schema)


def _texts(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "pattern" in schema:
        return st.sampled_from(["2 GB", "512MiB", "1000000", " 3.5 gb "])
    return st.text("az:*", min_size=schema.get("minLength", 0), max_size=4)


def _lists(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if isinstance(schema["items"], list):
        return st.tuples(*map(values, schema["items"])).map(list)
    least = schema.get("minItems", 0)
    return st.lists(values(schema["items"]), min_size=least, max_size=least + 2, unique_by=json.dumps)


def _numbers(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1000))
    high = schema.get("maximum", schema.get("exclusiveMaximum", 1000))
    if schema["type"] == "integer":
        return st.integers(low, high)
    ends = {"exclude_min": "exclusiveMinimum" in schema, "exclude_max": "exclusiveMaximum" in schema}
    return st.floats(low, high, allow_nan=False, **ends)


def _objects(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    known = {key: values(inner) for key, inner in schema.get("properties", {}).items()}
    needed = {key: known.pop(key) for key in schema.get("required", ())}
    more = schema.get("additionalProperties")
    if not known and isinstance(more, Mapping):
        return st.dictionaries(st.text("abc*", min_size=1, max_size=3), values(more), max_size=2)
    some = st.lists(st.sampled_from(sorted(known)), max_size=3, unique=True) if known else st.just([])
    return some.flatmap(lambda keys: st.fixed_dictionaries(needed | {key: known[key] for key in keys}))


_ANYTHING = st.one_of(
    st.integers(-5, 10**10), st.floats(-10, 10), st.booleans(), st.text("ab", max_size=2), st.just([]), st.just({}),
    st.lists(st.integers(0, 200), max_size=3), st.just({"name": "lhs"}), st.just({"zz": 1}),
)  # fmt: skip


_VALID = values(SCHEMA)


@st.composite
def disturbed(draw: Any) -> Any:
    """Return a composition of which one value, somewhere, is any other, or one key is unknown."""
    whole = draw(_VALID)
    place = whole
    while isinstance(place, dict) and place:
        key = draw(st.sampled_from(sorted(place)))
        if not (isinstance(place[key], dict | list) and place[key] and draw(st.booleans())):
            place[draw(st.sampled_from([key, "zz"]))] = draw(_ANYTHING)
            return whole
        place = place[key]
    if isinstance(place, list) and place:
        place[draw(st.integers(0, len(place) - 1))] = draw(_ANYTHING)
    return whole


def refusals(data: Any) -> list[str]:
    """Return the lines in which the parser refuses a composition, but for rules that no schema holds."""
    try:
        compose(TomlSource("", data), {})
    except ConfigError as error:
        return [line for line in str(error).splitlines() if not _RULES.search(line)]
    return []


@settings(deadline=None, max_examples=25)
@given(_VALID)
def test_the_parser_takes_what_the_schema_allows(data):
    assert not [error.message for error in _VALIDATOR.iter_errors(data)]
    assert refusals(data) == []


@settings(deadline=None, max_examples=60)
@given(disturbed())
def test_what_one_of_both_refuses_the_other_refuses_too(data):
    allowed = _VALIDATOR.is_valid(data)
    try:
        compose(TomlSource("", data), {})
    except ConfigError:
        assert not allowed or refusals(data) == []
    else:
        assert allowed, [error.message for error in _VALIDATOR.iter_errors(data)]


def test_plugins_of_third_parties_are_in_it_with_their_bounds(chaos):
    backend = composition_schema(Host.load())["properties"]["backend"]
    assert "chaos" in backend["anyOf"][0]["enum"]
    table = next(t for t in backend["anyOf"][1]["oneOf"] if t["properties"]["name"]["const"] == "chaos")
    assert "faults" in table["properties"]
    assert table["required"] == ["name"]
    assert not table["additionalProperties"]
