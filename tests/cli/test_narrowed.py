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
    commands = one.commands["corpus"].commands

    assert list(one.commands) == list(whole.commands)
    assert list(commands) == list(whole.commands["corpus"].commands)
    assert {"--deep", "--json"} <= options(commands["check"])
    assert [name for name in commands if options(commands[name]) - {"--help", "-h"}] == ["check"]
    assert one.commands["explore"].commands == {}
    assert "list" in built("explore", "library", "list").commands["explore"].commands["library"].commands


def test_what_is_listed_has_its_help():
    whole, one = built(), built("corpus", "check")
    for told, listed in ((whole, one), (whole.commands["corpus"], one.commands["corpus"])):
        for name, command in told.commands.items():
            assert listed.commands[name].get_short_help_str() == command.get_short_help_str()


def test_a_group_that_is_typed_alone_is_whole():
    for words in (("corpus",), ("corpus", "--help"), ("--cache", "there", "corpus", "-h")):
        commands = built(*words).commands["corpus"].commands
        assert all(options(commands[name]) - {"--help", "-h"} for name in commands if name != "sources")


def test_a_group_with_options_of_its_own_and_one_without_a_name_are_left_as_they_are(capsys):
    host = Plugged(allowed="")
    for words in (["own", "--deep", "one", "another", "--loud"], ["flat", "--loud"]):
        assert built(*words, host=host)(args=words, standalone_mode=False) is None
        assert capsys.readouterr().out == "done True\n"
