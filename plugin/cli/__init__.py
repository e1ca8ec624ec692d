"""The command ``bodyworn``: one module a command, imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from ..const import VERSION
from ..errors import BodywornError

#: Command and the module here that has it.
COMMANDS: Final = {
    "serve": "serve",
    "controller": "controller",
    "simulate": "simulate",
    "camera": "camera",
    "dock": "dock",
    "helper": "helper",
    "transfer": "transfer",
    "verify": "verify",
    "conformance": "conformance",
    "db": "database",
}


class Commands(click.Group):
    """Finds a command's module by name, and says errors as sentences with what to do."""

    def list_commands(self, context: click.Context) -> list[str]:
        """List the commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command that is asked for."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f".{COMMANDS[name]}", __package__)
        command: click.Command = module.command
        return command

    def invoke(self, context: click.Context) -> Any:
        """Run it; an error of ours becomes its sentence, and the exit code 1."""
        try:
            return super().invoke(context)
        except BodywornError as error:
            raise click.ClickException(f"{error} {error.advice}".strip()) from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="bodyworn")
def main() -> None:
    """Manage body worn cameras: their docks, their recordings, and where these go."""
