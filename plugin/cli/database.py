"""``bodyworn db``: the plugin's own tables."""

from __future__ import annotations

import click

from ..migrations.run import upgrade
from ..models import Database
from ..supervise import DATABASE_VARIABLE


@click.group()
def command() -> None:
    """Look after the plugin's tables."""


@command.command("upgrade")
@click.option("--database", envvar=DATABASE_VARIABLE, required=True, help=f"Better given in {DATABASE_VARIABLE}.")
def upgrade_command(database: str) -> None:
    """Bring the tables to the version of this plugin."""
    upgrade(Database.at(database).engine)
    click.echo("The tables are up to date.")
