"""The commands `medkg token ...`: make, list and revoke access tokens."""

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medkg import config, terminal
from medkg.domain.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medkg.state.database import Database
    from medkg.state.tokens import Token

__all__ = ["app"]

app = typer.Typer(
    name="token",
    help="Access tokens: a role, and for submitters a namespace.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the built graph (setting MEDKG_DATA_DIR).", show_default=False)
]
Name = Annotated[str, typer.Argument(help="Name of the token: who uses it, or for what.")]


class ListFormat(StrEnum):
    """How `medkg token list` prints."""

    table = "table"
    json = "json"


@app.command()
def create(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the token lets its holder do.")],
    namespace: Annotated[
        str | None, typer.Option(help="Of a submitter: what the slugs of all that is submitted begin with.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print its secret, once, on standard output.

    Example: medkg token create veneto --role submitter --namespace veneto
    """
    from medkg.services import tokens

    with _database(data_dir, create=True) as database:
        _, secret = tokens.create(database, tokens.local_author(), name, role, namespace)
    typer.echo(
        f"The token {name} has the role {role}. It is shown this once; keep it secret.\n"
        "Send it as the header `Authorization: Bearer TOKEN`.",
        err=True,
    )
    typer.echo(secret)


@app.command(name="list")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    format_: Annotated[
        ListFormat, typer.Option("--format", help="How to print the list.")
    ] = ListFormat.table,
    data_dir: DataDir = None,
) -> None:
    """List the tokens; secrets are not stored and can't be shown.

    Example: medkg token list --format json
    """
    from medkg.services import tokens

    with _database(data_dir) as database:
        found = [_fields(token) for token in tokens.listing(database, revoked=all_)]
    if format_ is ListFormat.json:
        terminal.console().print_json(data=found)
        return
    header = ["Name", "Role", "Namespace", "Id", "Created", "Created by", "Revoked"]
    terminal.print_table(header, [[value or "" for value in fields.values()] for fields in found])


@app.command()
def revoke(name: Name, data_dir: DataDir = None) -> None:
    """Revoke a token; a running service refuses it from the next request on.

    Example: medkg token revoke veneto
    """
    from medkg.services import tokens

    with _database(data_dir) as database:
        tokens.revoke(database, tokens.local_author(), name)
    typer.echo(f"The token {name} is revoked.")


@contextmanager
def _database(data_dir: Path | None, *, create: bool = False) -> "Iterator[Database]":
    """Open the operational database; it takes writers beside a running service."""
    from medkg.state.database import Database

    settings = config.load(data_dir=data_dir)
    url = settings.database_url
    with Database.open(settings.data_dir, url.get_secret_value() if url else None, create=create) as database:
        yield database


def _fields(token: "Token") -> dict[str, str | None]:
    """Return what is told of a token, in the order of the columns."""
    return {
        "name": token.name,
        "role": str(token.role),
        "namespace": token.namespace,
        "id": token.id,
        "created": token.created.isoformat(timespec="seconds"),
        "created_by": token.created_by,
        "revoked": token.revoked.isoformat(timespec="seconds") if token.revoked else None,
    }
