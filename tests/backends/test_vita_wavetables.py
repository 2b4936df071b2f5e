"""Catalogs of wavetables: what a scan finds, what an index may say, and patches that choose among them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from support import PRESETS, terminal
from test_startup import imported_by

from tonesmith import generate, open_dataset
from tonesmith.backends.vita import VitaBackend, VitaOptions
from tonesmith.backends.vita.preset import preset_json
from tonesmith.backends.vita.wavetable_scan import Scan, scan
from tonesmith.backends.vita.wavetables import INDEX, Catalog, Wavetable, choosers
from tonesmith.dataset.verify import check_renders
from tonesmith.engine.client import Engine
from tonesmith.engine.description import Description
from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import Audio, PluginRef
from tonesmith.presets.ingest import ingest
from tonesmith.space.patch import Note, Patch, sha256_hex
from tonesmith.space.shape import SpaceShape, shaped
from tonesmith.space.space import ParameterSpace

NOTE = Note(48, 100, 0.2, 0.1)
FORM = Audio(44100, 2, int(NOTE.duration * 44100))
NOTES = {"pitches": [48], "hold": 0.2, "tail": 0.1}
INIT = {f"wavetable_{i}": "0" * 64 for i in (1, 2, 3)}
VITA = PluginRef("vita", VitaOptions().model_dump())


def table(name: str, corner: float, frames: int = 2, **more: Any) -> dict[str, Any]:
    """Return a wavetable of lines with a corner at a phase from 0 to 1, which moves from frame to frame."""
    places = [(corner * (i + 1) / frames, 256 * i // max(frames - 1, 1)) for i in range(frames)]
    keyframes = [
        {
            "line": {
                "name": "Linear",
                "num_points": 3,
                "points": [0.0, 1.0, place, 0.0, 1.0, 1.0],
                "powers": [0.0, 0.0, 0.0],
                "smooth": False,
            },
            "position": position,
            "pull_power": 0.0,
        }
        for place, position in places
    ]
    component = {"interpolation_style": 1, "keyframes": keyframes, "num_points": 3, "type": "Line Source"}
    plain = {"author": "Ada", "full_normalize": True, "remove_all_dc": True, "version": "1.5.5", "name": name}
    return {**plain, "groups": [{"components": [component]}], **more}


@pytest.fixture(scope="module")
def described() -> Description:
    with Engine(VITA, FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail)


def write_preset(path: Path, described: Description, tables: Mapping[int, Mapping[str, Any]], **values: float) -> None:
    """Write an init preset with wavetables for some of its oscillators."""
    space = described.space
    held = {f"wavetable_{i}": json.dumps(made).encode() for i, made in tables.items()}
    assets = {**space.assets, **{slot: slot for slot in held}}
    patch = Patch({p.name: p.default for p in space.parameters} | values, assets=assets)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(preset_json(patch, {**described.assets, **held}, path.stem))


@pytest.fixture(scope="module")
def presets(described: Description, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four presets with three wavetables, two of which have one name; and a copy."""
    folder = tmp_path_factory.mktemp("presets")
    bright, dark, other = table("Edge", 0.1), table("Edge", 0.4), table("Zig\x1b[31m\n zag", 0.7, frames=1)
    write_preset(folder / "one.vital", described, {1: bright, 2: bright})
    write_preset(folder / "two.vital", described, {1: bright, 3: dark}, osc_2_on=1.0)
    write_preset(folder / "deeper" / "three.vital", described, {2: other})
    write_preset(folder / "plain.vital", described, {})
    shutil.copy(folder / "one.vital", folder / "deeper" / "copy.vital")
    return folder


@pytest.fixture(scope="module")
def scanned(presets: Path, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    return scan([presets], tmp_path_factory.mktemp("made") / "new" / "catalog", workers=2)


@pytest.fixture(scope="module")
def made(scanned: Scan) -> Path:
    return scanned.catalog.path


@pytest.fixture
def catalog(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "catalog"))


def by_corner(catalog: Catalog) -> dict[float, Wavetable]:
    return {
        json.loads(catalog.content(t.sha256))["groups"][0]["components"][0]["keyframes"][0]["line"]["points"][2]: t
        for t in catalog.wavetables
    }


@pytest.mark.long
def test_a_scan_counts_each_content_once_with_the_presets_that_use_it(scanned: Scan) -> None:
    done = scanned
    found = {round(corner, 3): wavetable for corner, wavetable in by_corner(done.catalog).items()}

    assert (done.files, done.read, done.copies, done.refused, done.added) == (5, 4, 1, (), 3)
    assert (done.pictures, done.undrawn) == (3, 0)
    bright, dark, other = found[0.05], found[0.2], found[0.7]
    assert (bright.presets, bright.oscillators, bright.used_by) == (2, 3, ("one", "two"))
    assert (dark.presets, dark.oscillators, dark.keyframes, dark.author) == (1, 1, 2, "Ada")
    assert (other.name, other.keyframes, other.made_of) == ("Zig [31m zag", 1, ("Line Source",))
    assert len(bright.choice) == len("Edge (12345678)")
    assert bright.choice != dark.choice
    assert other.choice == other.name


def test_contents_are_the_assets_that_the_presets_load_with(presets: Path, made: Path) -> None:
    catalog = Catalog.open(made)
    files = [presets / "one.vital", presets / "two.vital"]
    found, _ = ingest(files, VitaBackend, VITA.options, sample_rate=44100)
    held = {item.path.stem: item.preset for item in found}

    assert {f.stem for f in (made / "wavetables").iterdir()} == {t.sha256 for t in catalog.wavetables}
    for preset, slot in (("one", "wavetable_1"), ("two", "wavetable_3")):
        name = held[preset].patch.assets[slot]
        assert catalog.content(name) == held[preset].assets[name]


@pytest.mark.long
def test_a_second_scan_changes_nothing_and_a_third_adds(
    catalog: Path, presets: Path, described: Description, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in catalog.rglob("*") if path.is_file()}
    again = scan([presets], catalog)
    assert (again.added, again.pictures, again.read) == (0, 0, 4)
    assert {path: path.read_bytes() for path in catalog.rglob("*") if path.is_file()} == before

    write_preset(tmp_path / "more" / "four.vital", described, {1: table("Edge", 0.1), 2: table("New", 0.6)})
    more = scan([tmp_path / "more"], catalog, pictures=False)
    assert (more.added, more.pictures) == (1, 0)
    assert sorted(t.presets for t in more.catalog.wavetables) == [1, 1, 1, 3]
    assert Catalog.open(catalog).wavetables == more.catalog.wavetables


@pytest.mark.long
def test_the_scan_of_real_presets(tmp_path: Path) -> None:
    if not (PRESETS / "vital").is_dir():
        pytest.skip(f"no presets at {PRESETS}: they are not part of the repository")
    done = scan([PRESETS / "vital"], tmp_path / "catalog", workers=2, pictures=False)
    choices = {t.choice: t for t in done.catalog.wavetables}

    assert (done.read, done.refused, len(choices)) == (40, (), 46)
    assert (choices["GPLSquare"].presets, choices["GPLSquare"].author) == (2, "Instatetragrammaton")
    assert choices["Basic Shapes"].keyframes == 8
    assert "Init" not in choices


def test_pictures_show_one_cycle_of_each_frame(made: Path) -> None:
    found = {round(corner, 3): t.sha256 for corner, t in by_corner(Catalog.open(made)).items()}
    lines = {}
    for corner, sha in found.items():
        place = Catalog.open(made).preview(sha)
        assert place.stat().st_size < 10_000
        drawn = ET.parse(place).getroot().findall(".//{*}polyline")  # noqa: S314 - our own
        lines[corner] = [np.array([p.split(",") for p in line.get("points").split()], float) for line in drawn]

    assert [len(lines[corner]) for corner in (0.05, 0.2, 0.7)] == [5, 5, 1]
    ((xs, ys),) = [line.T for line in lines[0.7]]
    assert xs[np.argmin(ys)] / xs.max() == pytest.approx(0.7, abs=0.02)  # in both, y grows downwards
    assert ys[[0, -1]] == pytest.approx(ys.max(), abs=5)
    assert np.ptp(ys) > 80


def test_files_of_one_wavetable_are_taken_too_and_hostile_ones_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    nameless = table("", 0.3)
    del nameless["name"]
    (folder / "From a file.vitaltable").write_text(json.dumps(nameless))
    (folder / "named.VITALTABLE").write_text(json.dumps(table("Named", 0.35)))
    (folder / "deep.vitaltable").write_text("[" * 100_000)
    (folder / "other.vitaltable").write_text('{"groups": 3}')
    (folder / "binary.vitaltable").write_bytes(bytes(range(256)))
    (folder / "broken.vital").write_text("{}")
    done = scan([folder], tmp_path / "catalog", pictures=False)

    assert [(t.choice, t.presets) for t in done.catalog.wavetables] == [("From a file", 0), ("Named", 0)]
    assert [item.path.name for item in done.refused] == [
        "binary.vitaltable",
        "broken.vital",
        "deep.vitaltable",
        "other.vitaltable",
    ]
    assert [source.kind for source in done.catalog.sources.values()] == ["table", "table"]


@pytest.mark.long
def test_the_licence_of_a_collection_goes_into_the_catalog(described: Description, tmp_path: Path) -> None:
    folder = tmp_path / "collection"
    write_preset(folder / "one.vital", described, {1: table("Edge", 0.1)})
    (folder / "two.vitaltable").write_text(json.dumps(table("Other", 0.2)))
    (folder / ".tonesmith-collection.toml").write_text(
        'name = "c"\nurl = "https://example.org/c"\nauthor = "Bo"\nlicence = "CC-BY-4.0"\n'
    )
    done = scan([folder], tmp_path / "catalog", pictures=False)

    assert [t.credits for t in done.catalog.wavetables] == [(("Bo", "CC-BY-4.0"),)] * 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda index: b"no JSON",
        lambda index: b"[" * 100_000,
        lambda index: b'{"format": 1}',
        lambda index: json.dumps({**index, "format": 2}).encode(),
        lambda index: json.dumps({**index, "wavetables": {"../../../etc/passwd": entry_of(index)}}).encode(),
        lambda index: json.dumps({**index, "wavetables": {"A" * 64: entry_of(index)}}).encode(),
        lambda index: json.dumps({**index, "wavetables": {"a" * 64 + "\n": entry_of(index)}}).encode(),
        lambda index: json.dumps({**index, "wavetables": {"a" * 64: {**entry_of(index), "name": 3}}}).encode(),
        lambda index: json.dumps({**index, "sources": {"a" * 64: {"kind": "x", "wavetables": {}}}}).encode(),
        lambda index: json.dumps({**index, "wavetables": {}}).encode(),
    ],
)
def test_a_damaged_or_hostile_index_is_one_sentence(catalog: Path, spoil: Any) -> None:
    index = json.loads((catalog / INDEX).read_text())
    (catalog / INDEX).write_bytes(spoil(index))

    with pytest.raises(ConfigError) as error:
        choosers(Catalog.open(catalog), INIT)
    assert str(catalog) in str(error.value)
    assert "\n" not in str(error.value)


def entry_of(index: Mapping[str, Any]) -> Any:
    return next(iter(index["wavetables"].values()))


@pytest.mark.parametrize("damage", ["changed", "missing", "folder"])
def test_a_damaged_wavetable_is_told_before_anything_is_made(catalog: Path, tmp_path: Path, damage: str) -> None:
    place = sorted((catalog / "wavetables").iterdir())[1]
    content = place.read_bytes()
    place.unlink()
    if damage == "changed":
        place.write_bytes(content.replace(b"Line Source", b"Wave Source"))
    if damage == "folder":
        place.mkdir()

    with pytest.raises(ConfigError, match=f"{place.name} is missing or damaged"):
        generate(tmp_path / "d.zarr", patches=2, notes=NOTES, backend={"name": "vita", "wavetables": str(catalog)})
    assert not (tmp_path / "d.zarr").exists()


def test_a_folder_that_holds_something_else_is_left_alone(presets: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("It was a dark and stormy night.")
    with pytest.raises(ConfigError, match="something other than a wavetable catalog"):
        scan([presets], tmp_path / "thesis")
    with pytest.raises(ConfigError, match="something other than a wavetable catalog"):
        scan([presets], tmp_path / "thesis" / "chapter1.txt")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter1.txt"]


def test_a_catalog_does_not_lead_elsewhere(catalog: Path, presets: Path, tmp_path: Path) -> None:
    shutil.rmtree(catalog / "previews")
    (tmp_path / "elsewhere").mkdir()
    (catalog / "previews").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        scan([presets], catalog)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_choices_differ_whatever_the_names_are(catalog: Path) -> None:
    index = json.loads((catalog / INDEX).read_text())
    entry = entry_of(index)
    names = {"a" * 64: "Init", "b" * 64: "init", "c" * 64: "Saw", "d" * 64: "saw", "e" * 64: "SAW (cccccccc)"}
    names |= {"f" * 64: "", "1" * 64: " \t", "2" * 64: "Alone", "3" * 64: "un\x00titled"}
    index["wavetables"] = {sha: {**entry, "name": name} for sha, name in names.items()}
    (catalog / INDEX).write_text(json.dumps(index))
    parameter = choosers(Catalog.open(catalog), INIT)[0]
    lowered = [choice.lower() for choice in parameter.choices]
    assert len(set(lowered)) == len(lowered) == 10
    assert (lowered[0], lowered.count("init")) == ("init", 1)
    assert parameter.contents[lowered.index("alone")] == "2" * 64
    assert all(choice.isprintable() and choice for choice in parameter.choices)


def test_the_init_wavetable_of_this_vital_is_no_second_choice(catalog: Path) -> None:
    opened = Catalog.open(catalog)
    init = {**INIT, "wavetable_1": opened.wavetables[1].sha256}
    first, second, _ = choosers(opened, init)

    assert (first.count, second.count) == (3, 4)
    assert first.contents[0] == init["wavetable_1"]
    assert len(set(first.contents)) == 3


@pytest.fixture(scope="module")
def space(made: Path) -> ParameterSpace:
    options = VitaOptions(wavetables=str(made)).model_dump()
    with Engine(PluginRef("vita", options), FORM, 1, "snapshot", asset=lambda name: b"") as engine:
        return engine.describe(NOTE.hold, NOTE.tail).space


def test_the_space_gains_a_choice_for_each_oscillator(
    space: ParameterSpace, described: Description, made: Path
) -> None:
    chooser = space["osc_2_wavetable"]
    catalog = Catalog.open(made)

    assert space.parameters[:-3] == described.space.parameters
    assert [p.name for p in space.parameters[-3:]] == ["osc_1_wavetable", "osc_2_wavetable", "osc_3_wavetable"]
    assert (chooser.group, chooser.switch, chooser.slot, chooser.default) == ("osc_2", "osc_2_on", "wavetable_2", 0)
    assert chooser.choices == ("Init", *(t.choice for t in catalog.wavetables))
    assert chooser.contents == (space.assets["wavetable_2"], *(t.sha256 for t in catalog.wavetables))
    assert [t.name for t in catalog.wavetables] == sorted(t.name for t in catalog.wavetables)


def test_tiers_vary_the_choices_of_the_oscillators_that_they_vary(space: ParameterSpace) -> None:
    varied = [
        {n for n in shaped(space, VitaBackend.shape(VitaOptions(tier=tier)), SpaceShape()).names if "wavetable" in n}
        for tier in (1, 2)
    ]
    assert varied == [{f"osc_{i}_wavetable" for i in (1, 2)}, {f"osc_{i}_wavetable" for i in (1, 2, 3)}]


def test_a_choice_is_audible_while_its_oscillator_is_on(space: ParameterSpace) -> None:
    place = space.names.index("osc_2_wavetable")
    assert [bool(space.audible(Patch({"osc_2_on": on}))[place]) for on in (0.0, 1.0)] == [False, True]


def test_choice_and_asset_of_a_label_agree(space: ParameterSpace) -> None:
    edge = space["osc_1_wavetable"].contents[2]
    chosen = space.decode(space.encode(Patch({"osc_1_wavetable": 2.0})))
    given = space.decode(space.encode(Patch(assets={"wavetable_1": edge})))

    assert chosen == given
    assert (chosen.values["osc_1_wavetable"], chosen.assets["wavetable_1"]) == (2.0, edge)


@pytest.mark.long
def test_two_oscillators_that_swap_wavetables_are_another_template(
    space: ParameterSpace, described: Description, made: Path
) -> None:
    contents = {**described.assets, **VitaBackend.stock(VitaOptions(wavetables=str(made)))}
    fixed = {"osc_1_random_phase": 0.0, "osc_2_random_phase": 0.0, "osc_2_on": 1.0, "osc_2_transpose": 7.0}
    ab, ba = (
        space.decode(space.encode(Patch({**fixed, "osc_1_wavetable": a, "osc_2_wavetable": b})))
        for a, b in ((1.0, 3.0), (3.0, 1.0))
    )
    heard = []
    for order in ((ab, ba), (ba, ab)):
        with Engine(VITA, FORM, 1, "snapshot", contents.__getitem__) as engine:
            played = []
            for patch in order:
                assert engine.play(patch, [NOTE], 60.0)[0].failure == ""
                played.append(engine.audio[0].tobytes())
        heard.append(played)
    assert heard[0] == heard[1][::-1]
    assert heard[0][0] != heard[0][1]


@pytest.mark.long
def test_a_dataset_of_a_catalog_needs_it_no_more_and_does_not_depend_on_its_place(
    catalog: Path, tmp_path: Path
) -> None:
    def make(name: str, folder: Path, workers: int) -> Any:
        backend = {"name": "vita", "wavetables": str(folder)}
        return generate(
            tmp_path / name, patches=6, seed=3, block=2, notes=NOTES, workers=workers, backend=backend, validators=[]
        )

    one = make("one.zarr", catalog, 1)
    moved = catalog.rename(tmp_path / "moved")
    two = make("two.zarr", moved, 2)
    assert make("one.zarr", moved, 1).rows_added == 0
    shutil.rmtree(moved)

    assert one.digest == two.digest
    ds = open_dataset(tmp_path / "one.zarr")
    assert ds.plan.fingerprint == open_dataset(tmp_path / "two.zarr").plan.fingerprint
    assert ds.plan.backend.options["wavetables"] == ""
    assert not list(check_renders(ds, range(6), tmp_path / "one.zarr", Host.load(), int))
    for row in ds:
        for oscillator in (1, 2, 3):
            chooser = ds.space[f"osc_{oscillator}_wavetable"]
            chosen = chooser.contents[round(row.patch.values[chooser.name])]
            assert row.patch.assets[f"wavetable_{oscillator}"] == chosen
    assert len({row.patch.assets["wavetable_1"] for row in ds}) > 1


def test_an_exported_preset_carries_the_chosen_wavetable(
    space: ParameterSpace, described: Description, made: Path
) -> None:
    contents = {**described.assets, **Catalog.open(made).contents()}
    patch = space.decode(space.encode(Patch({"osc_2_wavetable": 1.0})))
    settings = json.loads(VitaBackend.preset(patch, contents, "p"))["settings"]

    assert settings["wavetables"][1] == json.loads(contents[space["osc_2_wavetable"].contents[1]])
    assert not [key for key in settings if key in {p.name for p in space.parameters if p.slot}]


@pytest.mark.long
def test_presets_bring_their_own_wavetables_beside_those_of_a_catalog(
    presets: Path, described: Description, tmp_path: Path
) -> None:
    scan([presets / "two.vital"], tmp_path / "catalog", pictures=False)
    write_preset(tmp_path / "in" / "mine.vital", described, {1: table("Edge", 0.1), 2: table("Mine", 0.9)})
    generate(
        tmp_path / "d.zarr",
        patches=1,
        notes=NOTES,
        backend={"name": "vita", "wavetables": str(tmp_path / "catalog")},
        sampler="presets",
        presets={"paths": [str(tmp_path / "in")]},
        validators=[],
    )
    ds = open_dataset(tmp_path / "d.zarr")
    first, second, _ = (ds.space[f"osc_{i}_wavetable"] for i in (1, 2, 3))
    values = ds[0].patch.values

    assert first.count == 3
    assert first.text(values["osc_1_wavetable"]).startswith("Edge (")
    assert (second.count, second.drawn) == (4, (0, 2))
    assert second.text(values["osc_2_wavetable"]).startswith("mine (")


@pytest.mark.long
def test_the_command_line_scans_lists_and_shows_no_control_characters(presets: Path, tmp_path: Path) -> None:
    done = terminal("vita", "wavetables", "scan", presets, "-o", "catalog", "--no-previews", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "catalog: 3 wavetables" in done.stdout
    assert "Zig [31m zag" in done.stdout
    assert "5 looked at, 4 read, 1 copies, 0 refused" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80

    listed = terminal("vita", "wavetables", "list", "catalog", cwd=tmp_path)
    assert "Zig [31m zag" in listed.stdout
    assert "\x1b" not in done.stdout + listed.stdout
    told = json.loads(terminal("vita", "wavetables", "list", "catalog", "--json", cwd=tmp_path).stdout)
    assert [t["presets"] for t in told["wavetables"]] == [2, 1, 1]

    again = terminal("vita", "wavetables", "scan", presets, "-o", "catalog", "--json", "--no-previews", cwd=tmp_path)
    said = json.loads(again.stdout)
    assert (said["wavetables"], said["presets"], said["added"], said["pictures"]) == (3, 4, 0, 0)


def test_the_command_line_says_what_is_no_catalog_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "plugins.toml").write_text('[backend]\nname = "vita"\nwavetables = "nowhere"\n')
    (tmp_path / "empty").mkdir()
    for command in (
        ("vita", "wavetables", "list", "nowhere"),
        ("vita", "wavetables", "scan", "nowhere", "-o", "catalog"),
        ("generate", "-n", "2", "d.zarr"),
        ("generate", "--backend.wavetables", "empty", "-n", "2", "d.zarr"),
    ):
        done = terminal(*command, cwd=tmp_path)
        assert done.returncode == 2, command
        assert done.stderr.startswith("tonesmith: error: "), command
        assert done.stderr.count("\n") == 1, done.stderr
    assert "plugins.toml:3: backend.wavetables" in terminal("generate", "-n", "2", "d.zarr", cwd=tmp_path).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "plugins.toml"]


@pytest.mark.long
def test_a_scan_that_can_read_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "bad.vital").write_text("{}")
    done = terminal("vita", "wavetables", "scan", "bad.vital", "-o", "catalog", cwd=tmp_path)
    assert done.returncode == 1
    assert "refused   bad.vital" in done.stdout


@pytest.mark.parametrize("arguments", [("vita", "--help"), ("vita", "wavetables", "scan", "--help")], ids=" ".join)
def test_nothing_heavy_is_imported_for_help(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments).isdisjoint({"numpy", "scipy", "vita", "zarr"})


def test_the_name_of_a_content_is_its_sha256(made: Path) -> None:
    for place in (made / "wavetables").iterdir():
        assert sha256_hex(place.read_bytes()) == place.stem
