"""The rows of a table as records: which belong together, what they are called, what they state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Place, Term
from medkg.domain.namespaces import MEDKG, RDF, slugify
from medkg.domain.naming import slug
from medkg.domain.submission import Statement
from medkg.intake.tables.codes import Code
from medkg.intake.tables.columns import Column, ColumnMap
from medkg.intake.tables.grid import Cell, Merge, Row, Sheet, letters
from medkg.intake.tables.headings import Header
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.notes import Notes, Refused
from medkg.intake.tables.texts import Text
from medkg.intake.tables.values import Values

__all__ = ["Records"]

_LONGEST_SLUG: Final = 80
_LANGUAGE: Final = "en"
"""What texts are taken for where the table does not say their language."""


@dataclass(slots=True)
class _Text:
    """A text that may go on in the rows below."""

    predicate: URIRef
    language: str
    text: str
    place: Place


@dataclass(slots=True)
class _Draft:
    """A record that is being read: what each column states; *dropped* when its identifier is taken.

    *keys* has the texts of the cells that may name it: they were looked at before.
    """

    subject: URIRef
    place: Place
    language: str
    dropped: bool = False
    keys: Mapping[int, Text | None] = field(default_factory=dict)
    terms: dict[int, list[tuple[URIRef, Term, Place]]] = field(default_factory=dict)
    texts: dict[int, _Text] = field(default_factory=dict)

    def statements(self) -> Iterator[Statement]:
        """Yield the statements in the order of the columns, each once."""
        yield Statement(self.subject, RDF.type, MEDKG.InnovationAction, self.place)
        seen: set[tuple[URIRef, Term]] = set()
        for at in sorted(self.terms.keys() | self.texts.keys()):
            found = list(self.terms.get(at, ()))
            if text := self.texts.get(at):
                found.append((text.predicate, Literal(text.text, lang=text.language), text.place))
            for predicate, term, place in found:
                if (predicate, term) not in seen:
                    seen.add((predicate, term))
                    yield Statement(self.subject, predicate, term, place)


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet, its headings, and the columns that there may be."""

    sheet: Sheet
    header: Header
    columns: ColumnMap


class Records:
    """Reads the rows below the headings; :attr:`places` has where each record begins, once it is read."""

    def __init__(
        self, table: Table, values: Values, notes: Notes, namespace: str, limits: TableLimits
    ) -> None:
        self.places: dict[URIRef | BNode, Place] = {}
        self._sheet = table.sheet
        self._header = table.header
        self._columns = table.columns
        self._values = values
        self._notes = notes
        self._namespace = namespace
        self._limits = limits
        self._width = max(row.width for row in table.header.rows)
        self._keys = (*table.header.of("id"), *table.header.of("title"))
        self._cells: dict[URIRef, Place] = {}
        self._stray: set[int] = set()
        self._merges: dict[int, list[Merge]] = {}
        self._active: dict[int, tuple[Merge, Cell, Place]] = {}

    @property
    def start(self) -> Place:
        """Where the headings end."""
        row = self._header.rows[-1]
        return self._sheet.place(row, min(row.cells))

    def read(self) -> Iterator[Statement]:
        """Yield the statements of all records.

        :raises Refused: there are more rows than the limit.
        """
        self._tell_language()
        self._take_merges()
        current: _Draft | None = None
        count = 0
        for row in self._sheet.rows():
            if row.number <= self._header.last or not row.cells:
                continue
            count += 1
            if count > self._limits.rows:
                place = self._sheet.place(row, 1)
                raise Refused(Code.TOO_MANY_ROWS, place, limit=str(self._limits.rows))
            self._tell_row(row)
            known = {at: cell for at, cell in row.cells.items() if at in self._header.headings}
            if not known or self._repeats_header(row):
                continue
            if current and self._goes_on(current, known):
                place = self._sheet.place(row, min(known))
                self._notes.add(Code.CONTINUED, place, current.subject, above=current.place.cell)
            else:
                if current and not current.dropped:
                    yield from current.statements()
                current = self._begin(row, known)
            if current:
                self._take(current, row, known)
        if current and not current.dropped:
            yield from current.statements()

    def _goes_on(self, above: _Draft, known: Mapping[int, Cell]) -> bool:
        """Tell whether a row has no name of its own, but only more of what the record above it says.

        A title that begins with a small letter goes on too, where the row has neither place nor time.
        """
        columns = [self._column(at) for at in known]
        if all(column.continues for column in columns):
            return True
        titles = [at for at in self._header.of("title") if at in known]
        rest = [column for column in columns if column.key != "title"]
        stated = {predicate for terms in above.terms.values() for predicate, _, _ in terms}
        return (
            bool(titles)
            and all(column.continues and column.kind == "text" for column in rest)
            and all(str(known[at].value).strip()[:1].islower() for at in titles)
            and stated >= {MEDKG.region, MEDKG.plannedFrom}
        )

    def _begin(self, row: Row, known: Mapping[int, Cell]) -> _Draft | None:
        """Return the draft of the record that begins in *row*; None when it has no usable identifier."""
        start = self._sheet.place(row, min(self._header.headings))
        keys = {
            at: self._values.text(known[at], self._sheet.place(row, at)) for at in self._keys if at in known
        }
        at, name = self._identifier(row, keys)
        if not name:
            self._notes.add(Code.NO_IDENTIFIER, self._sheet.place(row, min(known)))
            return None
        subject, place = URIRef(self._namespace + name), self._sheet.place(row, at)
        first = self._cells.get(subject)
        if first:
            self._notes.add(Code.IDENTIFIER_TWICE, place, subject, id=name, first=first.cell)
        else:
            self._cells[subject] = place
            self.places[subject] = start
        return _Draft(subject, start, self._language(row, known), first is not None, keys)

    def _identifier(self, row: Row, keys: Mapping[int, Text | None]) -> tuple[int, str]:
        """Return the column that names the record and the last part of its IRI, "" when there is none."""
        for at, found in keys.items():
            text = found.meant if found else ""
            if text.startswith(self._namespace):
                text = text.removeprefix(self._namespace)
            elif text.startswith(("http://", "https://")):
                text = slugify(text)
            name = slug(text)[:_LONGEST_SLUG].strip("-")
            if name:
                if name != text:
                    self._notes.add(
                        Code.IDENTIFIER_MADE, self._sheet.place(row, at), value=text[:100], id=name
                    )
                return at, name
        return 0, ""

    def _language(self, row: Row, known: Mapping[int, Cell]) -> str:
        """Return the language that the row says its texts have."""
        for at in self._header.of("language"):
            if at in known and (found := self._values.text(known[at], self._sheet.place(row, at))):
                if language := self._columns.language(found.meant):
                    return language
                values = {"name": found.text[:100], "column": self._column(at).name, "suggestion": ""}
                self._notes.add(Code.NAME_UNKNOWN, self._sheet.place(row, at), **values)
        return _LANGUAGE

    def _take(self, draft: _Draft, row: Row, known: Mapping[int, Cell]) -> None:
        """Put what the cells of *row* state into *draft*."""
        cells = {at: (cell, self._sheet.place(row, at)) for at, cell in known.items()}
        named = any(at in known for at in self._keys)
        for at, column in ((at, self._column(at)) for at in sorted(self._header.headings)):
            cell, place = cells.get(at) or (self._filled(row, at) if named else None) or (None, Place())
            if cell is None or column.kind in {"id", "language"}:
                continue
            if column.kind == "text":
                self._take_text(draft, at, cell, place)
            else:
                terms = self._values.terms(column, cell, place, draft.subject)
                draft.terms.setdefault(at, []).extend((*pair, place) for pair in terms)

    def _take_text(self, draft: _Draft, at: int, cell: Cell, place: Place) -> None:
        column = self._column(at)
        # A text that named the record was looked at then.
        read = draft.keys if at not in draft.texts else {}
        found = read[at] if at in read else self._values.text(cell, place, draft.subject)
        if found is None or not found.text or column.predicate is None:
            return
        text = found.text if column.lines else found.text.replace("\n", " ")
        above = draft.texts.get(at)
        if above:
            above.text += ("\n" if column.lines else " ") + text
        else:
            language = self._header.headings[at].language or draft.language
            draft.texts[at] = _Text(column.predicate, language, text, place)

    def _filled(self, row: Row, at: int) -> tuple[Cell, Place] | None:
        """Return the cell above that counts for this row too, as it is merged with it."""
        active = self._active.get(at)
        if not active or not active[0].top < row.number <= active[0].bottom:
            return None
        self._notes.add(Code.FILLED_DOWN, self._sheet.place(row, at), first=active[2].cell)
        return active[1], active[2]

    def _take_merges(self) -> None:
        """Note the merged cells below the headings: what fills columns is kept, the rest is told."""
        for merge in self._sheet.merges:
            if merge.top <= self._header.last:
                continue
            inside = [at for at in self._header.headings if merge.left <= at <= merge.right]
            tall = merge.bottom > merge.top
            if tall and inside == [merge.left] and self._column(merge.left).fill:
                self._merges.setdefault(merge.top, []).append(merge)
            elif inside and (len(inside) > 1 or inside[0] not in self._keys):
                cell = f"{letters(merge.left)}{merge.top}"
                range_ = f"{cell}:{letters(merge.right)}{merge.bottom}"
                place = Place(file=self._sheet.file, sheet=self._sheet.name, cell=cell)
                self._notes.add(Code.MERGED, place, range=range_)

    def _tell_row(self, row: Row) -> None:
        """Tell what is odd about a row as such; start the merged cells that begin in it."""
        for merge in self._merges.get(row.number, ()):
            if cell := row.cells.get(merge.left):
                self._active[merge.left] = merge, cell, self._sheet.place(row, merge.left)
        if row.hidden:
            self._notes.add(Code.ROW_HIDDEN, self._sheet.place(row, min(row.cells)), row=str(row.number))
        beyond = [at for at in row.cells if at not in self._header.texts]
        if self._sheet.ragged:
            self._tell_width(row, [at for at in beyond if at > self._width])
            beyond = [at for at in beyond if at <= self._width]
        for at in beyond:
            if at not in self._stray:
                self._stray.add(at)
                place = self._sheet.place(row, at)
                self._notes.add(Code.COLUMN_UNKNOWN, place, heading=letters(at), suggestion="")

    def _tell_width(self, row: Row, beyond: list[int]) -> None:
        widths = {"width": str(row.width), "headings": str(self._width)}
        if beyond:
            self._notes.add(Code.ROW_TOO_LONG, self._sheet.place(row, min(beyond)), **widths)
        elif row.width < self._width:
            self._notes.add(Code.ROW_TOO_SHORT, self._sheet.place(row, row.width), **widths)

    def _repeats_header(self, row: Row) -> bool:
        """Tell whether a row only repeats the headings, as tables do that were printed page by page."""
        texts = {at: str(cell.value) for at, cell in row.cells.items()}
        return len(texts) > 1 and any(
            texts == {at: str(cell.value) for at, cell in heading.cells.items()}
            for heading in self._header.rows
        )

    def _tell_language(self) -> None:
        """Tell once that texts without a language are taken for English."""
        if self._header.of("language"):
            return
        for at, heading in sorted(self._header.headings.items()):
            if heading.column.kind == "text" and not heading.language:
                self._notes.add(Code.LANGUAGE, self._header.place(self._sheet, at), language=_LANGUAGE)
                return

    def _column(self, at: int) -> Column:
        return self._header.headings[at].column
