"""The HTML: one page in itself, for everybody, in which no text of a stranger is more than a text."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.services.reports.samples import CATALOGUE, CELL, HOSTILE, MARK, MONTH, REPORTS, many, report

from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports import texts
from medkg.services.reports.display import shortened, visible
from medkg.services.reports.page import as_html, as_part, make_templates, style

TEMPLATES: Final = make_templates()
VOID: Final = {"meta", "br"}
ELEMENTS: Final = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "article",
        "header",
        "footer",
        "nav",
        "section",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "a",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "dl",
        "div",
        "dt",
        "dd",
    ),
    *("details", "summary", "strong", "span", "code", "bdi", "br"),
}
ATTRIBUTES: Final = {
    *("lang", "charset", "name", "content", "class", "id", "href", "role", "scope", "data-name"),
    *("aria-label", "aria-labelledby"),
}


class Page(HTMLParser):
    """What a parser finds in a page: elements with their attributes, and texts; every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.headings: list[int] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.texts.append(data.strip())

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def all(self, attribute: str) -> list[str]:
        return [values[attribute] for _, values in self.elements if attribute in values]


def page(found: SubmissionReport) -> Page:
    return Page(as_html(found, CATALOGUE, TEMPLATES))


def check(found: Page) -> None:
    """The rules that hold for every page: known elements, nothing from elsewhere, a sound outline."""
    assert {tag for tag, _ in found.elements} <= ELEMENTS
    assert {name for _, values in found.elements for name in values} <= ATTRIBUTES
    ids = found.all("id")
    assert len(set(ids)) == len(ids)
    assert {target.removeprefix("#") for target in found.all("href")} <= set(ids)
    assert set(found.all("aria-labelledby")) <= set(ids)
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(found.headings, found.headings[1:], strict=False))
    assert all(values.get("scope") in {"col", "row"} for tag, values in found.elements if tag == "th")


def shown(text: str) -> str:
    return visible(shortened(text, 1_000), lines=True).strip()


def test_the_decision_comes_first() -> None:
    """Decision, sentence and counts stand on top, before any finding."""
    found = [text for text in page(report(MONTH, CELL)).texts if text]

    assert found[:8] == [
        "Not accepted – actions.ttl",  # noqa: RUF001 - a dash
        "Validation report:",
        "actions.ttl",
        "Not accepted",
        "The document can't be accepted yet: 1 violation has to be mended first.",
        "1 violation",
        "1 warning",
        "0 notes",
    ]


def test_a_finding_has_place_message_remedy_value_and_suggestion() -> None:
    """All that a sender needs in order to mend something stands in the page."""
    found = page(report(MONTH)).texts

    for text in (
        "line 3, column 17",
        MONTH.message,
        MONTH.remedy,
        MONTH.value,
        MONTH.suggestion,
        MONTH.focus,
        MONTH.path,
    ):
        assert text in found


def test_findings_are_grouped_by_severity_and_code() -> None:
    """Headings tell the severities from the gravest on, and the codes with their numbers."""
    text = as_html(report(MARK, CELL, MONTH, *many("A-01", 3)), CATALOGUE, TEMPLATES)
    found = re.findall(r"<(h[1-3])[^>]*>(.*?)</\1>", text)

    assert [(level, re.sub("<.*?>", "", words)) for level, words in found] == [
        ("h1", "Not accepted"),
        ("h2", "Violations: must be mended"),
        ("h3", "A-01: 3 violations"),
        ("h3", "A-04: 1 violation"),
        ("h2", "Warnings: should be looked at"),
        ("h3", "A-03: 1 warning"),
        ("h2", "Notes: good to know"),
        ("h3", "F-01: 1 note"),
        ("h2", "About this check"),
    ]


def test_a_long_group_is_folded() -> None:
    """The first ten findings of a code are seen at once, the others when they are asked for."""
    short, long = (page(report(*many("A-01", number))) for number in (10, 13))

    assert not [tag for tag, _ in short.elements if tag == "details"]
    assert Counter(tag for tag, _ in long.elements)["details"] == 1
    assert "3 more" in long.texts
    assert Counter(tag for tag, _ in long.elements)["table"] == 2


def test_what_is_not_listed_is_told() -> None:
    """The caps can be seen at the top, at the code and at the end."""
    found = page(report(*many("A-01", 104)))

    assert any(text.startswith("Shown here: 100 of 104 findings.") for text in found.texts)
    assert ": 104 violations" in found.texts
    assert found.texts[found.texts.index("Counted, but not listed") + 1 :][2:4] == ["A-01", ": 4"]


def test_the_same_remedy_is_said_once() -> None:
    """What mends all findings of a code stands above them; a remedy of its own stands with its finding."""
    same = page(report(MONTH, Finding("A-04", Severity.VIOLATION, "m", "f", remedy=MONTH.remedy)))
    own = page(report(MONTH, Finding("A-04", Severity.VIOLATION, "m", "f", remedy="Another.")))

    assert same.texts.count(MONTH.remedy) == 1
    assert (own.texts.count(MONTH.remedy), own.texts.count("Another.")) == (1, 1)


def test_an_empty_report_says_so() -> None:
    """A good document gets a page without tables."""
    found = page(report())

    assert "There are no findings." in found.texts
    assert "table" not in {tag for tag, _ in found.elements}
    check(found)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_page_is_in_the_language_of_the_report(language: str) -> None:
    """The language is declared, and each heading is in it; a message in another language says so."""
    words = CATALOGUE.words(language)
    foreign = Finding("G-01", Severity.INFO, "English", "f", remedy="Mend", language="xx")
    found = page(report(MONTH, CELL, foreign, language=language))

    assert found.elements[0] == ("html", {"lang": language})
    for key in ("about", "decision-rejected", "heading-violation", "message", "place", "value", "suggestion"):
        assert words(key) in found.texts
    assert [
        values["lang"] for tag, values in found.elements if tag in {"p", "span"} and "lang" in values
    ] == [
        "xx",
        "xx",
    ]


def test_a_part_is_an_article() -> None:
    """For a page of the service there is the article alone, without style or document."""
    found = as_part(report(MONTH), CATALOGUE, TEMPLATES)
    elements = Page(found).elements

    assert elements[0] == ("article", {"class": "report", "lang": "en"})
    assert not {tag for tag, _ in elements} & {"html", "body", "style", "main"}
    assert found.strip() in as_html(report(MONTH), CATALOGUE, TEMPLATES)


def test_nothing_comes_from_elsewhere() -> None:
    """No address is fetched by the page or its style, and no rule of the style reaches beyond the report."""
    rules = style()

    assert rules.strip() in as_html(report(), CATALOGUE, TEMPLATES)
    assert not re.search(r"url\(|@import|expression|<", rules)
    bare = re.sub(r"@[^{]*\{", "", re.sub(r"\{[^{}]*\}", "", rules)).replace("}", "")
    selectors = [item.strip() for line in bare.splitlines() for item in line.split(",") if item.strip()]
    assert [item for item in selectors if not item.startswith(".report")] == []


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PALETTES: Final = re.findall(r"\.report \{ (--ink[^}]*?)(?:max-width[^}]*)?\}", style())


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("ground", ["ground", "band"])
@pytest.mark.parametrize("ink", ["ink", "soft", "link", "violation", "warning", "info", "good"])
def test_letters_stand_out(number: int, ground: str, ink: str) -> None:
    """On a screen, in the dark and on paper all letters have a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", PALETTES[number]))

    lower, higher = sorted((luminance(colours[ground]), luminance(colours[ink])))
    assert (higher + 0.05) / (lower + 0.05) >= 4.5


def test_there_are_three_palettes() -> None:
    """Light, dark and print have their colours; a fourth one would have to be looked at, too."""
    assert len(PALETTES) == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_a_text(text: str) -> None:
    """Markup in any field comes out as the letters that were sent."""
    finding = Finding(
        text,
        Severity.VIOLATION,
        text,
        text,
        text,
        text,
        Place(text, sheet=text, cell=text, pointer=text),
        remedy=text,
        suggestion=text,
        related=(text,),
    )
    found = page(report(finding, file=text))

    check(found)
    assert Counter(found.texts)[shown(text)] >= 6


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(REPORTS)
def test_every_report_is_a_page(found: SubmissionReport) -> None:
    """Whatever a stranger sends, the page has known elements only, and each message and value in full."""
    parsed = page(found)

    check(parsed)
    for finding in found.findings:
        assert shown(finding.message) in parsed.texts or not shown(finding.message)
        assert shown(finding.value) in parsed.texts or not shown(finding.value)
