"""The commands that read: `medkg query` and `medkg ask`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from medkg import assets, config, terminal
from medkg.domain.errors import CallError, NotAcceptable
from medkg.domain.model import QueryRequest
from medkg.domain.namespaces import display

__all__ = ["AnswerFormat", "DataDir", "Language", "QueryFormat", "ask", "query"]

DataDir = Annotated[
    Path | None, typer.Option(help="Folder of the built graph (setting MEDKG_DATA_DIR).", show_default=False)
]


class QueryFormat(StrEnum):
    """How `medkg query` prints an answer."""

    table = "table"
    json = "json"
    xml = "xml"
    csv = "csv"
    tsv = "tsv"
    xlsx = "xlsx"
    ttl = "ttl"
    nt = "nt"
    jsonld = "jsonld"
    rdfxml = "rdfxml"


class AnswerFormat(StrEnum):
    """How `medkg ask` prints an answer."""

    table = "table"
    json = "json"
    csv = "csv"


class Language(StrEnum):
    """A language of the saved questions."""

    en = "en"
    fr = "fr"
    it = "it"
    pl = "pl"


def query(
    text: Annotated[
        str | None, typer.Argument(help="The SPARQL query; - reads it from standard input.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the query from a file.")] = None,
    format_: Annotated[
        QueryFormat | None,
        typer.Option(
            "--format", help="Default: what the name of the file says, else a table, or ttl for graphs."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Ask the built graph a SPARQL query.

    Example: medkg query "SELECT ?p WHERE { ?p a medkg:Partnership } LIMIT 5"
    """
    request = QueryRequest(_query_text(text, file))
    terminal.check_target(output)
    if format_ is None and output is not None:
        format_ = _format_of(output)
    if format_ is QueryFormat.table and output is not None:
        raise CallError("A table is for the terminal.", remedy="Choose another format for a file.")
    with _engine(data_dir) as engine:
        if format_ in {None, QueryFormat.table}:
            _print_solutions(engine, request)
        elif format_ is QueryFormat.xlsx:
            _write_workbook(engine, request, output)
        else:
            terminal.write(engine.run(request, str(format_)).chunks, output)


def ask(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(help="Slug or number; without it, the list.")] = None,
    format_: Annotated[
        AnswerFormat, typer.Option("--format", help="How to print the answer.")
    ] = AnswerFormat.table,
    lang: Annotated[Language, typer.Option(help="Language of the answer.")] = Language.en,
    data_dir: DataDir = None,
) -> None:
    """Answer a saved question; its parameters are given as --name value.

    Example: medkg ask actions-in-region --region Veneto --lang it
    """
    from medkg.services import questions, tables
    from medkg.services.names import Names

    known = questions.load(assets.directory("data") / "questions")
    if question is None:
        _list_questions(known, lang)
        return
    asked = questions.find(known, question)
    given = _given(context.args)
    with _engine(data_dir) as engine:
        sheet = questions.ask(engine, Names(engine), asked, given, lang)
    if format_ is AnswerFormat.json:
        terminal.console().print_json(data=tables.sheet_as_json(sheet))
    elif format_ is AnswerFormat.csv:
        sys.stdout.write(tables.sheet_as_csv(sheet))
    else:
        rows = [[cell.label if cell else "" for cell in row] for row in sheet.rows]
        terminal.console().print(asked.worded(sheet.values, lang), highlight=False, markup=False)
        terminal.print_table([sheet.heading(name) for name in sheet.columns], rows)


@contextmanager
def _engine(data_dir: Path | None) -> Iterator[Any]:
    from medkg.store.embedded import EmbeddedEngine
    from medkg.store.policy import Limits

    settings = config.load(data_dir=data_dir)
    engine = EmbeddedEngine(
        settings.data_dir, limits=Limits(settings.max_query_bytes, settings.max_query_depth)
    )
    try:
        yield engine
    finally:
        engine.close()


def _query_text(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise CallError("Give either a query or a file with one.", remedy="See `medkg query --help`.")
    if text == "-":
        return sys.stdin.read()
    if file is None:
        return str(text)
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CallError(f"The file {file} can't be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise CallError(f"The file {file} is not UTF-8 text (byte {error.start}).") from None


def _print_solutions(engine: Any, request: QueryRequest) -> None:
    """Print a SELECT as a table, and any other answer as the engine writes it."""
    import json

    answer = engine.run(request, "application/sparql-results+json, text/turtle;q=0.9")
    body = b"".join(answer.chunks)
    if answer.format.kind == "graph":
        sys.stdout.write(body.decode())
        return
    found = json.loads(body)
    if "boolean" in found:
        typer.echo("yes" if found["boolean"] else "no")
        return
    names = found["head"]["vars"]
    rows = [
        [display(row[name]["value"]) if name in row else "" for name in names]
        for row in found["results"]["bindings"]
    ]
    terminal.print_table(names, rows)


def _write_workbook(engine: Any, request: QueryRequest, output: Path | None) -> None:
    from medkg.services import tables

    if output is None:
        raise CallError("A workbook needs a file to go to.", remedy="Add -o answer.xlsx.")
    try:
        answer = engine.run(request, "csv")
    except NotAcceptable:
        raise CallError(
            "A workbook holds rows, and this query makes a graph.", remedy="Choose ttl, nt, jsonld or rdfxml."
        ) from None
    solutions = tables.read_csv(b"".join(answer.chunks))
    tables.write_xlsx(output, solutions[0], solutions[1:])


def _format_of(path: Path) -> QueryFormat:
    try:
        return QueryFormat(path.suffix.removeprefix("."))
    except ValueError:
        raise CallError(f"The name {path} says no format.", remedy="Add --format.") from None


def _list_questions(known: Any, lang: str) -> None:
    rows = [
        [
            str(item.number),
            item.slug,
            item.worded({}, lang),
            ", ".join(f"--{entry.name}" for entry in item.parameters),
        ]
        for item in known
    ]
    terminal.print_table(["No.", "Name", "Question", "Parameters"], rows)


def _given(arguments: list[str]) -> dict[str, str]:
    """Read ``--name value`` and ``--name=value`` pairs."""
    given: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if not name.startswith("--") or (not equals and (value := next(rest, "")) == ""):
            raise CallError(f"{argument!r} is no parameter.", remedy="Give parameters as --name value.")
        given[name[2:]] = value
    return given
