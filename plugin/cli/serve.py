"""``bodyworn serve``: the reference host with this plugin. What a host does is in the package ``bodyworn_host``."""

from __future__ import annotations

import importlib
import logging
from contextlib import nullcontext
from pathlib import Path

import click

from ..supervise import DATABASE_VARIABLE
from . import demonstration as example

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--data-dir", type=_PATH, default=Path("var"), show_default=True, help="Where everything is kept.")
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8088, show_default=True, help="0: any free one.")
@click.option(
    "--plugin", "plugins", type=_PATH, multiple=True, help="Folder with a manifest.json; this plugin if none."
)
@click.option("--external-url", default="", help="Address under which other machines reach this host.")
@click.option("--support-contact", default="", help="Whom people turn to when help did not help: name, phone, address.")
@click.option("--certificate", type=_PATH, help="PEM file for HTTPS, with its chain.")
@click.option("--private-key", type=_PATH, help="PEM file of the certificate's key.")
@click.option("--database", envvar=DATABASE_VARIABLE, default="", help="Database of this plugin; SQLite if none.")
@click.option(
    "--admin-password-file", type=_PATH, help="First start: root's password, instead of a token for the first visit."
)
@click.option("--demonstration", is_flag=True, help="A system to look at, with simulated cameras.")
@click.option("--demo-accounts", is_flag=True, help="First start with a password for root: viewer and operator, too.")
@click.option("--reset-root-password", is_flag=True, help="Give root a new password, and print it.")
def command(
    data_dir: Path,
    address: str,
    port: int,
    plugins: tuple[Path, ...],
    external_url: str,
    support_contact: str,
    certificate: Path | None,
    private_key: Path | None,
    database: str,
    admin_password_file: Path | None,
    demonstration: bool,
    demo_accounts: bool,
    reset_root_password: bool,
) -> None:
    """Run the reference host, Harbour VMS, with body worn cameras in it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    host = importlib.import_module("bodyworn_host.serving")
    settings = host.settings(
        data_dir=data_dir,
        address=address,
        port=port,
        plugins=plugins or (Path(__file__).resolve().parent.parent,),
        external_url=external_url,
        support_contact=support_contact,
        certificate=certificate,
        private_key=private_key,
        plugin_databases=(("bodyworn", database),) if database else (),
    )
    if demonstration:
        admin_password_file = example.password_file(data_dir)
        click.echo(f"A demonstration: sign in as root with the password {admin_password_file.read_text()}")
    password = admin_password_file.read_text().strip() if admin_password_file else ""
    shown = example.running(data_dir, settings.base_url) if demonstration else nullcontext()
    try:
        with shown:
            host.run(settings, host.AtStart(password, demo_accounts, reset_root_password), click.echo)
    except (host.HostProblem, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
