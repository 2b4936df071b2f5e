"""The composition: defaults under the file, flags over it, and errors that say where."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from tonesmith import ConfigError
from tonesmith.api import composed
from tonesmith.host.composition import compose, load_config
from tonesmith.host.config import Config
from tonesmith.host.registry import Host
from tonesmith.host.toml import TomlSource, locate, parse_toml

HOST = Host(allowed="")


def composition(text: str = "", **overrides: Any) -> Config:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return compose(parse_toml(text, "plugins.toml"), dotted, host=HOST)


def complaint(text: str = "", **overrides: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        composition(text, **overrides)
    return str(caught.value)


def test_the_defaults_equal_the_file_at_the_root() -> None:
    assert load_config(ROOT / "plugins.toml", host=HOST) == composition()


def test_the_file_here_is_read_and_without_one_the_defaults_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(host=HOST) == composition()
    (tmp_path / "plugins.toml").write_text("[plan]\npatches = 7\n")
    assert load_config(host=HOST).plan.patches == 7
    (tmp_path / "other.toml").write_text("[plan]\npatches = 8\n")
    assert load_config(Path("other.toml"), host=HOST).plan.patches == 8


def test_flags_win_over_the_file_and_the_file_over_the_defaults() -> None:
    config = composition("[plan]\npatches = 7\nseed = 5\n", plan__patches=9)
    assert (config.plan.patches, config.plan.seed, config.plan.block) == (9, 5, 16)


def test_limits_stand_for_the_keys_of_other_tables() -> None:
    gathered = composition(
        '[limits]\nseconds = 7\nmemory = "2 GB"\nload_seconds = 9\nload_memory = "1 GB"\n[plan]\npatches = 3\n'
    )
    apart = composition(
        '[plan]\npatches = 3\ntimeout = 7\nmemory = "2 GB"\n[run]\nload_seconds = 9\nload_memory = "1 GB"\n'
    )

    assert gathered == apart == composition(gathered.to_toml())
    assert composition("[limits]\nseconds = 7", limits__seconds=8).plan.timeout == 8
    assert complaint("[limits]\nseconds = 0").startswith("plugins.toml:2: plan.timeout")
    assert "limits.time: is unknown. The keys of [limits] are seconds, memory" in complaint("[limits]\ntime = 1")
    assert "limits.seconds: is plan.timeout, which is given too" in complaint(
        "[limits]\nseconds = 7\n[plan]\ntimeout = 8"
    )
    assert "limits: must be a table" in complaint("limits = 7")


def test_short_forms_mean_the_tables_they_are_short_for() -> None:
    short = composition('backend = "vita"\nvalidators = ["loudness", "level"]\n')
    assert short == composition('[backend]\nname = "vita"\n[validators.loudness]\n[validators.level]\n')
    assert [v.name for v in short.validators] == ["loudness", "level"]
    assert composition("validators = []").validators == ()


def test_another_plugin_drops_the_options_that_belong_to_the_one_in_the_file() -> None:
    file = '[sampler]\nname = "lhs"\njitter = false\n'
    assert composition(file, sampler="sobol").sampler.name == "sobol"
    assert composition(file, sampler="lhs").sampler.options == {"jitter": False}
    assert composition("[sampler]\njitter = false\n", sampler="uniform").sampler.name == "uniform"


def test_an_option_goes_to_the_plugin_that_is_named_with_it_in_any_order() -> None:
    config = composition('[sampler]\nname = "sobol"\n', sampler__jitter=False, sampler__name="lhs")
    assert config.sampler.options == {"jitter": False}


def test_naming_validators_chooses_them_and_keeps_their_options() -> None:
    file = "[validators.level]\nsilence = -50.0\n[validators.loudness]\n"
    config = composition(file, validators=["level"])
    assert [(v.name, v.options["silence"]) for v in config.validators] == [("level", -50.0)]
    assert composition(file, validators__level__silence=-40.0).validators[0].options["silence"] == -40.0
    assert "'loudness' is not in use here" in complaint("[validators.level]", validators__loudness__minimum=-30.0)


def test_fixes_and_ranges_are_added_to_those_of_the_file() -> None:
    config = composition(
        "[space]\nfix = { a = 1.0, b = 2.0 }\n", **{"space.fix.b": 3, "space.fix.c.d": "Sine", "space.ranges.e": [0, 1]}
    )
    assert config.space.fix == {"a": 1.0, "b": 3.0, "c.d": "Sine"}
    assert config.space.ranges == {"e": (0.0, 1.0)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[plan]\n\npatchs = 3", "plugins.toml:3: plan.patchs: unknown key 'patchs'. Did you mean 'patches'? Known:"),
        ("[backend]\nteir = 1", "plugins.toml:2: backend.teir: unknown key 'teir'. Did you mean 'tier'? Known:"),
        ("[plam]", "plugins.toml:1: plam: unknown table 'plam'. Did you mean 'plan'?"),
        ("patches = 3", "plugins.toml:1: patches: unknown table 'patches'."),
        (
            "[plan]\npatches = 0",
            "plugins.toml:2: plan.patches: 0 is not allowed. Expected an integer from 1 to 1,000,000,000.",
        ),
        ("[plan]\nseed = true", "plugins.toml:2: plan.seed: true is not allowed."),
        ("[plan]\nseed = 1.0", "plugins.toml:2: plan.seed: 1.0 is not allowed."),
        (
            '[plan]\ntimeout = "9"',
            'plugins.toml:2: plan.timeout: "9" is not allowed. Expected a number above 0 and up to 3600.',
        ),
        ("[plan]\ntimeout = nan", "plugins.toml:2: plan.timeout: NaN is not allowed."),
        ("[plan]\ntimeout = 1979-05-27", 'plugins.toml:2: plan.timeout: "1979-05-27" is not allowed.'),
        ("plan = 3", "plugins.toml:1: plan: must be a table."),
        ("backend = 3", "plugins.toml:1: backend: must be a table or a name."),
        ("[notes]\npitches = [\n  60,\n  200,\n]", "plugins.toml:4: notes.pitches[1]: 200 is not allowed."),
        (
            "[notes]\npitches = []",
            "plugins.toml:2: notes.pitches: [] is not allowed. Expected a non-empty list of integers from 0 to 127.",
        ),
        ("[notes]\n\nhold = [1.0, 2.0]", "plugins.toml:1: notes: hold = [low, high] is a range and needs draw"),
        (
            "[notes]\nhold = 'x'",
            'plugins.toml:2: notes.hold: "x" is not allowed. Expected a number above 0 and up to 60, or [low, high].',
        ),
        ("[space]\nfix = { a = true }", "plugins.toml:2: space.fix.a: true is not allowed. Expected a number or text."),
        ("backend = 'vitta'", "plugins.toml:1: backend.name: unknown backend 'vitta'. Did you mean 'vita'?"),
        ("\n[sampler]\nname = 'sobel'", "plugins.toml:3: sampler.name: unknown sampler 'sobel'. Did you mean 'sobol'?"),
        ("validators = ['levle']", "plugins.toml:1: validators.levle: unknown validator 'levle'. Did you mean 'level'"),
        ("validators = ['level', 'level']", "plugins.toml:1: validators: lists a validator twice."),
        ("[validators]\nlevel = 3", "plugins.toml:2: validators.level: must be a table of options."),
        ("[validators.level]\nsilence = 5", "plugins.toml:2: validators.level.silence: 5 is not allowed."),
        ("[sink]\nlevel = 10", "plugins.toml:2: sink.level: 10 is not allowed. Expected an integer from 0 to 9."),
        ("[sink]\nencoding = 'int42'", "Expected one of float32, int24, float16. Did you mean 'int24'?"),
    ],
)
def test_an_error_names_the_line_the_key_what_is_allowed_and_the_nearest(text: str, told: str) -> None:
    assert told in complaint(text)


def test_every_error_is_told_in_the_order_of_the_file() -> None:
    lines = complaint("[sink]\nlevel = 10\n[plan]\nseed = -1\nblock = 0\n").splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["plugins.toml:2", "sink.level"],
        ["plugins.toml:4", "plan.seed"],
        ["plugins.toml:5", "plan.block"],
    ]


def test_an_override_is_told_by_its_key_or_its_flag_and_not_by_a_line() -> None:
    file = parse_toml("[plan]\nseed = 1\n", "plugins.toml")
    with pytest.raises(ConfigError, match=r"^plan\.seed: -1 is not allowed"):
        compose(file, {"plan.seed": -1}, host=HOST)
    with pytest.raises(ConfigError, match=r"^--seed: -1 is not allowed"):
        compose(file, {"plan.seed": -1}, host=HOST, spelled={"plan.seed": "--seed"})


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = \n", 2), ("[a]\nx = 1\nx = 2\n", 3), ('a = """\n\n', 3)])
def test_text_that_is_not_toml_is_told_by_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"bad\.toml:{line}: not TOML: "):
        load_config(path, host=HOST)


def test_a_file_that_is_missing_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load_config(tmp_path / "none.toml", host=HOST)
    (tmp_path / "binary.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match=r"binary\.toml: is not UTF-8"):
        load_config(tmp_path / "binary.toml", host=HOST)


_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "plan.patches": st.integers(1, 10**9),
        "plan.seed": st.integers(0, 2**63 - 1),
        "plan.timeout": st.floats(0.0, 3600.0, exclude_min=True) | st.integers(1, 3600),
        "plan.isolation": st.sampled_from(["auto", "fresh"]),
        "run.workers": st.integers(0, 1024),
        "notes.pitches": st.lists(st.integers(0, 127), min_size=1, max_size=5, unique=True),
        "notes.hold": st.floats(0.0, 60.0, exclude_min=True),
        "space.include": st.lists(_WORDS, max_size=3),
        "space.exclude": st.lists(_WORDS, max_size=3),
        "space.fix": st.dictionaries(_WORDS, _NUMBERS | _WORDS, max_size=3),
        "space.ranges": st.dictionaries(_WORDS, st.tuples(_NUMBERS, _NUMBERS), max_size=3),
        "space.weights": st.dictionaries(_WORDS, st.dictionaries(_WORDS, _NUMBERS, max_size=2), max_size=2),
        "backend.tier": st.integers(1, 3),
        "sampler": st.sampled_from(["lhs", "sobol", {"name": "lhs", "jitter": False}]),
        "validators": st.sampled_from([[], ["level"], ["loudness", "level"], {"level": {"silence": -31}}]),
        "sink.level": st.integers(0, 9),
    },
)


@given(_SETTINGS)
def test_the_resolved_toml_loads_to_an_equal_composition(overrides: dict[str, Any]) -> None:
    config = compose(TomlSource("", {}), overrides, host=HOST)
    assert compose(parse_toml(config.to_toml(), "saved.toml"), {}, host=HOST) == config
    assert composed(config, {}, host=HOST) == config


def test_settings_from_python_are_those_of_the_toml() -> None:
    config = composed(
        None,
        {"patches": 3, "backend": {"tier": 2}, "sampler": "sobol", "notes": {"pitches": (60,)}},
        workers=1,
        host=HOST,
    )
    assert config == composition(
        'sampler = "sobol"\n[plan]\npatches = 3\n[run]\nworkers = 1\n[backend]\ntier = 2\n[notes]\npitches = [60]\n'
    )
    with pytest.raises(ConfigError, match="unknown table 'patchs'"):
        composed(None, {"patchs": 3}, host=HOST)


_TRICKY = '''\
# [not.a.table]
top = "a # no comment" # a comment
[ a . "b.c" ] # [d]
text = """
x = 1
[nor.this]
\\""" still""""
raw = \'\'\'
# y = 2 \'\'\'
list = [ # [
  1,
  { in = 3, "q]" = "}" }, # ]
  [ "a,b", 2 ],
]
dotted.'k e y'.z = 1979-05-27 07:32:00
inline = { p = { q = 1 }, r.s = [ ] }
"\\u00e9\\"" = 0
[[many]]
one = 1
[many.sub]
two = 2
[[many]]
one = 1
'''


def test_the_locator_is_not_fooled() -> None:
    lines = locate(_TRICKY)
    b = ("a", "b.c")
    expected = {
        ("top",): 2,
        ("a",): 3,
        b: 3,
        (*b, "text"): 4,
        (*b, "raw"): 8,
        (*b, "list"): 10,
        (*b, "list", 0): 11,
        (*b, "list", 1, "in"): 12,
        (*b, "list", 1, "q]"): 12,
        (*b, "list", 2, 1): 13,
        (*b, "dotted", "k e y", "z"): 15,
        (*b, "inline", "p", "q"): 16,
        (*b, "inline", "r", "s"): 16,
        (*b, 'é"'): 17,
        ("many", 0, "one"): 19,
        ("many", 0, "sub", "two"): 21,
        ("many", 1, "one"): 23,
    }
    assert {path: lines.get(path) for path in expected} == expected
    assert {path for path in lines if not isinstance(path[-1], int)} == set(_keys(tomllib.loads(_TRICKY)))
    assert locate(_TRICKY.replace("\n", "\r\n")) == lines


def _keys(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = []
    if isinstance(data, dict):
        for key, value in data.items():
            found += [(*path, key), *_keys(value, (*path, key))]
    elif isinstance(data, list):
        for index, value in enumerate(data):
            found += _keys(value, (*path, index))
    return found


_KEYS = st.text(st.characters(codec="utf-8"), max_size=6)
_VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5), st.booleans())
def test_the_locator_finds_every_key_on_the_line_where_it_is_written(data: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(data, multiline_strings=multiline)
    lines, rows = locate(text), text.replace("\r\n", "\n").split("\n")
    for path in _keys(tomllib.loads(text)):
        written = tomli_w.dumps({str(path[-1]): 0}).removesuffix(" = 0\n")
        assert written in rows[lines[path] - 1]


def test_paths_of_presets_are_relative_to_the_file_that_names_them_or_to_where_the_flag_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.toml").write_text('[presets]\npaths = ["bank", "/abs/x.vital", "~/own"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    config = load_config(Path("deep/a.toml"), host=HOST)
    assert config.presets.paths == (str(tmp_path / "deep/bank"), "/abs/x.vital", "/home/me/own")
    typed = load_config(Path("deep/a.toml"), {"presets.paths": ["bank"]}, host=HOST)
    assert typed.presets.paths == (str(tmp_path / "bank"),)
    assert compose(parse_toml(config.to_toml(), "else.toml"), {}, host=HOST) == config


def test_a_shape_file_lies_between_the_backends_shape_and_the_space_table(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('shape = "tier 2"\nexclude = ["lfo_*"]\n[ranges]\nvolume = [4000, 5000]\n')
    (tmp_path / "mine.toml").write_text('[space]\nshape = "base.toml"\n[space.ranges]\nvolume = [4500, 5000]\n')
    (tmp_path / "run.toml").write_text('[space]\nshape = "mine.toml"\nexclude = ["osc_*"]\n')
    space = load_config(tmp_path / "run.toml", host=HOST).space
    assert space.shape == "tier 2"
    assert space.exclude == ("lfo_*", "osc_*")
    assert space.ranges == {"volume": (4500.0, 5000.0)}


def test_a_wrong_shape_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    assert "unknown shape 'tier 9'. Did you mean 'tier" in complaint('[space]\nshape = "tier 9"\n')
    (tmp_path / "a.toml").write_text('shape = "a.toml"\n')
    (tmp_path / "b.toml").write_text('inclde = ["x"]\n')
    for name, said in (("a", "starts from itself"), ("b", "b.toml:1: inclde: unknown key"), ("c", "cannot be read")):
        (tmp_path / "run.toml").write_text(f'[space]\nshape = "{name}.toml"\n')
        with pytest.raises(ConfigError, match=rf"run.toml:2: space.shape: .*{said}"):
            load_config(tmp_path / "run.toml", host=HOST)
