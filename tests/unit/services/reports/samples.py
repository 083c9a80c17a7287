"""What the tests of the faces share: findings as they come, and as a stranger would like them to be."""

from collections.abc import Iterable
from typing import Final

from hypothesis import strategies as st

from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports import texts
from medkg.services.reports.summary import Check, summarise

CATALOGUE: Final = texts.load()

MONTH: Final = Finding(
    "A-04",
    Severity.VIOLATION,
    "The start “10/2021” is no month.",
    "https://w3id.org/medkg/id/action/x",
    "medkg:start",
    "10/2021",
    Place("actions.ttl", 3, 17, 3, 26),
    shape="https://w3id.org/medkg/shapes#Action-start",
    component="http://www.w3.org/ns/shacl#PatternConstraintComponent",
    remedy="Write the year first: 2021-10.",
    suggestion="2021-10",
)
CELL: Final = Finding(
    "A-03",
    Severity.WARNING,
    "The region “Slaskie” is not known.",
    "https://w3id.org/medkg/id/action/y",
    "medkg:region",
    "Slaskie",
    Place("", sheet="Actions", cell="D5"),
    remedy="Write a NUTS code.",
    suggestion="Śląskie (PL22)",
    related=("http://data.europa.eu/nuts/code/PL22",),
)
MARK: Final = Finding("F-01", Severity.INFO, "A byte order mark was taken away.", "")

HOSTILE: Final = (
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "#N/A",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><b>",
    "' onmouseover='x",
    "]]>",
    "&amp;&#0;",
    "{{ 7 * 7 }}{% raw %}{0}",
    "[click](http://evil.example)",
    "\x00\x07\x1b[31mred\x1b]0;title\x07\x7f\x9b1m",
    "abc\u202edcba\u2066\u200b\ufeff\u00ad",
    "\u2028\u2029\u0085\x0b\x0c",
    "\ufffe\uffff\U0001fffe\ue000",
    "word " * 60 + "x" * 400,
    "e\u0301\u0308" * 30,
    "_x000D_",
    'a,b;c\td"e',
    "two\r\nlines\rthree",
    "C:\\Users\\x [y] {z}",
    "//evil.example/x?y#z",
    " ",
)

LONG: Final = ("x" * 40_000, "😀" * 20_000)
"""Longer than a cell or a comment of a workbook can be."""

WILD: Final = st.one_of(st.text(max_size=40), st.sampled_from(HOSTILE), st.just(""))
NUMBERS: Final = st.integers(min_value=0, max_value=2_000_000)
PLACES: Final = st.builds(
    Place,
    file=WILD,
    line=NUMBERS,
    column=NUMBERS,
    end_line=NUMBERS,
    end_column=NUMBERS,
    sheet=WILD,
    cell=st.one_of(WILD, st.from_regex(r"[A-Z]{1,3}[1-9][0-9]{0,6}", fullmatch=True)),
    pointer=WILD,
)
FINDINGS: Final = st.builds(
    Finding,
    code=st.one_of(st.sampled_from(["A-01", "A-02", "G-04"]), WILD.filter(bool)),
    severity=st.sampled_from(Severity),
    message=WILD,
    focus=WILD,
    path=WILD,
    value=WILD,
    place=PLACES,
    shape=WILD,
    component=WILD,
    remedy=WILD,
    suggestion=WILD,
    related=st.lists(WILD, max_size=3).map(tuple),
    language=st.sampled_from(["", "en", "pl"]),
)
CHECKS: Final = st.builds(
    Check,
    profile=WILD,
    file=WILD,
    media_type=WILD,
    shapes_version=WILD,
    data_version=st.none() | NUMBERS,
    input_sha256=st.sampled_from(["", "ab" * 32]),
    duration=st.floats(min_value=0, max_value=1e9),
    scope=WILD,
)
REPORTS: Final = st.builds(
    lambda findings, check, language, readable: summarise(
        findings, language=language, texts=CATALOGUE, check=check, readable=readable
    ),
    st.lists(FINDINGS, max_size=6),
    CHECKS,
    st.sampled_from(texts.LANGUAGES),
    st.booleans(),
)


def report(
    *findings: Finding, language: str = "en", file: str = "actions.ttl", readable: bool = True
) -> SubmissionReport:
    """Return a report of these findings."""
    check = Check(
        profile="submission",
        file=file,
        media_type="text/turtle",
        shapes_version="0.4.0",
        data_version=17,
        input_sha256="ab" * 32,
        duration=12.3456,
        scope="file",
    )
    return summarise(findings, language=language, texts=CATALOGUE, check=check, readable=readable)


def many(code: str, number: int, severity: Severity = Severity.VIOLATION) -> Iterable[Finding]:
    """Return findings of one code on lines of their own."""
    return [
        Finding(code, severity, "Wrong.", f"urn:x:{line}", place=Place("a.ttl", line))
        for line in range(1, number + 1)
    ]
