from __future__ import annotations

import base64
import copy
import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from support import PRESETS

from tonesmith import generate, open_dataset
from tonesmith.api import composed
from tonesmith.backends.vita.preset import preset_json, read_text
from tonesmith.dataset.verify import check_renders
from tonesmith.engine.client import Engine
from tonesmith.errors import ConfigError, EngineError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.asset_store import AssetStore
from tonesmith.presets.collections import Collection, write_manifest
from tonesmith.presets.files import preset_files
from tonesmith.presets.ingest import ingest
from tonesmith.run.resolve import resolve_plan
from tonesmith.space.patch import Patch
from tonesmith.space.preset import Preset

VITA = Host.load().find("backend", "vita")
Tree = dict[str, Any]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(PluginRef("vita", {}), Audio(44100, 0, 0), 1, "snapshot", asset={}.__getitem__) as made:
        yield made


@pytest.fixture(scope="module")
def init(engine: Engine) -> str:
    """Return the preset of Vital's default patch."""
    described = engine.describe(0.1, 0.1)
    assets = dict(described.space.assets)
    patch = Patch({p.name: p.default for p in described.space.parameters}, assets=assets)
    return preset_json(patch, described.assets, "init")


@pytest.fixture(scope="module")
def real() -> list[Path]:
    found = sorted((PRESETS / "vital").rglob("*.vital"))
    if not found:
        pytest.skip("the real presets are not beside the project")
    return found


def ingested(files: list[Path], **keywords: Any) -> Any:
    return ingest(files, VITA, {}, sample_rate=44100, **keywords)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


# Which files are read


def names(paths: list[str | Path], base: Path) -> list[str]:
    return [os.path.relpath(path, base) for path in preset_files(paths, (".vital",))]


def test_a_folder_is_searched_to_the_bottom_in_the_order_of_names_whatever_the_case_of_the_suffix(tmp_path):
    touch(tmp_path, "b.VITAL", "a.vital", "c.txt", "deep/er/d.Vital", "deep/.vital.bak")
    (tmp_path / "folder.vital").mkdir()

    assert names([tmp_path], tmp_path) == ["a.vital", "b.VITAL", "deep/er/d.Vital"]


def test_links_that_go_in_circles_end(tmp_path):
    touch(tmp_path, "in/a.vital")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    (tmp_path / "in" / "self.vital").symlink_to(tmp_path / "in" / "self.vital")
    (tmp_path / "in" / "dead.vital").symlink_to(tmp_path / "nothing")

    files = preset_files([tmp_path], (".vital",))
    found, refused = ingested(files)

    assert found == []
    assert [item.path.name for item in refused] == ["a.vital", "dead.vital", "self.vital"]
    assert "cannot be read" in refused[1].reason


def test_globs_reach_into_folders_and_a_file_named_in_full_may_have_any_suffix(tmp_path):
    touch(tmp_path, "x/a.vital", "x/y/b.vital", "x/y/c.json")

    assert names([f"{tmp_path}/**/*.vital"], tmp_path) == ["x/a.vital", "x/y/b.vital"]
    assert names([f"{tmp_path}/x/?.vital"], tmp_path) == ["x/a.vital"]
    assert names([f"{tmp_path}/x/y/*"], tmp_path) == ["x/y/b.vital"]
    assert names([tmp_path / "x/y/c.json", tmp_path / "x"], tmp_path) == ["x/y/c.json", "x/a.vital", "x/y/b.vital"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    touch(tmp_path, "lead [1].vital", "lead 1.vital")

    assert names([tmp_path / "lead [1].vital"], tmp_path) == ["lead [1].vital"]


def test_a_file_that_two_paths_name_is_read_once(tmp_path):
    touch(tmp_path, "a.vital")

    assert names([tmp_path, tmp_path / "a.vital", f"{tmp_path}/*"], tmp_path) == ["a.vital"]


@pytest.mark.parametrize(
    ("path", "said"),
    [("empty", "is a folder without presets"), ("nothing", "does not exist"), ("*.vital", "matches no preset")],
)
def test_a_path_without_presets_is_an_error_that_says_why(tmp_path, path, said):
    (tmp_path / "empty").mkdir()

    with pytest.raises(ConfigError, match=f"{said}. Give a .vital file, a folder or a glob"):
        preset_files([tmp_path / path], (".vital",))


# What is kept of them


def test_presets_come_in_the_order_of_their_hashes_whatever_their_names(tmp_path, init):
    texts = [init.replace('"preset_name": "init"', f'"preset_name": "{i}"') for i in range(4)]
    for folder, order in (("one", (0, 1, 2, 3)), ("two", (3, 1, 0, 2))):
        (tmp_path / folder).mkdir()
        for name, i in enumerate(order):
            (tmp_path / folder / f"{name}.vital").write_text(texts[i])

    one, two = (ingested(preset_files([tmp_path / f], (".vital",)), workers=2)[0] for f in ("one", "two"))

    shas = [found.preset.patch.preset for found in one]
    assert shas == sorted(shas) == [found.preset.patch.preset for found in two]
    assert [found.preset.name for found in one] == [found.preset.name for found in two]
    assert [found.preset.patch for found in one] == [found.preset.patch for found in two]


def test_equal_files_are_read_once_and_told_and_progress_counts_every_file(tmp_path, init):
    for name in ("a.vital", "b.vital", "c.vital"):
        (tmp_path / name).write_text(init)
    (tmp_path / "d.vital").write_text("{}")
    (tmp_path / "e.vital").write_text("{}")
    (tmp_path / "dead.vital").symlink_to(tmp_path / "nothing")
    steps: list[int] = []

    found, refused = ingested(preset_files([tmp_path], (".vital",)), workers=2, progress=steps.append)

    assert [(item.path.name, [c.name for c in item.copies]) for item in found] == [("a.vital", ["b.vital", "c.vital"])]
    assert [item.path.name for item in refused] == ["d.vital", "dead.vital", "e.vital"]
    assert sum(steps) == 6


def test_a_file_that_may_not_be_read_or_is_too_large_is_refused_unopened(tmp_path, init):
    (tmp_path / "huge.vital").touch()
    os.truncate(tmp_path / "huge.vital", 65 << 20)
    touch(tmp_path, "secret.vital")
    (tmp_path / "secret.vital").chmod(0)

    _, refused = ingested(preset_files([tmp_path], (".vital",)))

    assert refused[0].reason == "65 MB; presets of more than 64 MB are not opened"
    assert "Permission denied" in refused[1].reason or os.geteuid() == 0


def test_the_licence_is_that_of_the_collection_else_the_one_that_is_given(tmp_path, init):
    (tmp_path / "collection" / "deep").mkdir(parents=True)
    (tmp_path / "collection" / "deep" / "a.vital").write_text(init)
    (tmp_path / "b.vital").write_text(init.replace('"init"', '"other"').replace('"author": ""', '"author": "me"'))
    write_manifest(tmp_path / "collection", Collection("c", "https://x.org/c", licence="CC0-1.0", author="Someone"))

    found, _ = ingested(preset_files([tmp_path], (".vital",)), licence="MIT")

    told = {item.path.name: (item.preset.author, item.preset.licence) for item in found}
    assert told == {"a.vital": ("Someone", "CC0-1.0"), "b.vital": ("me", "MIT")}


def test_a_bad_file_is_left_out_or_with_strict_stops_everything(tmp_path, init):
    (tmp_path / "good.vital").write_text(init)
    (tmp_path / "bad.vital").write_text("no")

    def resolved(**presets: Any) -> Any:
        host = Host.load()
        changes = {"presets": {"paths": [str(tmp_path)], **presets}, "sampler": "presets", "patches": 1}
        return resolve_plan(composed(None, changes, host=host), host)

    made = resolved()
    assert len(made.plan.presets) == 1
    assert [item.path.name for item in made.refused] == ["bad.vital"]
    with pytest.raises(ConfigError, match=r"1 of 2 files cannot be read:\n.*bad.vital: .*not a Vital preset"):
        resolved(strict=True)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.long)])
def test_every_real_preset_is_read_with_all_that_it_holds(real, every):
    real = real[::every]
    found, refused = ingested(real, workers=2, store=(store := AssetStore()))

    assert refused == []
    assert len(found) == len(real) == 40 // every
    by_path = {item.path: item.preset for item in found}
    for path in real:
        preset, said = by_path[path], json.loads(path.read_text())["settings"]
        patch = preset.patch
        assert preset.author
        assert set(patch.assets.values()) <= set(store)
        assert len(patch.values) == 448
        assert len(patch.modulations) == sum(bool(m["source"] and m["destination"]) for m in said["modulations"])
        wrong = [name for name, value in patch.values.items() if np.float32(said.get(name, value)) != np.float32(value)]
        assert wrong == [], path.name
        for slot, lfo in enumerate(said["lfos"], 1):
            kept = json.loads(store[patch.assets[f"lfo_{slot}"]])
            assert np.float32(kept["points"]).tolist() == np.float32(lfo["points"]).tolist()


@pytest.mark.long
def test_every_real_preset_becomes_rows_that_render_again(real, tmp_path):
    generate(
        tmp_path / "d",
        patches=len(real),
        sampler="presets",
        presets={"paths": [str(path) for path in real]},
        notes={"pitches": [60], "hold": 0.3, "tail": 0.2},
        validators=[],
    )

    dataset = open_dataset(tmp_path / "d")
    assert {sha.tobytes() for sha in dataset.column("preset")} == {sha256(path.read_bytes()).digest() for path in real}
    assert [ref.sha256 for ref in dataset.plan.presets] == sorted(sha256(p.read_bytes()).hexdigest() for p in real)
    rows = list(range(0, len(dataset), 4))
    assert list(check_renders(dataset, rows, tmp_path / "d", Host.load(), int)) == []


# Hostile files


def audio(tree: Tree, **changes: Any) -> None:
    """Put audio into the first wavetable, with changes to the component or, as ``kf_...``, to its keyframe."""
    keyframe = {"position": 0, "start_position": 0.0, "window_fade": 1.0, "window_size": 2048.0}
    keyframe |= {key[3:]: value for key, value in changes.items() if key.startswith("kf_")}
    component = {
        "type": "Audio File Source",
        "audio_file": base64.b64encode(bytes(8000)).decode(),
        "audio_sample_rate": 24000,
        "fade_style": 0,
        "interpolation_style": 1,
        "normalize_gain": False,
        "normalize_mult": False,
        "phase_style": 2,
        "random_seed": 5,
        "window_size": 381.8,
        "keyframes": [keyframe, {**keyframe, "position": 256}],
    }
    component |= {key: value for key, value in changes.items() if not key.startswith("kf_")}
    tree["settings"]["wavetables"][0]["groups"][0]["components"] = [component]


def part(tree: Tree, *keys: str | int) -> Any:
    found: Any = tree["settings"]
    for key in keys:
        found = found[key]
    return found


def wave(*floats: float) -> str:
    return base64.b64encode(struct.pack("<2048f", *(floats * 2048)[:2048])).decode()


KEYFRAME = ("wavetables", 0, "groups", 0, "components", 0, "keyframes", 0)
COMPONENT = KEYFRAME[:-2]


def change(*place: str | int, **values: Any) -> Callable[[Tree], None]:
    return lambda tree: part(tree, *place).update(values)


def put(key: str, value: Any) -> Callable[[Tree], None]:
    return lambda tree: tree["settings"].update({key: value})


def copies(key: str, count: int) -> Callable[[Tree], None]:
    return lambda tree: tree["settings"].update({key: [part(tree, key, 0)] * count})


HOSTILE: dict[str, tuple[Callable[[Tree], None], str]] = {
    "65 modulations": (copies("modulations", 65), "65 modulations; Vital has room for 64"),
    "4 wavetables": (copies("wavetables", 4), "4 wavetables; Vital has room for 3"),
    "9 lfos": (copies("lfos", 9), "9 lfos; Vital has room for 8"),
    "modulations that are no list": (put("modulations", {"a": {}}), "its modulations are not a list"),
    "a modulation that is no table": (put("modulations", [7]), "modulation 1 is not a table"),
    "a wavetable that is no table": (put("wavetables", [None]), "wavetable 1 is not a table"),
    "oversampling 30": (put("oversampling", 30), "oversampling = 30 is outside 0..3"),
    "oversampling -1": (put("oversampling", -1), "oversampling = -1 is outside 0..3"),
    "a line of no points": (change("lfos", 0, num_points=0), "claims 0 points"),
    "a line of 101 points": (change("lfos", 0, num_points=101), "LFO 1 claims 101 points; Vital has room for 100"),
    "a line of a billion": (change("lfos", 0, num_points=10**9), "claims 1000000000 points"),
    "a line that lacks points": (change("lfos", 7, num_points=50), "LFO 8 claims 50 points, which it does not hold"),
    "a line that lacks powers": (change("lfos", 0, powers=[]), "which it does not hold"),
    "a line without count": (change("lfos", 0, num_points=None), "the line of LFO 1 has no points"),
    "a remapping of 10,000 points": (
        change("modulations", 0, line_mapping={"num_points": 10_000, "points": [], "powers": []}),
        "modulation 1 claims 10000 points",
    ),
    "a wavetable that is a bad line": (
        put("wavetables", [{"num_points": 999, "points": [], "powers": []}]),
        "wavetable 1 claims 999 points",
    ),
    "a component that Vital does not know": (change(*COMPONENT, type="Nope"), "a component of the unknown type 'Nope'"),
    "a component without type": (change(*COMPONENT, type=None), "unknown type None"),
    "33 components": (
        lambda t: part(t, *COMPONENT[:-1]).extend([part(t, *COMPONENT)] * 32),
        "wavetable 1 has components that are not a list of at most 32",
    ),
    "33 components in two groups": (
        lambda t: part(t, "wavetables", 0).update(
            groups=[{"components": [part(t, *COMPONENT)] * n} for n in (17, 16)],
        ),
        "33 components; up to 32",
    ),
    "33 groups": (
        lambda t: part(t, "wavetables", 0).update(groups=[part(t, *COMPONENT[:-2])] * 33),
        "wavetable 1 has groups that are not a list of at most 32",
    ),
    "keyframes without end": (
        lambda t: part(t, *COMPONENT).update(keyframes=[{"position": 0}] * 258),
        "keyframes that are not a list of at most 257",
    ),
    "keyframes over many components": (
        lambda t: part(t, *COMPONENT[:-1]).extend([{"type": "Line Source", "keyframes": [{"position": 0}] * 257}] * 3),
        "has 772 keyframes; up to 600",
    ),
    "a keyframe at 100,000": (change(*KEYFRAME, position=100_000), "position = 100000 is outside 0..256"),
    "a keyframe before the start": (change(*KEYFRAME, position=-1), "position = -1 is outside 0..256"),
    "a wave that is too short": (change(*KEYFRAME, wave_data="AAAA"), "a wave of 3 bytes; 8192 are needed"),
    "a wave that is not base64": (change(*KEYFRAME, wave_data="!" * 10924), "wave_data that are not base64"),
    "a wave that is a number": (change(*KEYFRAME, wave_data=7), "wave_data that are not base64"),
    "a wave of NaN": (change(*KEYFRAME, wave_data=wave(float("nan"))), "a wave that is not finite"),
    "a wave of infinity": (change(*KEYFRAME, wave_data=wave(0.0, float("inf"))), "a wave that is not finite"),
    "audio that fades for hours": (lambda t: audio(t, kf_window_fade=1e5), "window_fade = 100000 is outside 0..16"),
    "audio in no windows": (lambda t: audio(t, window_size=0), "window_size = 0 is outside 1..4e+06"),
    "audio in a huge window": (lambda t: audio(t, window_size=1e30), "window_size = 1e+30 is outside"),
    "a window before the audio": (lambda t: audio(t, kf_start_position=-1e6), "starts outside its audio, at -1e+06"),
    "a window after all audio": (lambda t: audio(t, kf_start_position=1e30), "starts outside its audio, at 1e+30"),
    "audio that is not base64": (lambda t: audio(t, audio_file="***"), "audio_file that are not base64"),
    "a sample of a billion frames": (change("sample", length=10**9), "claims 1000000000 frames"),
    "a sample of -5 frames": (change("sample", length=-5), "claims -5 frames"),
    "a sample ten times as long": (change("sample", length=441_000), "441000 frames, which its samples do not hold"),
    "a sample that lacks a side": (
        change("sample", samples_stereo="AAAA"),
        "which its samples_stereo do not hold",
    ),
    "a sample that is not base64": (change("sample", samples="!" * 117_600), "samples that are not base64"),
    "a sample at 0 Hz": (change("sample", sample_rate=0), "sample_rate = 0 is outside"),
    "a number beyond float32": (put("volume", 1e39), "a number that is not finite, or beyond float32"),
    "a whole number beyond float32": (put("volume", 10**300), "a number that is not finite, or beyond float32"),
    "nesting": (put("x", json.loads("[" * 40 + "]" * 40)), "nested deeper than 32 levels"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_would_harm_vital_is_refused_in_one_sentence_before_it_is_loaded(tmp_path, init, case):
    harm, said = HOSTILE[case]
    tree = json.loads(init)
    harm(tree)
    (tmp_path / "bad.vital").write_text(json.dumps(tree))

    with pytest.raises(EngineError) as raised:
        read_text((tmp_path / "bad.vital").read_bytes())

    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "not a Vital preset (JSONDecodeError"),
        (b'{"settings": NaN}', "NaN is not JSON"),
        (b'{"settings": {"volume": -Infinity}}', "-Infinity is not JSON"),
        (b'{"settings": ' + b"9" * 5000 + b"}", "not a Vital preset (ValueError"),
        (b"[" * 1_000_000, "not a Vital preset (RecursionError"),
        (b"[" + b"[]," * 700_000, "more than 1000000 values"),
        (b'{"settings": []}', "it has no settings"),
        (b'{"settings": {"modulations": []}}', "KeyError: 'wavetables'"),
    ],
    ids=range(8),
)
def test_what_is_no_preset_is_refused_quickly(tmp_path, content, said):
    (tmp_path / "bad.vital").write_bytes(content)
    started = time.monotonic()

    with pytest.raises(EngineError) as raised:
        read_text((tmp_path / "bad.vital").read_bytes())

    assert said in str(raised.value)
    assert time.monotonic() - started < 5.0


@pytest.mark.parametrize(
    "harm",
    [
        put("osc_1_level", "loud"),
        put("osc_1_level", None),
        put("sample", None),
        put("modulations", [{}]),
        lambda tree: tree.update(synth_version="99999.10.0"),
        lambda tree: tree.pop("synth_version"),
        lambda tree: tree.update(synth_version=7),
        change(*KEYFRAME, position="first"),
        change("lfos", 0, points=[[]] * 20),
    ],
    ids=range(9),
)
def test_what_only_vital_can_refuse_costs_one_sentence_and_the_next_preset_is_read(tmp_path, engine, init, harm):
    tree = json.loads(init)
    harm(tree)
    (tmp_path / "bad.vital").write_text(json.dumps(tree))
    (tmp_path / "good.vital").write_text(init)

    with pytest.raises(EngineError, match="Vital refused the preset"):
        engine.load_preset(tmp_path / "bad.vital")

    assert engine.load_preset(tmp_path / "good.vital").name == "init"


def test_what_is_out_of_range_but_harmless_is_read_inside_it(tmp_path, engine, init):
    tree = json.loads(init)
    tree["settings"] |= {"volume": 1e9, "filter_1_model": 99, "chorus_voices": -7.4, "polyphony": 8.4}
    tree["settings"]["modulations"][0] = {"source": "lfo_1", "destination": "osc_1_level"}
    tree["settings"]["modulation_1_amount"] = 1e30
    (tmp_path / "p.vital").write_text(json.dumps(tree))

    patch = engine.load_preset(tmp_path / "p.vital").patch

    space = engine.describe(0.1, 0.1).space
    for name in ("volume", "filter_1_model", "chorus_voices", "polyphony"):
        space[name].check(patch.values[name])
    assert (patch.values["volume"], patch.values["polyphony"]) == (space["volume"].high, 8.0)
    assert patch.modulations[0].amount == 1.0


def test_vital_reads_what_was_checked_whatever_is_said_twice(tmp_path, init):
    doubled = init.replace('"oversampling":', '"oversampling": 30, "oversampling":')
    assert doubled.count('"oversampling"') == 2
    (tmp_path / "p.vital").write_text("\ufeff" + doubled)

    text = read_text((tmp_path / "p.vital").read_bytes())

    assert text.count('"oversampling"') == 1
    assert text.startswith("{")


def test_texts_are_one_printable_line_and_a_long_comment_never_reaches_vital(tmp_path, engine, init):
    tree = json.loads(init)
    tree |= {"preset_name": "a\x1b[31m\nb\u202ec", "author": ["x"], "comments": "x" * 5_000_000, "macro1": 7}
    (tmp_path / "p.vital").write_text(json.dumps(tree))

    preset = engine.load_preset(tmp_path / "p.vital")

    assert (preset.name, preset.author, len(preset.comments)) == ("a [31m b c", "", 500)
    assert len(read_text((tmp_path / "p.vital").read_bytes())) < 300_000


def test_a_preset_of_audio_and_lines_is_read(tmp_path, engine, init):
    tree = json.loads(init)
    audio(tree)
    line = {"num_points": 2, "points": [0.0, 1.0, 1.0, 0.0], "powers": [0.0, 0.0], "name": "l", "smooth": False}
    tree["settings"]["wavetables"][1] = line
    tree["settings"]["modulations"][0] = {"source": "lfo_1", "destination": "volume", "line_mapping": line}
    (tmp_path / "p.vital").write_text(json.dumps(tree))

    assert engine.load_preset(tmp_path / "p.vital").name == "init"


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(width=32),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.lists(st.integers(-3, 300), max_size=3),
)


def places_of(tree: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of every value below a tree but its controls, of which one of each kind is enough."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        if isinstance(value, dict | list) or len(place) != 1 or str(key) in {"volume", "oversampling", "polyphony"}:
            yield (*place, key)
            yield from places_of(value, (*place, key))


@seed(7)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.long
def test_a_preset_with_junk_in_it_is_read_or_refused_and_the_next_is_read(tmp_path, engine, init, data):
    tree = json.loads(init)
    tree["settings"]["modulations"] = tree["settings"]["modulations"][:3]
    tree["settings"]["lfos"] = tree["settings"]["lfos"][:1]
    places = list(places_of(copy.deepcopy(tree)))
    for _ in range(data.draw(st.integers(1, 3))):
        target: Any = tree
        *way, last = data.draw(st.sampled_from(places))
        try:
            for key in way:
                target = target[key]
            target[last] = data.draw(JUNK)
        except (KeyError, IndexError, TypeError):
            continue  # what was replaced before has no such place
    (tmp_path / "junk.vital").write_text(json.dumps(tree))
    (tmp_path / "good.vital").write_text(init)
    started = time.monotonic()

    with suppress(EngineError):
        assert isinstance(engine.load_preset(tmp_path / "junk.vital"), Preset)

    assert time.monotonic() - started < 20.0
    assert engine.load_preset(tmp_path / "good.vital").name == "init"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["", "\0", "\0left over"])
def test_a_vital_preset_is_read_in_the_encodings_that_vital_reads(tmp_path, encoding, end):
    from tonesmith.backends.vita.preset import read_text

    path = tmp_path / "p.vital"
    original = next((PRESETS / "vital").rglob("*.vital"), None)
    if original is None:
        pytest.skip("the real presets are not beside the project")
    preset = {**json.loads(original.read_bytes()), "author": "Zoë"}
    path.write_bytes((json.dumps(preset, ensure_ascii=False) + end).encode(encoding, "replace"))
    told = json.loads(read_text(path.read_bytes()))
    assert told["author"] == "Zoë"
    assert told["settings"]["osc_1_level"] == preset["settings"]["osc_1_level"]


def test_what_macos_leaves_beside_presets_is_none(tmp_path):
    for name in ("a.vital", "._a.vital", "__MACOSX/b.vital", "inner/._c.vital", "inner/d.vital"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    found = preset_files([tmp_path, tmp_path / "**" / "*.vital"], (".vital",))
    assert {path.name for path in found} == {"a.vital", "d.vital", "b.vital"}
    assert [path.name for path in preset_files([tmp_path], (".vital",))] == ["a.vital", "d.vital"]
