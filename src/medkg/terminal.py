"""What the command line prints with: tables, progress, and bytes to a file or a pipe."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from medkg.domain.errors import CallError

if TYPE_CHECKING:
    # The build brings pySHACL along, which takes a second to import and which most commands do not need.
    from medkg.services import build

__all__ = ["check_target", "console", "print_table", "progress", "write"]

_PIPE_WIDTH: Final = 10_000
"""A pipe has no width; folding a line there would spoil what programs read."""


@contextmanager
def progress() -> "Iterator[build.Progress]":
    """Yield the listener of a build: a bar on a terminal, a plain line per stage elsewhere."""
    errors = console(stderr=True)
    if not errors.is_terminal:
        seen: list[str] = []

        def line(stage: str, done: int, total: int) -> None:
            del done, total
            if stage not in seen:
                seen.append(stage)
                errors.print(f"{stage} ...", highlight=False)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("Starting", total=None)
        yield lambda stage, done, total: bar.update(
            task, description=stage, completed=done, total=total or None
        )


def write(chunks: Iterator[bytes], output: Path | None) -> None:
    """Write bytes to a file, or to the standard output."""
    if output is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    with output.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)


def check_target(path: Path | None) -> None:
    """Refuse a file that can't be written before the work for it is done.

    :raises CallError: it is a folder, or its folder is not there.
    """
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise CallError(f"The file {path} can't be written.", remedy="Name a file in a folder that is there.")


def print_table(header: Sequence[str], rows: Sequence[Iterable[str]]) -> None:
    """Print a table, or that there is nothing in it."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table, highlight=False, markup=False) if rows else typer.echo("no rows")


def console(*, stderr: bool = False) -> Console:
    """Return the console of an output stream."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _PIPE_WIDTH)
