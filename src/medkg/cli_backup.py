"""The commands `medkg backup` and `medkg restore`."""

from pathlib import Path
from typing import Annotated

import typer

from medkg import config, terminal
from medkg.cli_query import DataDir

__all__ = ["backup", "restore"]

_EXTERNAL = (
    "The operational database is a server's (setting MEDKG_DATABASE_URL) and is not part of a backup. "
    "Use the tools of that server, such as pg_dump."
)


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; it must be new, or empty.")],
    data_dir: DataDir = None,
) -> None:
    """Copy the whole state, graph and operational database, into a folder; a service may be running.

    Example: medkg backup /backup/medkg-monday
    """
    from medkg.services import backup as service

    settings = config.load(data_dir=data_dir)
    with terminal.progress() as progress:
        made = service.backup(settings.data_dir, folder, url=_url(settings), progress=progress)
    size = sum(entry.size for entry in made.files.values())
    typer.echo(
        f"Version {made.version} is in {folder}: {made.graphs:,} graphs, {made.triples:,} triples in the "
        f"merge, {len(made.files)} files, {size / 1_000_000:,.1f} MB."
    )
    _tell(made.database)


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder that `medkg backup` has written.")],
    data_dir: DataDir = None,
) -> None:
    """Make a backup the current state, as a new version; a running service serves it at once.

    Every file is compared with its hash first. Writes that were accepted after the backup are undone.

    Example: medkg restore /backup/medkg-monday
    """
    from medkg.services import backup as service

    settings = config.load(data_dir=data_dir)
    with terminal.progress() as progress:
        version, made = service.restore(settings.data_dir, folder, url=_url(settings), progress=progress)
    typer.echo(f"Version {version} is the version {made.version} that was backed up on {made.made}.")
    _tell(made.database)


def _tell(database: str) -> None:
    if database == "external":
        typer.echo(_EXTERNAL, err=True)
    elif database == "none":
        typer.echo("The backup holds no operational database: there was none.", err=True)


def _url(settings: config.Settings) -> str | None:
    return settings.database_url.get_secret_value() if settings.database_url else None
