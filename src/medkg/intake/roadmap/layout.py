"""The header of the table: which column means what, in the languages roadmaps are written in."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from medkg.intake.roadmap.hyphens import mend
from medkg.intake.roadmap.letters import fold
from medkg.intake.roadmap.lines import Cell, Line
from medkg.intake.roadmap.markup import strip_markup
from medkg.intake.roadmap.trace import Edit, Mark, Traced
from medkg.intake.roadmap.words import Evidence

__all__ = ["HEADER_WORDS", "Header", "Layout", "Role", "find_header", "sub_header"]

Role = Literal["region", "title", "description", "timeframe", "from", "to"]

# Folded (small letters, no accents), phrases separated by commas.
_PHRASES: Final[dict[Role, str]] = {
    "region": """
        region, regione, wojewodztwo, regions, regioni, regiony, wojewodztwa, regionen, territory,
        territoire, bundesland, obszar, regiones, partner region, region(s), kraj
    """,
    "title": """
        suggested innovation action, action d'innovation proposee, azione di innovazione, proponowane
        dzialanie innowacyjne, innovationsmassnahme, action, innovation action, proposed innovation
        action, proposed action, action title, title, name of the action, action name, action
        d'innovation, action d'innovation suggeree, action proposee, action innovante, intitule,
        intitule de l'action, titre, titre de l'action, azione di innovazione proposta, azione di
        innovazione suggerita, azione innovativa, azione innovativa proposta, azione proposta, azione,
        titolo, titolo dell'azione, dzialanie innowacyjne, sugerowane dzialanie innowacyjne, dzialanie,
        proponowane dzialanie, nazwa dzialania, tytul, tytul dzialania, vorgeschlagene
        innovationsmassnahme, vorgeschlagene massnahme, massnahme, innovationsaktion, vorgeschlagene
        innovationsaktion, aktion, titel, accion, accion de innovacion propuesta, accion de innovacion
    """,
    "description": """
        description, opis, descrizione, beschreibung, short description, action description, description
        of the action, brief description, details, description de l'action, description courte, krotki
        opis, opis dzialania, descrizione dell'azione, breve descrizione, kurzbeschreibung, beschreibung
        der massnahme, descripcion, contents, content
    """,
    "timeframe": """
        timeframe, calendrier, tempistica, ramy czasowe, zeitrahmen, time frame, timeline, timing, time
        horizon, schedule, period, duration, echeancier, periode, duree, tempi, periodo, durata,
        cronoprogramma, harmonogram, okres, okres realizacji, termin, terminy, termin realizacji,
        zeitplan, zeitraum, laufzeit, plazo, calendario
    """,
    "from": """
        from, de, da, od, von, start, start date, begin, beginning, du, debut, date de debut, dal,
        inizio, data di inizio, poczatek, rozpoczecie, ab, beginn, desde, planned from
    """,
    "to": """
        to, a, do, bis, end, end date, until, till, au, fin, date de fin, jusqu'a, al, fine, data di
        fine, koniec, zakonczenie, ende, hasta, planned to
    """,
}
_ROLES: Final[dict[str, Role]] = {
    " ".join(phrase.split()): role for role, phrases in _PHRASES.items() for phrase in phrases.split(",")
}
# Of the long phrases only: "from" and "to" are too short for a misreading to be told from another word.
_LONG: Final = tuple(phrase for phrase in _ROLES if len(phrase) > 5)  # noqa: PLR2004
# The headers that no table can do without, as an error message names them.
HEADER_WORDS: Final[dict[Role, str]] = {
    "region": "Region, Région, Regione, Województwo",
    "title": "Suggested innovation action, Action d'innovation, Azione di innovazione, Działanie innowacyjne,"
    " Innovationsmaßnahme",
}

_NOTE: Final = re.compile(r"\([^()]*\)|[:*]+$")
_LONGEST_LABEL: Final = 80
_TALLEST: Final = 3
_WIDEST: Final = 64
_ALIKE: Final = 0.85


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table: their headers as printed and what they mean (None: no word for it here)."""

    labels: tuple[str, ...]
    roles: tuple[Role | None, ...]

    def column(self, role: Role) -> int | None:
        """Return the index of the column that means *role*."""
        return self.roles.index(role) if role in self.roles else None

    @property
    def dates(self) -> tuple[int, ...]:
        """The columns that hold dates, in printed order."""
        return tuple(index for index, role in enumerate(self.roles) if role in ("from", "to", "timeframe"))


@dataclass(frozen=True, slots=True)
class Header:
    """A header found in the text: its layout, how many lines it takes, and what was repaired in it."""

    layout: Layout
    height: int
    marks: tuple[Mark, ...]


def find_header(lines: Sequence[Line], index: int, evidence: Evidence) -> Header | None:
    """Return the header that begins at *index*, taking in the lines below that complete it, or None."""
    if not _promising(lines[index]):
        return None
    found: list[tuple[int, Header]] = []
    for height in range(1, _TALLEST + 1):
        block = lines[index : index + height]
        if len(block) < height or not block[-1].filled or len(block[-1].cells) > _WIDEST:
            break
        header = _read(block, evidence)
        named = Counter(role is not None for role in header.layout.roles)[True]
        if {"region", "title"} <= set(header.layout.roles):
            found.append((named, header))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def sub_header(line: Line) -> bool:
    """Tell whether the line holds only "From", "To" and their like, at least two of them."""
    if not 1 < len(line.filled) <= _TALLEST:
        return False
    roles = [_ROLES.get(_key(text)) for text in line.filled]
    return set(roles) <= {"from", "to", "timeframe"}


def _promising(line: Line) -> bool:
    """Tell, cheaply, whether a header may begin here."""
    if len(line.cells) > _WIDEST:
        return False
    return len(line.filled) > 1 and any(_ROLES.get(_key(text)) in ("region", "title") for text in line.texts)


def _read(block: Sequence[Line], evidence: Evidence) -> Header:
    grid = [list(line.cells) for line in block]
    for below in grid[1:]:
        _fit(grid[0], below)
    width = max(len(row) for row in grid)
    labels: list[str] = []
    roles: list[Role | None] = []
    marks = [mark for line in block for mark in line.marks]
    for column in range(width):
        pieces = [row[column].text for row in grid if column < len(row) and row[column].text.text]
        label, role, repairs = _label(pieces, evidence)
        labels.append(label)
        roles.append(None if role in roles else role)
        marks += repairs
    while labels and not labels[-1]:
        del labels[-1], roles[-1]
    return Header(Layout(tuple(labels), tuple(roles)), len(block), tuple(marks))


def _fit(top: list[Cell], below: list[Cell]) -> None:
    """Bring "From" and "To" under the header that spans them, where extraction lost the span."""
    named = [index for index, cell in enumerate(below) if _role(cell.text.text) in ("from", "to")]
    spans = [index for index, cell in enumerate(top) if _role(cell.text.text) == "timeframe"]
    if len(named) != 2 or not spans:  # noqa: PLR2004
        return
    span = spans[0]
    empty = Cell(Traced("", ()), 0, 0)
    if named[0] != span and len([cell for cell in below if cell.text.text]) == len(named):
        below[:] = [empty] * span + below[named[0] :]
    if len(top) > span + 1 and top[span + 1].text.text and named[0] == span:
        top.insert(span + 1, empty)


def _label(pieces: Sequence[Traced], evidence: Evidence) -> tuple[str, Role | None, list[Mark]]:
    """Return the header of a column, its meaning, and the repairs."""
    text, marks = strip_markup(Traced.join(pieces, "\n"))
    text, more = mend(text, evidence)
    breaks = [Edit(place.start(), place.end(), " ") for place in re.finditer("\n", text.text)]
    role = _role(text.edited(breaks).text)
    if role in ("from", "to") and breaks:
        return text.text.rpartition("\n")[2], role, marks + more
    return text.edited(breaks).text, role, marks + more


def _key(text: str) -> str:
    if len(text) > _LONGEST_LABEL:
        return ""
    return _NOTE.sub("", fold(text.replace("\u2019", "'").replace("**", ""))).strip(" :*_-/")


def _role(text: str) -> Role | None:
    """Return what a column with this header holds; small misreadings of the longer headers are forgiven."""
    key = _key(text)
    if not key:
        return None
    if key in _ROLES:
        return _ROLES[key]
    head, _, last = key.rpartition(" ")
    if _ROLES.get(head.strip(" :-/")) == "timeframe" and _ROLES.get(last) in ("from", "to"):
        return _ROLES[last]
    best = process.extractOne(key, _LONG, scorer=Levenshtein.normalized_similarity, score_cutoff=_ALIKE)
    return _ROLES[best[0]] if best else None
