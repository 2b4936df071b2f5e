"""A command is built alone: of all others only names and a line of help are known, those of plugins included."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tonesmith.cli.app import build_app
from tonesmith.host.registry import Host


def built(*words: str, host: Host | None = None) -> Any:
    return typer.main.get_command(build_app(words, host))


def options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


class Plugged(Host):
    """A host whose plugin adds a group with an option of its own, one without a name, and a command."""

    def commands(self, app: typer.Typer) -> None:
        own, nameless = typer.Typer(), typer.Typer()

        @own.callback()
        def root(deep: Annotated[str, typer.Option()] = "") -> None:
            """Do one thing or another."""

        @own.command("one")
        @own.command("another")
        @nameless.command("flat")
        def one(loud: Annotated[bool, typer.Option()] = False) -> None:
            """Do it."""
            typer.echo(f"done {loud}")

        app.add_typer(own, name="own")
        app.add_typer(nameless)


def test_the_options_of_what_was_not_typed_are_not_known():
    whole, one = built(), built("corpus", "check", "c")

    assert list(one.commands) == list(whole.commands)
    assert {"--deep", "--json"} <= options(one.commands["corpus"].commands["check"])
    assert one.commands["explore"].commands == {}
    assert whole.commands["explore"].commands != {}
    assert [name for name, command in one.commands.items() if options(command) - {"--help", "-h"}] == []


def test_what_is_listed_has_its_help():
    whole, one = built(), built("inspect", "d")
    for name, command in whole.commands.items():
        assert one.commands[name].get_short_help_str() == command.get_short_help_str()


def test_a_group_that_is_typed_is_whole_for_its_commands_run_each_other():
    whole = built().commands["corpus"].commands
    for words in (("corpus",), ("corpus", "run", "f.toml"), ("--cache", "there", "corpus", "check")):
        one = built(*words).commands["corpus"].commands
        assert {name: options(command) for name, command in one.items()} == {
            name: options(command) for name, command in whole.items()
        }


def test_a_group_of_a_plugin_with_options_of_its_own_and_one_without_a_name_work(capsys):
    host = Plugged(allowed="")
    assert built("flat", host=host).commands["own"].commands == {}
    for words in (["own", "--deep", "one", "another", "--loud"], ["flat", "--loud"]):
        assert built(*words, host=host)(args=words, standalone_mode=False) is None
        assert capsys.readouterr().out == "done True\n"
