"""Answers as tables: nothing is lost on the way, and a spreadsheet runs nothing of it."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib.namespace import XSD
from rdflib.term import Literal, URIRef

from medkg.domain.errors import TooLarge
from medkg.services import tables
from medkg.services.questions import Cell, Question, Sheet

IRI = URIRef("https://w3id.org/medkg/id/action/x")
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"]
STARTS = set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
PLAIN = ["", "text", "1", "-5", "+3.5", "2021-10", "a=b", "http://example.org", "x,y", 'a"b', "two\nlines"]


def sheet(*rows: Sequence[Cell | None]) -> Sheet:
    texts = {"en": "What?", "fr": "Quoi ?", "it": "Cosa?", "pl": "Co?"}
    columns = {name: {"en": name.title(), "pl": f"{name} (pl)"} for name in ("a", "b")}
    question = Question(9, "what", {**texts, "pl": ""}, texts, (), columns, "SELECT")
    return Sheet(question, "pl", 4, {"r": IRI}, {"r": "X"}, ("a", "b"), [tuple(row) for row in rows])


def text(value: str) -> Cell:
    return Cell(Literal(value), value)


def read(found: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(found, newline="")))


def test_an_entity_has_a_column_for_its_iri() -> None:
    """A column with an entity in any row is followed by one of IRIs; others stand alone."""
    found = tables.sheet_as_csv(sheet([Cell(IRI, "The x"), text("1")], [text("y"), None]))

    assert read(found) == [["a", "a_iri", "b"], ["The x", str(IRI), "1"], ["y", "", ""]]
    assert found.endswith("\r\n")


def test_an_answer_without_rows_has_its_header() -> None:
    """The columns are named even when nothing was found."""
    assert tables.sheet_as_csv(sheet()) == "a,b\r\n"


@pytest.mark.parametrize("value", FORMULAS)
def test_csv_runs_nothing(value: str) -> None:
    """A text that a spreadsheet would run gets an apostrophe in front (OWASP, CSV injection)."""
    assert read(tables.sheet_as_csv(sheet([text(value), None])))[1][0] == f"'{value}"


@pytest.mark.parametrize("value", PLAIN)
def test_csv_changes_nothing_else(value: str) -> None:
    """Numbers, dates, quotes, commas and line breaks arrive as they are."""
    assert read(tables.sheet_as_csv(sheet([text(value), text("end")])))[1] == [value, "end"]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_csv_can_be_read_back(pairs: list[tuple[str, str]]) -> None:
    """Any texts come back from the CSV, but for the apostrophe before a formula."""
    found = read(tables.sheet_as_csv(sheet(*([text(one), text(two)] for one, two in pairs))))[1:]

    undone = [
        [cell.removeprefix("'") if before[:1] in STARTS else cell for cell, before in zip(*row, strict=True)]
        for row in zip(found, pairs, strict=True)
    ]
    assert undone == [list(pair) for pair in pairs]


def test_json_keeps_the_terms() -> None:
    """IRIs have a label, texts their language, other literals their datatype; an unbound cell is left out."""
    found = tables.sheet_as_json(
        sheet(
            [Cell(IRI, "The x"), Cell(Literal("śląsk", lang="pl"), "śląsk")],
            [Cell(Literal("007", datatype=XSD.integer, normalize=False), "007"), None],
        )
    )

    assert found["rows"] == [
        {"a": {"id": str(IRI), "label": "The x"}, "b": {"value": "śląsk", "language": "pl"}},
        {"a": {"value": "007", "datatype": str(XSD.integer)}},
    ]
    assert found["columns"] == [{"name": "a", "label": "a (pl)"}, {"name": "b", "label": "b (pl)"}]
    assert found["parameters"] == {"r": {"id": str(IRI), "label": "X"}}
    assert {name: found[name] for name in ("question", "slug", "number", "title", "language", "version")} == {
        "question": "Co?",
        "slug": "what",
        "number": 9,
        "title": "What?",
        "language": "pl",
        "version": 4,
    }
    assert found["count"] == 2


def test_a_workbook_holds_texts_only(tmp_path: Path) -> None:
    """Every cell of a workbook is a text: no formula, no link, no number, whatever it looks like."""
    path = tmp_path / "answer.xlsx"
    values = [*FORMULAS[:4], *PLAIN[1:]]

    tables.write_xlsx(path, ["value"], [[value] for value in values])

    book = openpyxl.load_workbook(path)
    page = book["Answer"]
    cells = [row[0] for row in page.iter_rows()]
    assert [cell.value for cell in cells] == ["value", *values]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    assert page.freeze_panes == "A2"
    book.close()


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path: Path) -> None:
    """A workbook is not cut off silently: too many rows are refused before anything is written."""
    path = tmp_path / "answer.xlsx"

    with pytest.raises(TooLarge, match=r"1,048,576 rows do not fit into a sheet, .* Choose CSV\."):
        tables.write_xlsx(path, ["x"], [["1"]] * 1_048_576)

    assert not path.exists()


def test_csv_of_the_engine_is_read_as_it_is() -> None:
    """Quoted commas, quotes and line breaks of a CSV result are parts of their cells."""
    data = b'a,b\r\n"x,y","two\r\nlines ""quoted"""\r\n'

    assert tables.read_csv(data) == [["a", "b"], ["x,y", 'two\r\nlines "quoted"']]
