"""The flags of ``tonesmith generate``: made from the options of the plugins that are chosen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from pydantic import Field
from support.commands import command_trees

from tonesmith import Candidate, ConfigError, Host, Options, Patch, Sampler, Summary, hookimpl
from tonesmith.cli import run
from tonesmith.cli.commands.generate import named_plugins
from tonesmith.cli.flags import check_flags, flags_of
from tonesmith.host.builtin import BUILTINS
from tonesmith.host.composition import compose
from tonesmith.host.config import Config
from tonesmith.host.settings import settings_of
from tonesmith.host.toml import TomlSource


class TypedOptions(Options):
    count: int = Field(3, ge=1, le=9, description="how many [of them]")
    share: float = Field(0.5, gt=0.0, description="how much")
    wet: bool = Field(False, description="whether it is wet")
    word: str = Field("plain", description="a word")
    shape: Literal["sine", "saw"] = Field("sine", description="a shape")
    power: Literal[1, 2] = Field(1, description="a power")
    limit: int | None = Field(None, ge=0, description="a limit, if any")
    sizes: tuple[int, ...] = Field((1, 2), description="sizes")
    names: list[str] = Field([], description="names")
    span: float | tuple[float, float] = Field(1.0, description="one or two ends")
    either: int | str = Field(1, description="a number or a word")
    table: dict[str, int] = Field({}, description="a table")
    path: Path = Field(Path("here"), description="a path")


class Typed(Sampler[TypedOptions]):
    name = "typed"
    summary = "has an option of every type"
    Options = TypedOptions

    def draw(self, candidate: Candidate) -> Patch:
        raise NotImplementedError


@hookimpl
def tonesmith_samplers() -> Iterable[type[Sampler[Any]]]:
    return [Typed]


HOST = Host((*BUILTINS, __name__), allowed="")

Generate = Callable[..., Config]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start in an empty directory, with the fake sampler among the plugins."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Host, "load", classmethod(lambda cls: HOST))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def generate(here: Path) -> Generate:
    """Give what ``tonesmith generate`` resolves of its flags."""

    def resolved(*arguments: str) -> Config:
        assert run(["generate", *arguments, "--save-config", "saved.toml"]) == 0
        from tonesmith.host.composition import load_config

        return load_config(here / "saved.toml", host=HOST)

    return resolved


def summary(path: Path, **changes: Any) -> Summary:
    fields: dict[str, Any] = {
        "path": path, "rows": 6, "rows_planned": 6, "rows_added": 6, "patches": 2, "seconds": 2.0, "nbytes": 4096,
        "rejections": {"level: silent": 2}, "candidates": 4, "digest": "ab" * 32,
        "complete": True, "interrupted": False,
    }  # fmt: skip
    return Summary(**{**fields, **changes})


@pytest.mark.parametrize(
    ("typed", "key", "value"),
    [
        (("--sampler.count", "7"), "count", 7),
        (("--sampler.count=7",), "count", 7),
        (("--sampler.share", "2"), "share", 2.0),
        (("--sampler.wet",), "wet", True),
        (("--no-sampler.wet",), "wet", False),
        (("--sampler.word", "12"), "word", "12"),
        (("--sampler.shape", "saw"), "shape", "saw"),
        (("--sampler.power", "2"), "power", 2),
        (("--sampler.limit", "0"), "limit", 0),
        (("--sampler.sizes", "4,5, 6"), "sizes", [4, 5, 6]),
        (("--sampler.sizes", "4"), "sizes", [4]),
        (("--sampler.sizes", ""), "sizes", []),
        (("--sampler.sizes", "4", "--sampler.sizes", "5,6", "--sampler.sizes=7"), "sizes", [4, 5, 6, 7]),
        (("--sampler.sizes", "[36,84]"), "sizes", [36, 84]),
        (("--sampler.names", "a,1"), "names", ["a", "1"]),
        (("--sampler.names", "osc_*", "--sampler.names", "[ab]"), "names", ["osc_*", "[ab]"]),
        (("--sampler.span", "0.5", "--sampler.span", "2"), "span", [0.5, 2.0]),
        (("--sampler.span", "[0.5, 2]"), "span", [0.5, 2.0]),
        (("--sampler.span", "2.5"), "span", 2.5),
        (("--sampler.span", "0.5,2"), "span", [0.5, 2.0]),
        (("--sampler.either", "5"), "either", 5),
        (("--sampler.either", "five"), "either", "five"),
        (("--sampler.table", "{ a = 1 }"), "table", {"a": 1}),
        (("--sampler.path", "there/it.is"), "path", "there/it.is"),
    ],
)
def test_an_option_of_every_type_is_a_flag(generate: Generate, typed: tuple[str, ...], key: str, value: Any) -> None:
    assert generate("--sampler", "typed", *typed).sampler.options[key] == value


@pytest.mark.parametrize("sampler", ["lhs", "sobol", "uniform", "typed"])
def test_every_option_of_the_chosen_plugins_has_its_flag(sampler: str) -> None:
    config = compose(TomlSource("", {}), {"sampler": sampler}, host=HOST)
    keys = {flag.key for flag in flags_of(config, HOST)}
    for role, name in (("backend", "vita"), ("sampler", sampler), ("sink", "zarr"), ("validator", "level")):
        prefix = f"validators.{name}" if role == "validator" else role
        assert {f"{prefix}.{s.key}" for s in settings_of(HOST.find(role, name).Options)} <= keys


def test_the_flags_of_the_plan_are_short(generate: Generate) -> None:
    config = generate(
        "-n", "9", "--seed", "7", "--sample-rate", "48000", "--block", "4", "--max-attempts", "3",
        "--timeout", "5", "--isolation", "fresh", "--workers", "2", "--notes.pitches", "48,60",
    )  # fmt: skip
    assert config.plan.model_dump() == {
        "patches": 9, "seed": 7, "sample_rate": 48000, "block": 4,
        "max_attempts": 3, "timeout": 5.0, "memory": 0, "isolation": "fresh",
    }  # fmt: skip
    assert (config.run.workers, config.notes.pitches) == (2, (48, 60))


def test_the_space_is_shaped_by_flags(generate: Generate) -> None:
    space = generate(
        "--space.include", "osc_*,volume", "--space.exclude", "*_pan", "--space.free", "bypass",
        "--space.fix", "osc_1_on=1", "--space.fix", "style=Sine", "--space.range", "volume=-1.5:2",
    ).space  # fmt: skip
    assert space.include == ("osc_*", "volume")
    assert (space.exclude, space.free) == (("*_pan",), ("bypass",))
    assert space.fix == {"osc_1_on": 1.0, "style": "Sine"}
    assert space.ranges == {"volume": (-1.5, 2.0)}


def test_flags_choose_validators(generate: Generate) -> None:
    config = generate("--validator", "loudness", "--validator=level", "--validators.level.silence", "-40")
    assert [v.name for v in config.validators] == ["loudness", "level"]
    assert config.validators[1].options["silence"] == -40.0


def test_flags_win_over_the_file_that_is_named(generate: Generate, here: Path) -> None:
    (here / "my.toml").write_text('[sampler]\nname = "typed"\ncount = 4\nword = "file"\n')
    options = generate("--config", "my.toml", "--sampler.count", "5").sampler.options
    assert (options["count"], options["word"]) == (5, "file")
    assert generate("--config=my.toml", "--sampler", "sobol").sampler.name == "sobol"


def test_plugins_are_read_from_the_arguments_before_they_are_parsed() -> None:
    arguments = ["-n", "3", "--backend=a", "--sampler", "b", "--validator", "c", "--validator=d", "--", "--sink", "e"]
    assert named_plugins(arguments) == {"backend": "a", "sampler": "b", "validators": ["c", "d"]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--backend.teir", "2"], "unknown option '--backend.teir'. Did you mean '--backend.tier'? Known: --backend."),
        (["--validator", "level", "--validators.loudness.minimum=1"], "Chosen here: level."),
        (["--no-sampler.jiter"], "Did you mean '--no-sampler.jitter'?"),
        (["--notes.pitch", "3"], "Did you mean '--notes.pitches'?"),
        (["--backend", "vitta", "--backend.tier", "2"], "--backend: unknown backend 'vitta'. Did you mean 'vita'?"),
        (["--backend.tier", "7"], "--backend.tier: \"7\" is not allowed. Expected one of 1, 2, 3."),
        (["-n", "many"], "--patches: \"many\" is not allowed. Expected an integer from 1 to 1,000,000,000."),
        (["--sink.level", "10"], "--sink.level: 10 is not allowed. Expected an integer from 0 to 9."),
        (["--space.fix", "volume"], "--space.fix: 'volume' is not of the form NAME=VALUE."),
        (["--space.range", "volume=1"], "--space.range: 'volume=1' is not of the form NAME=LOW:HIGH."),
        (["--sampler", "typed", "--sampler.table", "{"], "--sampler.table: '{' is not a TOML value: "),
        (["--config", "none.toml"], "none.toml: cannot be read"),
    ],
)  # fmt: skip
def test_a_wrong_flag_is_told_with_the_nearest_and_exits_2(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(["generate", *arguments, "out.zarr"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tonesmith: error: ")
    assert told in captured.err
    assert "Traceback" not in captured.err
    assert not (here / "out.zarr").exists()


def test_a_wrong_key_in_the_file_is_told_with_its_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "plugins.toml").write_text("[backend]\nteir = 2\n")
    assert run(["generate", "out.zarr"]) == 2
    assert "plugins.toml:2: backend.teir: unknown key 'teir'. Did you mean 'tier'?" in capsys.readouterr().err


def test_what_follows_two_dashes_is_no_flag() -> None:
    check_flags(["--", "--backend.nothing"], ())
    with pytest.raises(ConfigError):
        check_flags(["--backend.nothing"], ())


def test_help_shows_the_options_under_headings_with_range_default_and_choices(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generate", "--sampler", "typed", "--sampler.count", "4", "--help"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    words = " ".join(text.split())
    assert {"Sampler: typed:", "Validator: level:"} <= set(lines)
    assert "--sampler.count INT How many [of them]. [1..9; default: 3]" in words
    assert "--sampler.shape CHOICE A shape. [sine | saw; default: sine]" in words
    assert "--sampler.sizes LIST Sizes. [default: 1,2]" in words
    assert "--validators.level.silence NUM" in words
    assert "--sampler.jitter" not in words


def test_help_does_not_need_a_sound_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "plugins.toml").write_text("[nonsense]\n")
    assert run(["generate", "--help"]) == 0
    assert "--backend.tier" in capsys.readouterr().out


def test_the_shell_completes_flags_and_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    def completed(line: str) -> set[str]:
        monkeypatch.setenv("_TONESMITH_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        code = "from tonesmith.cli import main; main()"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        return set(done.stdout.split())

    assert {"--backend", "--backend.tier"} <= completed("tonesmith generate --back")
    assert completed("tonesmith generate --sink.encoding ") == {"float32", "int24", "float16"}
    assert {"lhs", "sobol"} <= completed("tonesmith generate --sampler ")


def _resolved(config: Config, host: Host, progress: Any) -> SimpleNamespace:
    plan = SimpleNamespace(patches=config.plan.patches, presets=())
    return SimpleNamespace(plan=plan, determinism="exact")


def test_the_run_gets_the_configuration_and_ends_in_a_summary(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Any] = {}

    def fake_run(resolved: Any, path: Path, **keywords: Any) -> Summary:
        seen.update(keywords, resolved=resolved, path=path)
        keywords["watcher"].started(SimpleNamespace(rows=6, blocks=1, determinism="exact"), path, 1, 0)
        return summary(path)

    monkeypatch.setattr("tonesmith.run.resolve.resolve_plan", _resolved)
    monkeypatch.setattr("tonesmith.cli.ahead.check_size", lambda *_, **__: None)
    monkeypatch.setattr("tonesmith.run.pipeline.run", fake_run)
    assert run(["generate", "-n", "2", "--workers", "3", "--quiet", "data/my set.zarr"]) == 0
    assert (seen["resolved"].plan.patches, seen["workers"], seen["path"]) == (2, 3, Path("data/my set.zarr"))
    captured = capsys.readouterr()
    assert captured.err == ""
    for told in ("6 rows of 2 patches", "4.0 KiB", "2 of 4 candidates", "level: silent", "ab" * 32):
        assert told in captured.out
    assert "Next:" not in captured.out
    assert max(map(len, captured.out.splitlines())) <= 80
    assert run(["generate", "--json", "out.zarr"]) == 0
    captured = capsys.readouterr()
    assert re.fullmatch(r"\d\d:\d\d:\d\d out.zarr: 6 rows in 1 block; 1 block to go\n", captured.err)
    assert json.loads(captured.out) == summary(Path("out.zarr")).to_json()


def test_an_interrupted_run_says_how_to_go_on_and_exits_130(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    partly = summary(here / "out.zarr", rows=3, complete=False, interrupted=True)
    monkeypatch.setattr("tonesmith.run.resolve.resolve_plan", _resolved)
    monkeypatch.setattr("tonesmith.cli.ahead.check_size", lambda *_, **__: None)
    monkeypatch.setattr("tonesmith.run.pipeline.run", lambda *_, **__: partly)
    assert run(["generate", "out.zarr"]) == 130
    out = capsys.readouterr().out
    assert "3 of 6 rows" in out
    assert "Run the same command to resume." in out


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (ConfigError("that is wrong"), 2, "tonesmith: error: that is wrong\n"),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("by nought"), 1, "tonesmith: error: ZeroDivisionError: by nought\nThis is a bug"),
    ],
)
def test_what_is_raised_becomes_a_message_and_a_status(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    error: BaseException, status: int, told: str,
) -> None:  # fmt: skip
    def fails(*_: Any) -> None:
        raise error

    monkeypatch.delenv("TONESMITH_TRACEBACK", raising=False)
    monkeypatch.setattr("tonesmith.run.resolve.resolve_plan", fails)
    assert run(["generate", "out.zarr"]) == status
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert "Traceback" not in said
    if told:
        monkeypatch.setenv("TONESMITH_TRACEBACK", "1")
        assert run(["generate", "out.zarr"]) == status
        assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_every_help_text_is_a_sentence() -> None:
    texts = {text for command in command_trees() for text in helps_of(command)}
    assert len(texts) > 150
    assert sorted(t for t in texts if t[0].islower() or not re.search(r"[.\]]$", t)) == []


def helps_of(command: Any) -> Iterator[str]:
    """Yield the help of each command, argument and option below a command."""
    if command.help:
        yield command.help.strip()
    yield from (parameter.help.strip() for parameter in command.params if getattr(parameter, "help", None))
    for inner in getattr(command, "commands", {}).values():
        yield from helps_of(inner)


def test_without_a_path_there_is_nothing_to_make(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate"]) == 2
    assert "OUT, the path of the dataset, is missing" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["", "cli._status = lambda *_: print('buffered until the end') or 0"])
def test_a_reader_that_leaves_early_is_no_error(output: str) -> None:
    code = f"import sys; from tonesmith import cli; sys.argv = ['tonesmith', 'plugins', '--json']\n{output}\ncli.main()"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
