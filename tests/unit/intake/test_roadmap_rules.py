"""The rules of the roadmap reader one by one: dates, hyphens, letters, regions, actions."""

import pytest

from medkg.intake.roadmap import RoadmapRow, read_roadmap
from medkg.intake.roadmap.dates import Period, read_date, read_period
from medkg.intake.roadmap.hyphens import mend
from medkg.intake.roadmap.letters import clean, fold, genuine_scripts
from medkg.intake.roadmap.markup import strip_markup
from medkg.intake.roadmap.trace import Traced
from medkg.intake.roadmap.words import Evidence

HEADER = "Region\tAction\tDescription\tFrom\tTo\n"


def rows(body: str) -> tuple[RoadmapRow, ...]:
    """Return the actions of a table with the usual header."""
    return read_roadmap(HEADER + body).rows


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("10/2021", "2021-10", "2021-10"),
        ("2021-10", "2021-10", "2021-10"),
        ("2021/10", "2021-10", "2021-10"),
        ("10.2021", "2021-10", "2021-10"),
        ("10.2021 r.", "2021-10", "2021-10"),
        ("10/ 2021", "2021-10", "2021-10"),
        ("Oct 2021", "2021-10", "2021-10"),
        ("Oct-2021", "2021-10", "2021-10"),
        ("October, 2021", "2021-10", "2021-10"),
        ("1 October 2021", "2021-10", "2021-10"),
        ("01/10/2021", "2021-10", "2021-10"),
        ("2021-10-31", "2021-10", "2021-10"),
        ("octobre 2021", "2021-10", "2021-10"),
        ("août 2021", "2021-08", "2021-08"),
        ("févr. 2021", "2021-02", "2021-02"),
        ("ottobre 2021", "2021-10", "2021-10"),
        ("październik 2021", "2021-10", "2021-10"),
        ("października 2021 roku", "2021-10", "2021-10"),
        ("Oktober 2021", "2021-10", "2021-10"),
        ("März 2021", "2021-03", "2021-03"),
        ("X 2021", "2021-10", "2021-10"),
        ("2021", "2021", "2021"),
        ("Q4 2021", "2021-10", "2021-12"),
        ("T1 2021", "2021-01", "2021-03"),
        ("2021 Q2", "2021-04", "2021-06"),
        ("IV kwartał 2021", "2021-10", "2021-12"),
        ("4. Quartal 2021", "2021-10", "2021-12"),
        ("4e trimestre 2021", "2021-10", "2021-12"),
        ("H2 2021", "2021-07", "2021-12"),
        ("by the end of 2025", "2025", "2025"),
        ("fin 2025", "2025", "2025"),
        ("13/2021", None, None),
        ("Horizon 2020", None, None),
        ("10/21", None, None),
        ("tbd", None, None),
        ("", None, None),
        ("2021 " * 40, None, None),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, start: str | None, end: str | None) -> None:
    """A month, a year, or a quarter whose first or last month counts; what is no date gives None."""
    assert (read_date(text, end=False)[0], read_date(text, end=True)[0]) == (start, end)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("10/2021 - 12/2025", ("2021-10", "2025-12")),
        ("10/2021–12/2025", ("2021-10", "2025-12")),  # noqa: RUF001
        ("2021-10 to 2025-12", ("2021-10", "2025-12")),
        ("2021-10/2025-12", ("2021-10", "2025-12")),
        ("2021-2025", ("2021", "2025")),
        ("od 10.2021 do 12.2025", ("2021-10", "2025-12")),
        ("da ottobre 2021 a dicembre 2025", ("2021-10", "2025-12")),
        ("d'octobre 2021", (None, None)),
        ("depuis octobre 2021", ("2021-10", None)),
        ("until 2025", (None, "2025")),
        ("Q1 2022 – Q4 2023", ("2022-01", "2023-12")),  # noqa: RUF001
        ("2021", ("2021", "2021")),
        ("spring to autumn", (None, None)),
    ],
)
def test_periods_are_read(text: str, period: tuple[str | None, str | None]) -> None:
    """One cell may hold both dates, or say that one of them is open."""
    found = read_period(text)
    assert (found.start, found.end) == period
    assert isinstance(found, Period)


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("an ac- tion", "an action"),
        ("współ- praca i wdro- żenie", "współpraca i wdrożenie"),
        ("déve-\nloppement", "développement"),
        ("knowl-\tedgeable", "knowledgeable"),
        ("obser\u00ad vatory", "observatory"),
        ("l\u2019inno- vation", "l\u2019innovation"),
        ("med-tech and cross-industry", "med-tech and cross-industry"),
        ("pre- and post-market", "pre- and post-market"),
        ("Ein- oder Ausfuhr, ein- bis zweimal", "Ein- oder Ausfuhr, ein- bis zweimal"),
        ("short- to long-term, from here to there", "short- to long-term, from here to there"),
        ("il proget- to", "il progetto"),
        ("Kujawsko-\nPomorskie", "Kujawsko-Pomorskie"),
        ("REGIO- NAL", "REGIONAL"),
        ("SME- driven", "SME-driven"),
        ("e- health", "e-health"),
        ("plan A - build", "plan A - build"),
        ("2022-\n2025 and COVID-\n19", "2022-2025 and COVID-19"),
        ("2022- 2025", "2022- 2025"),
    ],
)
def test_broken_words_are_joined_and_hanging_hyphens_are_not(text: str, mended: str) -> None:
    """Without evidence, a hyphen before a gap broke the word, unless its surroundings say otherwise."""
    assert mend(Traced.at(text, 0), Evidence([text]))[0].text == mended


@pytest.mark.parametrize(
    ("document", "broken", "mended"),
    [
        ("A med-tech firm.", "med- tech", "med-tech"),
        ("A medtech firm.", "med- tech", "medtech"),
        ("A med-tech and a medtech firm.", "med- tech", "medtech"),
        ("Two med-tech firms, med-tech, medtech.", "med-\ntech", "med-tech"),
        ("The cross-border industry.", "cross- industry", "cross-industry"),
        ("The state-of-the-art oven.", "state-of- the-art", "state-of-the-art"),
        ("The island.", "isl- and", "island"),
        ("Nothing of the kind.", "med- tech", "medtech"),
    ],
)
def test_the_document_s_spelling_decides_what_a_hyphen_is(document: str, broken: str, mended: str) -> None:
    """A compound broken at its own hyphen keeps it when the document shows it more often than joined."""
    assert mend(Traced.at(broken, 0), Evidence([document, broken]))[0].text == mended


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\u0422\u043e", "To"),
        ("m\u0435dt\u0435ch", "medtech"),
        ("\u0415urope \u0391ction", "Europe Action"),
        ("med\u03b1l", "medal"),
        ("re\ufb02ex o\ufb03ce", "reflex office"),
        ("\uff21ction", "Action"),
        ("e\u0301tude", "étude"),
        ("zero\u200bwidth", "zerowidth"),
        ("a\u00a0b", "a b"),
        ("TNF-\u03b1, IFN\u03b3, NF\u03baB, 5 \u00b5m, m\u00b2, n\u00ba 5, \u03b2-cell", None),
        ("\u0417\u0434\u043e\u0440\u043e\u0432\u044c\u0435 \u0438 \u0441\u043f\u043e\u0440\u0442", None),
        ("\u03a5\u03b3\u03b5\u03af\u03b1", None),
        ("Żółć, Łódź, übung, naïve, œuvre", None),
    ],
)
def test_look_alike_letters_become_latin_and_symbols_stay(text: str, plain: str | None) -> None:
    """Letters of another alphabet inside of Latin words are misread ones; symbols and real words are not."""
    found, marks = clean(Traced.at(text, 0), genuine_scripts(text))
    assert found.text == (text if plain is None else plain)
    assert plain is not None or marks == []


def test_words_of_a_script_that_is_really_used_stay() -> None:
    """Where the document has Cyrillic words of its own, a word of look-alikes may be one of them."""
    document = "\u0417\u0434\u043e\u0440\u043e\u0432\u044c\u0435. \u0441\u043e\u0440 A\u0441tion"
    assert clean(Traced.at(document, 0), genuine_scripts(document))[0].text.endswith(
        "\u0441\u043e\u0440 Action"
    )


def test_folding_makes_spellings_comparable() -> None:
    """Case, accents and spaces don't count."""
    assert fold("  ŚLĄSKIE\u00a0 Łódź ") == "slaskie lodz"
    assert fold("Maßnahme") == "massnahme"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("**Bold** and __bold__ and ***both***", "Bold and bold and both"),
        ("**over\na seam**", "over\na seam"),
        ("a ** b ** c", "a ** b ** c"),
        ("footnote **", "footnote **"),
        ("**open only", "**open only"),
        ("snake_case * times", "snake_case * times"),
    ],
)
def test_bold_type_goes_and_other_stars_stay(text: str, plain: str) -> None:
    """Only marks that open and close around a text are markup."""
    assert strip_markup(Traced.at(text, 0))[0].text == plain


@pytest.mark.parametrize(
    ("cell", "regions"),
    [
        ("Slaskie / Veneto", ("Slaskie", "Veneto")),
        ("Slaskie/Veneto;Skåne", ("Slaskie", "Veneto", "Skåne")),
        ("Slaskie, Veneto", ("Slaskie", "Veneto")),
        ("Slaskie, Veneto and Skåne", ("Slaskie", "Veneto", "Skåne")),
        ("Castile and León", ("Castile and León",)),
        ("Friuli-Venezia Giulia / Castilla-La Mancha", ("Friuli-Venezia Giulia", "Castilla-La Mancha")),
        ("Provincia Autonoma di Bolzano/Bozen", ("Provincia Autonoma di Bolzano/Bozen",)),
        ("Emilia - Romagna", ("Emilia - Romagna",)),
        ("all regions, where possible", ("all regions, where possible",)),
        ("Slaskie /", ("Slaskie",)),
    ],
)
def test_regions_part_where_that_is_safe(cell: str, regions: tuple[str, ...]) -> None:
    """Without a resolver, what could be part of a name stays part of it."""
    (row,) = rows(f"{cell}\tT\tD.\t2021\t2022\n")
    assert (row.regions, row.region_codes) == (regions, (None,) * len(regions))


def test_regions_seen_alone_part_anywhere() -> None:
    """Both sides of "and" that stand alone elsewhere are two regions."""
    found = rows(
        "Leinster\tA\tD.\t2021\t2022\nLeinster and Munster\tB\tD.\t2021\t2022\nMunster\tC\tD.\t2021\t2022\n"
    )
    assert found[1].regions == ("Leinster", "Munster")


@pytest.mark.parametrize(
    ("body", "actions"),
    [
        ("A\tT\tD.\t2021\t2022\nB\tU\tE.\t2021\t2022\n", [("A", "T", "D."), ("B", "U", "E.")]),
        ("A\tT\tD.\t2021\t2022\n\tU\tE.\t2023\t2024\n", [("A", "T", "D."), ("A", "U", "E.")]),
        ("A\tT\tD.\t2021\t2022\nB\tU\tE.\t\t\n", [("A", "T", "D."), ("B", "U", "E.")]),
        ("A\tT\tD.\t2021\t2022\nA\t\tE.\t\t\n", [("A", "T", "D.\n\nE.")]),
        ("A\tT\tD.\t2021\t2022\nA\tT\tE.\t2021\t2022\n", [("A", "T", "D.\n\nE.")]),
        ("A\tT\tOne line\t2021\t2022\n\t\tgoes on.\t\t\n", [("A", "T", "One line goes on.")]),
        (
            "A\tT\tLead:\t2021\t2022\n\t\t\u2022 one\t\t\n\t\t\u2022 two\t\t\n",
            [("A", "T", "Lead:\n\n\u2022 one\n\n\u2022 two")],
        ),
        ("A\tSmart\tIt is\t\t\n/ B\tward\tgood.\t2021\t2022\n", [("A|B", "Smart ward", "It is good.")]),
        ("A\tT\tD.\tMarch\tApril\n\t\tE.\t2021\t2022\n", [("A", "T", "D.\n\nE.")]),
        ("A\tT\tD.\t2021\t2022\nB /\t\t\t\t\nC\tU\tE.\t2021\t2022\n", [("A", "T", "D."), ("B|C", "U", "E.")]),
        ("A\tT\tD.\t2021\t2022\nB /\t\t\t\t\n", [("A B", "T", "D.")]),
    ],
)
def test_lines_are_gathered_into_actions(body: str, actions: list[tuple[str, str, str]]) -> None:
    """Dates begin an action; rests of names, dates further down and repeated cells continue one."""
    assert [("|".join(row.regions), row.title, row.description) for row in rows(body)] == actions


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (
            "A\tPreparing for\tMedCentre\tThis is the long text.\t2021\t2022",
            ("Preparing for MedCentre", "This is the long text."),
        ),
        (
            "A\tSmart\tward\tof\tThis is the long text.\t2021\t2022",
            ("Smart ward of", "This is the long text."),
        ),
        (
            "A\tWard\tA long text that breaks\tin two.\t2021\t2022",
            ("Ward", "A long text that breaks in two."),
        ),
        ("A /\tB\tWard\tThis is the long text.\t2021\t2022", ("Ward", "This is the long text.")),
        (
            "A\tPreparing for\tMedCentre\tThis is the long text.\t2021\tongoing",
            ("Preparing for MedCentre", "This is the long text."),
        ),
    ],
)
def test_cells_that_slipped_are_put_back(line: str, row: tuple[str, str]) -> None:
    """The dates say how far a row slipped; the longest text is the description."""
    (found,) = rows(line + "\n")
    assert (found.title, found.description, found.planned_from) == (*row, "2021")


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("A\tWard\tIt is long.\t2021\t", ("Ward", "It is long.", "2021", None)),
        ("A\tWard\tIt is long.\t\t2022", ("Ward", "It is long.", None, "2022")),
        ("A\tSmart\tward\tIt is long.\t2021\t", ("Smart ward", "It is long.", "2021", None)),
        ("A\tWard\t2021\t\t", ("Ward", "2021", None, None)),
    ],
)
def test_one_date_of_two_shows_where_a_row_stands(line: str, row: tuple[str | None, ...]) -> None:
    """A row may lack its start or its end, slipped or not; a year in a description is no date."""
    (found,) = rows(line + "\n")
    assert (found.title, found.description, found.planned_from, found.planned_to) == row


def test_a_cell_that_is_missing_is_put_back() -> None:
    """A row that lost the empty region cell in front slips back and takes the region from above."""
    found = rows("A\tT\tD.\t01/2021\t02/2022\nU\tIt is longer.\t03/2021\t04/2022\n")
    assert [(row.regions, row.title, row.description) for row in found] == [
        (("A",), "T", "D."),
        (("A",), "U", "It is longer."),
    ]


@pytest.mark.parametrize(
    "number", ["7", "Page 7", "page 7 of 12", "- 7 -", "7/12", "Seite 7", "Strona 7 z 12", "p. 7"]
)
@pytest.mark.parametrize("tabs", ["", "\t\t\t\t"])
def test_page_numbers_are_dropped(number: str, tabs: str) -> None:
    """A number alone at the edge of the page is no part of an action."""
    table = read_roadmap(f"{HEADER}A\tT\tIt goes\t2021\t2022\n{number}{tabs}\n\t\ton.\t\t\n")
    assert table.rows[0].description == "It goes on."
    assert ("page-number-dropped", 3) in {(repair.rule, repair.line) for repair in table.repairs}


@pytest.mark.parametrize(
    "line", ["VENETO\t\t\t\t", "\tSMART WARD\t\t\t", "\t\tKPI\t\t", "A\tWARD\tD.\t2021\t2022", "\t\t7\t\t"]
)
def test_rows_in_capitals_are_no_page_headers(line: str) -> None:
    """Capitals alone, or a number in a description, are no reason to drop a row."""
    table = read_roadmap(f"{HEADER}B\tT\tIt goes\t2021\t2022\n{line}\n")
    assert not [repair for repair in table.repairs if repair.rule.endswith("-dropped")]


def test_text_after_the_table_is_not_part_of_it() -> None:
    """A closing paragraph and a list of contacts are left alone."""
    found = rows("A\tT\tD.\t2021\t2022\n\nThis roadmap was agreed upon by all.\nContact\toffice\n")
    assert [(row.title, row.description) for row in found] == [("T", "D.")]
