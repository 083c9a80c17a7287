"""The command line: reads the call, asks a service, prints; errors become one line and an exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated, Never

import typer

from medkg import __version__, cli_backup, cli_query, cli_tokens, cli_validate, config, terminal
from medkg.cli_query import DataDir
from medkg.domain.errors import MedkgError
from medkg.domain.model import Finding, Report, Severity
from medkg.domain.namespaces import BASE, display

__all__ = ["app", "main"]


app = typer.Typer(
    name="medkg",
    help="The open knowledge graph of Europe's MedTech smart-specialisation ecosystem.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(cli_query.ask)
app.command()(cli_query.query)
app.command()(cli_validate.validate)
app.command()(cli_backup.backup)
app.command()(cli_backup.restore)
app.add_typer(cli_tokens.app)

_TERMINATED = 128 + signal.SIGTERM


def main() -> None:
    """Run the command line; exit 0 good, 1 the input is bad, 2 the call is wrong, 3 the service failed."""
    try:
        with _tidy():
            app(prog_name="medkg")
    except MedkgError as error:
        for finding in getattr(error, "findings", ()):
            terminal.console(stderr=True).print(f"  {finding}", highlight=False, soft_wrap=True, markup=False)
        _fail(f"medkg: {error}", error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        _fail(f"medkg: {error.filename or 'the output'}: {error.strerror}", MedkgError.exit_code)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"medkg {__version__}")
        raise typer.Exit


@app.command()
def build(
    data_dir: DataDir = None,
    dump: Annotated[
        Path | None, typer.Option(help="Also write the whole graph as canonical N-Quads to this file.")
    ] = None,
) -> None:
    """Build the graph from ontology, vocabularies, shapes and data, checked with SHACL.

    Nothing is replaced when a file is broken or a shape is violated. A running service goes on answering, and
    serves the new version at once.

    Example: medkg build --dump graph.nq
    """
    _build(config.load(data_dir=data_dir), dump)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (setting MEDKG_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (setting MEDKG_PORT).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the graph over HTTP; builds it first when there is none.

    One service runs on a data folder. Builds and restores are taken up while it runs.

    Example: medkg serve --port 8080
    """
    from medkg.store.control import Tenure
    from medkg.store.keeper import Nursery
    from medkg.store.snapshots import Snapshots

    settings = config.load(host=host, port=port, data_dir=data_dir)
    with ExitStack() as stack:
        # It starts while the web framework is loaded.
        nursery = None if settings.store_url else stack.enter_context(closing(Nursery.spawn()))
        from medkg_api import server

        socket = stack.enter_context(server.listening(settings))
        if settings.store_url is None and Snapshots(settings.data_dir).current() is None:
            _build(settings, None)
        tenure = stack.enter_context(Tenure(settings.data_dir))
        server.run(settings, socket, tenure, lambda address: typer.echo(f"medkg serves {address}"), nursery)


@app.command()
def roadmap(
    file: Annotated[Path, typer.Argument(help="The extracted text of a roadmap table (UTF-8).")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write a .csv or .xlsx file; without it, print a table."),
    ] = None,
) -> None:
    """Read the text of a roadmap table, noise and all, into clean rows; every repair is logged.

    Example: medkg roadmap roadmap.txt -o roadmap.xlsx
    """
    from medkg.services import roadmaps

    table = roadmaps.read(file)
    if output is not None:
        roadmaps.write(table, output)
    else:
        terminal.print_table(roadmaps.columns(), list(roadmaps.rows(table)))
    errors = terminal.console(stderr=True)
    for line in roadmaps.log(table):
        errors.print(line, highlight=False, markup=False, soft_wrap=True)
    errors.print(f"{len(table.rows)} actions, {len(table.repairs)} repairs", highlight=False)


def _build(settings: config.Settings, dump: Path | None) -> None:
    from medkg.services import build as service
    from medkg.services.sources import Folders
    from medkg.store.control import borrowed

    terminal.check_target(dump)
    with borrowed(settings.data_dir, "a build"), terminal.progress() as progress:
        summary = service.build(
            settings.data_dir,
            Folders.installed(),
            progress=progress,
            source_date=config.source_date(),
            dump=dump,
        )
    report = summary.report
    terminal.print_table(
        ["Graph", "Triples"],
        [[name.removeprefix(BASE), f"{count:,}"] for name, count in summary.graphs.items()],
    )
    terminal.print_table(
        ["Class", "Entities"], [[display(name), f"{count:,}"] for name, count in summary.classes.items()]
    )
    if report.findings:
        terminal.print_table(["Code", "Severity", "Number", "For example"], _by_code(report))
    warnings, infos = report.of(Severity.WARNING), report.of(Severity.INFO)
    typer.echo(
        f"Version {summary.version}: {sum(summary.graphs.values()):,} quads in {len(summary.graphs)} graphs, "
        f"{summary.merged:,} triples in the merge; no violations, {len(warnings)} warnings, "
        f"{len(infos)} infos; "
        f"{summary.seconds:.1f} s\nSHA-256 of the canonical N-Quads: {summary.sha256}"
    )


def _by_code(report: Report) -> list[list[str]]:
    """Return the findings by code: how many, and one of them."""
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.code, []).append(finding)
    return [
        [code, str(found[0].severity), str(len(found)), f"{display(found[0].focus)}: {found[0].message}"]
        for code, found in groups.items()
    ]


@contextmanager
def _tidy() -> Iterator[None]:
    """Have a command that is terminated put away what it has begun."""

    def stop(number: int, frame: object) -> Never:
        del number, frame
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fail(message: str, code: int) -> Never:
    typer.echo(message, err=True)
    raise SystemExit(code)
