"""Clean tables go in, noise is put on them, the clean tables must come out again: property-based tests.

Some noise can't be undone for certain, and the reader then follows a documented rule.  The generator keeps to
what the rules promise: a compound is broken at its own hyphen only because the text before the table spells
it out (that is the evidence the reader asks for), and a line never ends right after a full stop inside a
paragraph (a capital after it would begin a new one).
"""

import string
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medkg.intake.roadmap import RULES, RoadmapError, RoadmapTable, read_roadmap

WORDS = (
    *(
        "observatory",
        "rehabilitation",
        "clinical",
        "nursing",
        "cardiology",
        "implants",
        "sensors",
        "robotics",
    ),
    *("żółtaczka", "współpraca", "wdrażanie", "źródło", "diagnostyka", "innowacja", "šablona", "říjen"),
    *("développement", "qualité", "établissement", "évaluation", "pôle", "maïs", "attività", "progetto"),
    *("übersetzung", "geräte", "gesundheit", "prüfstelle", "señales", "corazón", "køkken", "håndtering"),
    *("università", "laboratorio", "terapia", "telemedicine", "hospital"),
)
COMPOUNDS = (
    *("med-tech", "cross-border", "multi-step", "bien-être", "avant-projet", "know-how", "follow-up"),
    *("e-health", "X-ray", "forward-looking", "Low-cost", "state-of-the-art"),
)
REGIONS = (
    "Śląskie",
    "Veneto",
    "Friuli-Venezia Giulia",
    "Castilla-La Mancha",
    "Auvergne-Rhône-Alpes",
    "Île-de-France",
    "Kujawsko-Pomorskie",
    "Emilia-Romagna",
    "Baden-Württemberg",
    "Provence-Alpes-Côte d'Azur",
    "Zürich",
    "Łódzkie",
)
NAME = ("NORDIC", "HARBOURS")
HEAD = (
    "Regional roadmap of innovation\n\n"
    "Drawn up by the Nordic Harbours network for Śląskie and its neighbours.\n"
    f"It speaks of {', '.join(COMPOUNDS)}, and of {'; '.join(REGIONS)}.\n\n"
)
LOOKALIKES = dict(zip("aeopcxyiABEKMHOPCTX", "аеорсхуіАВЕКМНОРСТХ", strict=True))  # noqa: RUF001
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pl": "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "short": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
}


@dataclass(frozen=True)
class Action:
    """A clean row: what the reader must give back."""

    regions: tuple[str, ...]
    title: str
    paragraphs: tuple[str, ...]
    planned_from: str
    planned_to: str


def sentences(least: int, most: int) -> st.SearchStrategy[str]:
    """Return a strategy for a capitalised run of words and compounds."""
    words = st.lists(st.sampled_from(WORDS + COMPOUNDS), min_size=least, max_size=most)
    return words.map(lambda chosen: chosen[0][0].upper() + " ".join(chosen)[1:])


DATES = st.tuples(st.integers(2015, 2035), st.integers(1, 12)).map(lambda pair: f"{pair[0]}-{pair[1]:02}")
PARAGRAPHS = st.lists(sentences(6, 14), min_size=1, max_size=2).map(lambda parts: ". ".join(parts) + ".")


def tables(*, regions: int, paragraphs: int) -> st.SearchStrategy[list[Action]]:
    """Return a strategy for clean tables with at most so many regions and paragraphs in a row."""
    action = st.builds(
        Action,
        st.lists(st.sampled_from(REGIONS), min_size=1, max_size=regions, unique=True).map(tuple),
        sentences(2, 5),
        st.lists(PARAGRAPHS, min_size=1, max_size=paragraphs).map(tuple),
        DATES,
        DATES,
    )
    return st.lists(action, min_size=1, max_size=3, unique_by=lambda row: row.title)


def read_back(table: RoadmapTable) -> list[Action]:
    """Return the rows of a read table in the form of the generator."""
    return [
        Action(
            row.regions,
            row.title,
            tuple(row.description.split("\n\n")),
            row.planned_from or "",
            row.planned_to or "",
        )
        for row in table.rows
    ]


def rendered(table: Sequence[Action]) -> str:
    """Return the text of a table without any noise."""
    lines = ["Region\tSuggested innovation action\tDescription\tTimeframe\t", "\t\t\tFrom\tTo"]
    for row in table:
        dates = (row.planned_from, row.planned_to)
        lines.append("\t".join((" / ".join(row.regions), row.title, row.paragraphs[0], *dates)))
        lines += [f"\t\t{paragraph}\t\t" for paragraph in row.paragraphs[1:]]
    return HEAD + "\n".join(lines) + "\n"


class Noise:
    """Puts noise on a table, each time deciding by a draw whether and where."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._strip = self.coin()
        self.header = ["Region\tSuggested innovation ac- tion\tDescription\tTimeframe\t", "\t\t\tFrom\tTо"]  # noqa: RUF001

    def coin(self) -> bool:
        """Return the result of a draw."""
        return self._draw(st.booleans())

    def pick(self, least: int, most: int) -> int:
        """Return a drawn number."""
        return self._draw(st.integers(least, most))

    def document(self, table: Sequence[Action]) -> str:
        """Return the text of the table with noise on it."""
        lines = list(self.header)
        above: tuple[str, ...] = ()
        for row in table:
            for line in self.action(row, merged=row.regions == above and self.coin()):
                lines.append(line)
                if self.pick(0, 5) == 0:
                    lines += self.page_break()
            above = row.regions
        return HEAD + "\n".join(lines) + "\n"

    def action(self, row: Action, *, merged: bool) -> list[str]:
        """Return the lines of an action; its region cell is left empty when *merged* with the one above."""
        extra = self.pick(0, 2) if " " in row.title else 0
        region = (
            [] if merged else self.cell(self._draw(st.sampled_from((" / ", "; ", ", "))).join(row.regions))
        )
        title = [row.title] if extra else self.cell(row.title, bold=True)
        lines: list[str] = []
        for number, paragraph in enumerate(row.paragraphs):
            columns = [[], [], self.cell(paragraph)] if number else [region, title, self.cell(paragraph)]
            height = max(map(len, columns))
            texts = [column + [""] * (height - len(column)) for column in columns]
            for index in range(height):
                first = not number and not index
                dates = [self.date(row.planned_from), self.date(row.planned_to)] if first else ["", ""]
                titles = self.spread(texts[1][index], extra, first=first)
                lines.append(self.stripped("\t".join([texts[0][index], *titles, texts[2][index], *dates])))
        return lines

    def spread(self, title: str, extra: int, *, first: bool) -> list[str]:
        """Return the cells over which extraction spread a title."""
        words = title.split()
        if not first or not extra:
            return [title, *[""] * extra]
        cuts = sorted({self.pick(1, len(words) - 1) for _ in range(extra)})
        parts = [" ".join(words[start:end]) for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
        return parts + [""] * (extra + 1 - len(parts))

    def stripped(self, line: str) -> str:
        """Return the line without the tabs at its end, as some tools leave it, if it still has others."""
        bare = line.rstrip("\t")
        return bare if self._strip and "\t" in bare.lstrip("\t") else line

    def cell(self, text: str, *, bold: bool = False) -> list[str]:
        """Return the lines over which a cell was broken."""
        words = text.split(" ")
        lines: list[str] = []
        line = ""
        for index, word in enumerate(words):
            before, after = self.broken(word)
            line += (" " if line else "") + before
            if after and self.coin():
                lines.append(line)
                line = after
            elif after:
                line += " " + after
            last = index == len(words) - 1
            if not last and not line.endswith((".", "/", ";", ",")) and self.pick(0, 9) == 0:
                lines.append(line)
                line = ""
        lines.append(line)
        return [f"**{lines[0]}**"] if bold and len(lines) == 1 and self.coin() else lines

    def broken(self, word: str) -> tuple[str, str]:
        """Return the halves of a broken word, the hyphen in the first, or the whole word and nothing."""
        if self.pick(0, 4):
            return self.misread(word), ""
        hyphens = [index + 1 for index, char in enumerate(word) if char == "-"]
        if hyphens:
            cut = self._draw(st.sampled_from(hyphens))
            return word[:cut], word[cut:]
        letters = len(word.rstrip(string.punctuation))
        if letters < 5 or not word[:letters].isalpha():
            return word, ""
        cut = self.pick(2, letters - 2)
        return self.misread(word[:cut]) + self._draw(st.sampled_from(("-", "-", "\u00ad"))), word[cut:]

    def misread(self, word: str) -> str:
        """Return the word with letters of another alphabet in it."""
        if self.pick(0, 3):
            return word
        return "".join(LOOKALIKES.get(char, char) if self.coin() else char for char in word)

    def date(self, date: str) -> str:
        """Return a date in one of the ways people write it."""
        year, month = date.split("-")
        names = [MONTHS[language].split()[int(month) - 1] for language in MONTHS]
        forms = [date, f"{month}/{year}", f"{month}.{year}", f"**{month}/{year}**"]
        return self._draw(st.sampled_from(forms + [f"{name} {year}" for name in names]))

    def page_break(self) -> list[str]:
        """Return what stands between two pages."""
        lines = [""] * self.pick(1, 3)
        if self.coin():
            lines.append(self._draw(st.sampled_from(("7", "Page 3 of 9", "- 12 -", "7\t\t\t\t"))))
        if self.coin():
            lines.append("\t".join(map(self.garbled, NAME)) + "\t" * self.pick(1, 4))
        if self.coin():
            lines += self.header
        return lines

    def garbled(self, name: str) -> str:
        """Return a name in capitals as a bad scan reads it: at most two letters wrong."""
        for _ in range(self.pick(0, 2)):
            place = self.pick(0, len(name) - 1)
            name = name[:place] + self._draw(st.sampled_from("QUID0")) + name[place + 1 :]
        return name


@st.composite
def noisy_tables(draw: st.DrawFn) -> tuple[list[Action], str]:
    """Return a clean table and its noisy text."""
    table = draw(tables(regions=3, paragraphs=3))
    return table, Noise(draw).document(table)


UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large]
MANY = settings(max_examples=100, deadline=None, suppress_health_check=UNHURRIED)
SOME = settings(max_examples=30, deadline=None, suppress_health_check=UNHURRIED)


@given(tables(regions=1, paragraphs=1))
@settings(max_examples=40, deadline=None)
def test_a_clean_table_comes_back_unchanged_with_an_empty_log(table: list[Action]) -> None:
    """Nothing is repaired where nothing is broken."""
    found = read_roadmap(rendered(table))
    assert read_back(found) == table
    assert found.repairs == ()


@given(tables(regions=3, paragraphs=3))
@settings(max_examples=40, deadline=None)
def test_a_table_without_noise_logs_only_how_its_cells_were_understood(table: list[Action]) -> None:
    """Regions that share a cell and paragraphs in rows of their own are the only things noted."""
    found = read_roadmap(rendered(table))
    assert read_back(found) == table
    assert {repair.rule for repair in found.repairs} <= {"region-split", "fill-down"}


@given(noisy_tables())
@MANY
def test_the_clean_table_is_got_back_from_the_noisy_one(case: tuple[list[Action], str]) -> None:
    """All kinds of noise at once are undone exactly."""
    table, text = case
    assert read_back(read_roadmap(text)) == table


@given(noisy_tables())
@SOME
def test_reading_is_idempotent(case: tuple[list[Action], str]) -> None:
    """A table that was read and written out clean needs no repair of words or cells any more."""
    once = read_back(read_roadmap(case[1]))
    again = read_roadmap(rendered(once))
    assert read_back(again) == once
    assert {repair.rule for repair in again.repairs} <= {"region-split", "fill-down"}


@given(noisy_tables())
@SOME
def test_every_repair_says_where_it_was_made(case: tuple[list[Action], str]) -> None:
    """Offsets, lines, rows, rules and confidences of the log agree with the source."""
    text = case[1]
    found = read_roadmap(text)
    for repair in found.repairs:
        assert 0 <= repair.start <= repair.end <= len(text)
        assert repair.line == text.count("\n", 0, repair.start) + 1
        assert repair.rule in RULES
        assert 0 <= repair.confidence <= 1
        assert repair.row is None or repair.row < len(found.rows)
        if repair.rule == "confusable-letter":
            assert text[repair.start : repair.end] == repair.before
    assert [repair.start for repair in found.repairs] == sorted(repair.start for repair in found.repairs)


PIECES = st.sampled_from(
    [
        *(
            "\t",
            "\t",
            "\t",
            "\n",
            "\n",
            "\n\n",
            " ",
            "- ",
            "-\n",
            "-\t",
            "/",
            ", ",
            " and ",
            "\r\n",
            "\f",
            "\u00ad",
        ),
        *(
            "Region",
            "Action",
            "Description",
            "Timeframe",
            "From",
            "To",
            "Region\tAction\tDescription\tFrom\tTo\n",
        ),
        *(
            "10/2021",
            "2021",
            "Q4 2022",
            "tbd",
            "Oct",
            "**",
            "__",
            "# ",
            "VENETO",
            "Slaskie",
            "Page 3",
            "12",
            "a",
            "É",
        ),
        *(
            "From\tTo\tRegion\tAction\n",
            "word",
            "Word.",
            "o\u0301",
            "\ufb01",
            "\u043e",
            "\u03b1",
            "\u200b",
            "(",
            ")",
        ),
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
@settings(max_examples=250, deadline=None)
def test_no_text_raises_anything_but_a_roadmap_error(text: str) -> None:
    """Whatever comes in, a table or a RoadmapError comes out."""
    for given_text in (text, "Region\tAction\tDescription\tFrom\tTo\n" + text):
        with suppress(RoadmapError):
            table = read_roadmap(
                given_text, resolve={"Veneto": "ITH3", "Slaskie": "PL22"}.get, known_names=["A B"]
            )
            assert table.rows
