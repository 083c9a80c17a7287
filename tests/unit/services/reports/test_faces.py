"""Every format is made of the same report, by its name."""

import csv
import io
import json

import openpyxl
import pytest
from rdflib import Graph
from rdflib.namespace import RDF, SH
from rdflib.term import Literal, URIRef
from tests.unit.services.examining import GOOD, HEAD, submitted
from tests.unit.services.reports.samples import CATALOGUE

from medkg.domain.errors import NotAcceptable
from medkg.domain.submission import Decision
from medkg.services.reports.faces import DOCUMENT, FACES, render

BAD = GOOD.replace("nuts:PL22", "nuts:XX99").replace("medkg:usesKET", "owl:sameAs")
TABLE = "id,title,description,region,start\nx1,A centre for imaging,What is to be done,PL22,2021-13\n"
SYNTAX = {"ttl": "turtle", "nt": "nt", "rdfxml": "xml", "jsonld": "json-ld"}


def test_the_first_format_is_the_canonical_one() -> None:
    """Who asks for nothing gets JSON; no name and no type stands for two formats."""
    assert FACES[0].name == "json"
    types = [kind for face in FACES for kind in face.media_types]
    assert len(types) == len(set(types))
    assert len({face.name for face in FACES}) == len(FACES)


@pytest.mark.parametrize("name", [face.name for face in FACES if face.name != "xlsx"])
@pytest.mark.parametrize("text", [GOOD, BAD, "broken", ""], ids=["good", "bad", "broken", "empty"])
def test_every_format_can_be_made(name: str, text: str) -> None:
    """Whatever was sent, there is a report in each format, in UTF-8."""
    assert render(submitted(text), name, CATALOGUE, document=(HEAD + text).encode()).decode("utf-8").strip()


def test_the_formats_tell_the_same() -> None:
    """JSON, CSV, SARIF, text and HTML have the same codes."""
    examined = submitted(BAD)
    codes = sorted(item.code for item in examined.report.findings)
    assert {"R-02", "N-02"} <= set(codes)
    made = {name: render(examined, name, CATALOGUE).decode("utf-8-sig") for name in ("json", "csv", "sarif")}
    assert sorted(item["code"] for item in json.loads(made["json"])["findings"]) == codes
    assert sorted(row["code"] for row in csv.DictReader(io.StringIO(made["csv"]))) == codes
    assert sorted(item["ruleId"] for item in json.loads(made["sarif"])["runs"][0]["results"]) == codes
    for name in ("text", "html", "part"):
        shown = render(examined, name, CATALOGUE).decode()
        assert all(code in shown for code in codes)


def test_a_text_shows_the_line_of_the_document() -> None:
    """The line that a finding is about is shown as it was sent."""
    assert "nuts:XX99" in render(submitted(BAD), "text", CATALOGUE, document=(HEAD + BAD).encode()).decode()


@pytest.mark.parametrize("name", [name for name in SYNTAX if name != "jsonld"])
@pytest.mark.parametrize("text", [GOOD, BAD, "broken"], ids=["good", "bad", "broken"])
def test_rdf_holds_one_report(name: str, text: str) -> None:
    """It conforms when nothing was found; what no shape found is in it, too, with its code in the message."""
    examined = submitted(text)
    graph = Graph().parse(data=render(examined, name, CATALOGUE), format=SYNTAX[name])
    (head,) = graph.subjects(RDF.type, SH.ValidationReport)
    assert graph.value(head, SH.conforms) == Literal(not examined.findings)
    results = list(graph.objects(head, SH.result))
    assert len(results) == len(examined.findings)
    assert all(isinstance(graph.value(item, SH.resultSeverity), URIRef) for item in results)
    others = list(graph.subjects(SH.sourceConstraintComponent, DOCUMENT))
    messages = " ".join(str(graph.value(item, SH.resultMessage)) for item in others)
    assert all(item.code in messages for item in examined.findings if not item.component)


def test_json_ld_is_json_with_the_report() -> None:
    """The report has its type, and the word on conforming."""
    text = json.dumps(json.loads(render(submitted(BAD), "jsonld", CATALOGUE)))
    assert str(SH.ValidationReport) in text
    assert str(SH.conforms) in text


@pytest.mark.parametrize("profile", ["submission", "publication"])
def test_severities_are_those_of_the_profile(profile: str) -> None:
    """RDF and JSON do not disagree on how grave something is."""
    examined = submitted(GOOD.replace("medkg:concernsOrganisation organisation:alpha ;", ""), profile=profile)
    graph = Graph().parse(data=render(examined, "ttl", CATALOGUE), format="turtle")
    (severity,) = graph.objects(None, SH.resultSeverity)
    assert str(severity).rpartition("#")[2].lower() == examined.findings[0].severity


def test_a_table_comes_back_as_a_workbook() -> None:
    """The rows of a CSV file are those of the workbook, and a wrong cell is marked."""
    examined = submitted(TABLE, "text/csv")
    book = openpyxl.load_workbook(io.BytesIO(render(examined, "xlsx", CATALOGUE, document=TABLE.encode())))
    sheet = book.worksheets[0]
    assert sheet["B2"].value == "A centre for imaging"
    assert sheet["E2"].comment is not None


@pytest.mark.parametrize(
    ("text", "kind"), [(GOOD, "text/turtle"), ("", "text/csv"), ("no workbook", "text/turtle")]
)
def test_what_is_no_table_does_not_come_back(text: str, kind: str) -> None:
    """RDF, and a table that can't be read, have no workbook."""
    examined = submitted(text, kind)
    assert examined.report.decision in {Decision.ACCEPTED, Decision.UNREADABLE}
    with pytest.raises(NotAcceptable):
        render(examined, "xlsx", CATALOGUE, document=text.encode())
