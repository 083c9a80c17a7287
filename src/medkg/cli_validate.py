"""The command that validates: `medkg validate`."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from medkg import config, terminal
from medkg.cli_query import DataDir, Language
from medkg.domain.errors import CallError
from medkg.domain.model import Severity

__all__ = ["validate"]


class ReportFormat(StrEnum):
    """How `medkg validate` prints its report."""

    text = "text"
    json = "json"
    html = "html"
    csv = "csv"
    sarif = "sarif"
    xlsx = "xlsx"
    ttl = "ttl"
    nt = "nt"
    jsonld = "jsonld"
    rdfxml = "rdfxml"


class EngineName(StrEnum):
    """What evaluates the shapes."""

    compiled = "compiled"
    reference = "reference"


class FailOn(StrEnum):
    """The least grave findings that make the command fail."""

    violation = "violation"
    warning = "warning"
    info = "info"


class Profile(StrEnum):
    """How strict a validation is."""

    draft = "draft"
    submission = "submission"
    publication = "publication"


def validate(  # noqa: PLR0913, PLR0917 - the options of the command
    file: Annotated[Path, typer.Argument(help="Turtle, N-Triples, JSON-LD, RDF/XML, CSV or XLSX.")],
    profile: Annotated[Profile, typer.Option(help="How strict to be.")] = Profile.submission,
    format_: Annotated[
        ReportFormat, typer.Option("--format", help="How to print the report.")
    ] = ReportFormat.text,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.en,
    namespace: Annotated[
        str, typer.Option(help="What the addresses of your records begin with.")
    ] = "https://w3id.org/medkg/id/",
    fail_on: Annotated[
        FailOn, typer.Option(help="The least grave finding that gives exit code 1.")
    ] = FailOn.violation,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
    shapes: Annotated[
        list[Path] | None,
        typer.Option(help="Use these shapes, and nothing else. Repeat it for several files."),
    ] = None,
    engine: Annotated[
        EngineName, typer.Option(help="With --shapes: what evaluates them.")
    ] = EngineName.compiled,
    data_dir: DataDir = None,
) -> None:
    """Validate a file that is to be submitted, beside the built graph; or any file with shapes of its own.

    Exit 0 good, 1 findings, 2 shapes that can't be used.

    Example: medkg validate actions.xlsx --lang pl
    """
    terminal.check_target(output)
    if shapes:
        counts = _standalone(file, shapes, engine, format_, output)
    else:
        counts = _submission(file, profile, format_, lang, namespace, output, data_dir)
    grave = list(Severity)[: list(FailOn).index(fail_on) + 1]
    if any(counts[severity] for severity in grave):
        raise typer.Exit(1)


def _standalone(
    file: Path, shapes: list[Path], engine: EngineName, format_: ReportFormat, output: Path | None
) -> Mapping[Severity, int]:
    from medkg.services import standalone
    from medkg.services.validation import Engine

    if format_ in {ReportFormat.html, ReportFormat.csv, ReportFormat.sarif, ReportFormat.xlsx}:
        raise CallError(f"With --shapes there is no format {format_}.", remedy="Choose text, json or RDF.")
    outcome = standalone.run(file, shapes, engine=Engine(engine), form=format_)
    terminal.write(iter([outcome.body]), output)
    if format_ is ReportFormat.text:
        told = ", ".join(f"{outcome.counts[severity]} {severity}" for severity in Severity)
        typer.echo(f"medkg: {told}.", err=True)
    return outcome.counts


def _submission(  # noqa: PLR0913, PLR0917 - the options of the command
    file: Path,
    profile: Profile,
    format_: ReportFormat,
    lang: Language,
    namespace: str,
    output: Path | None,
    data_dir: Path | None,
) -> Mapping[Severity, int]:
    from medkg.services.reports import faces, texts
    from medkg.services.validate import validate as examine

    settings, words = config.load(data_dir=data_dir), texts.load()
    examined = examine(
        file, settings.data_dir, profile=profile, language=lang, namespace=namespace, texts=words
    )
    width = terminal.console().width
    body = faces.render(examined, format_, words, document=file.read_bytes(), width=width)
    terminal.write(iter([body]), output)
    counts: Mapping[Severity, int] = examined.report.counts
    return counts
