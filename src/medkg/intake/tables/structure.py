"""What the parts of a workbook say of a sheet beside its values: formulas, merged cells, what is hidden.

The names of elements are those of ECMA-376, part 1, section 18.
"""

import io
import posixpath
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from defusedxml.ElementTree import fromstring, iterparse

from medkg.intake.tables.grid import Merge, letters, parse_range

__all__ = ["Outline", "Structure", "outlines", "structure"]

_MAIN: Final = (
    "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}",
    "{http://purl.oclc.org/ooxml/spreadsheetml/main}",
)
_RELATION_ID: Final = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}id",
)
_MOST_MERGES: Final = 10_000
_YES: Final = ("1", "true")


@dataclass(frozen=True, slots=True)
class Outline:
    """A sheet as the workbook lists it: its name, its part in the file, and whether it is hidden."""

    name: str
    part: str
    hidden: bool


@dataclass(slots=True)
class Structure:
    """Formulas by cell name, with whether a value is kept; hidden rows and columns; merged blocks.

    *rows* and *columns* are the numbers of the last ones that hold something.
    """

    formulas: dict[str, bool] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merges: list[Merge] = field(default_factory=list)
    rows: int = 0
    columns: int = 0

    def take_cell(self, name: str | None, row: int, column: int, children: list[object], columns: int) -> int:
        """Take in a cell behind *column*; return its own column."""
        block = parse_range(name or "")
        at = block.left if block else column + 1
        tags = {_local(getattr(child, "tag", "")): getattr(child, "text", None) for child in children}
        if "is" in tags or tags.get("v") or "f" in tags:
            self.rows, self.columns = max(self.rows, row), max(self.columns, at)
        if "f" in tags and at <= columns:
            self.formulas[f"{letters(at)}{row}"] = tags.get("v") is not None
        return at


def outlines(data: bytes) -> list[Outline]:
    """Return the sheets of a workbook in their order.

    :raises Exception: whatever goes wrong with a part that is not as it should be; the caller catches all.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        relations = _relations(archive, "_rels/.rels", "")
        book = next((part for type_, part in relations.values() if type_.endswith("/officeDocument")), "")
        folder, name = posixpath.split(book or "xl/workbook.xml")
        parts = _relations(archive, f"{folder}/_rels/{name}.rels", folder)
        found: list[Outline] = []
        for element in fromstring(archive.read(f"{folder}/{name}")).iter():
            if _local(element.tag) == "sheet":
                relation = next((element.get(key, "") for key in _RELATION_ID if key in element.attrib), "")
                part = parts.get(relation, ("", ""))[1]
                hidden = element.get("state", "visible") != "visible"
                found.append(Outline(element.get("name", ""), part, hidden))
        return found


def structure(data: bytes, part: str, columns: int, rows: int) -> Structure:
    """Return what one sheet has beside its values; cells right of *columns* only count as such.

    Nothing is read on when there are more than *rows*.

    :raises Exception: as :func:`outlines`.
    """
    found = Structure()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(part) as stream:
        row = column = 0
        for event, element in iterparse(stream, events=("start", "end")):
            tag = _local(element.tag)
            if event == "start":
                if tag == "row":
                    row, column = int(element.get("r") or row + 1), 0
                    if element.get("hidden") in _YES:
                        found.hidden_rows.add(row)
                continue
            if tag == "c":
                column = found.take_cell(element.get("r"), row, column, list(element), columns)
                element.clear()
            elif tag == "row":
                element.clear()
                if found.rows > rows:
                    break
            elif tag == "col":
                _take_column(found, element.attrib, columns)
            elif tag == "mergeCell" and len(found.merges) < _MOST_MERGES:
                block = parse_range(element.get("ref", ""))
                found.merges += [block] if block else []
    return found


def _take_column(found: Structure, attributes: Mapping[str, str], columns: int) -> None:
    if attributes.get("hidden") in _YES:
        first, last = int(attributes.get("min", 0)), int(attributes.get("max", 0))
        found.hidden_columns.update(range(max(first, 1), min(last, columns) + 1))


def _relations(archive: zipfile.ZipFile, name: str, folder: str) -> dict[str, tuple[str, str]]:
    """Return type and part of each relation by its identifier."""
    return {
        element.get("Id", ""): (element.get("Type", ""), _part(folder, element.get("Target", "")))
        for element in fromstring(archive.read(name))
    }


def _part(folder: str, target: str) -> str:
    joined = target if target.startswith("/") else posixpath.join(folder, target)
    return posixpath.normpath(joined).lstrip("/")


def _local(tag: object) -> str:
    """Return the name of an element of a workbook without its namespace."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
