"""The command that validates: `medkg validate`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from medkg import terminal
from medkg.domain.model import Severity

__all__ = ["validate"]


class ReportFormat(StrEnum):
    """How `medkg validate` prints its report."""

    text = "text"
    json = "json"
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


def validate(  # noqa: PLR0913, PLR0917 - the options of the command
    file: Annotated[
        Path, typer.Argument(help="The data: Turtle, N-Triples, JSON-LD, RDF/XML, TriG, N-Quads.")
    ],
    shapes: Annotated[
        list[Path],
        typer.Option(
            help="The shapes: a file of RDF with SHACL Core and SHACL-SPARQL. Repeat it for several."
        ),
    ],
    format_: Annotated[
        ReportFormat, typer.Option("--format", help="How to print the report.")
    ] = ReportFormat.text,
    engine: Annotated[EngineName, typer.Option(help="What evaluates the shapes.")] = EngineName.compiled,
    fail_on: Annotated[
        FailOn, typer.Option(help="The least grave finding that gives exit code 1.")
    ] = FailOn.violation,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file.")] = None,
) -> None:
    """Validate a file against shapes; exit 0 good, 1 findings, 2 shapes that can't be used.

    Example: medkg validate data.ttl --shapes shapes.ttl --format ttl
    """
    from medkg.services import standalone
    from medkg.services.validation import Engine

    terminal.check_target(output)
    outcome = standalone.run(file, shapes, engine=Engine(engine), form=format_)
    terminal.write(iter([outcome.body]), output)
    counts = outcome.counts
    if format_ is ReportFormat.text:
        told = ", ".join(f"{counts[severity]} {severity}" for severity in Severity)
        typer.echo(f"medkg: {told}.", err=True)
    grave = list(Severity)[: list(FailOn).index(fail_on) + 1]
    if any(counts[severity] for severity in grave):
        raise typer.Exit(1)
