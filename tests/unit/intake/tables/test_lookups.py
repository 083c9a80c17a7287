"""Names in a cell: where it is cut, and what the pieces mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile.tables.files import small_names

from medkg.intake.tables.lookups import Lookups

SMALL = small_names()


def codes(text: str, kind: str = "Region") -> list[str]:
    """Return what the pieces of a cell mean, shortly; a piece that means nothing, or much, in brackets."""
    reading = Lookups(SMALL).read(kind, text)
    return [
        named.candidates[0].iri.rpartition("/")[2] if len(named.candidates) == 1 else f"[{named.text}]"
        for named in reading.names
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Slaskie / Veneto",
        "Slaskie/Veneto",
        "Slaskie; Veneto",
        "Slaskie, Veneto",
        "Slaskie,Veneto",
        "Slaskie and Veneto",
        "Śląskie i Veneto",
        "Silésie et Vénétie",
        "Slaskie\nVeneto",
        "Slaskie / Ve- neto",
        "Slaskie / Ve-\nneto",
        "Slaskie /\nVeneto",
        "PL22 | ITH3",
        "pl 22, ITH3",
        "PL22 / Slaskie / Veneto",
    ],
)
def test_several_names_in_a_cell_are_told_apart(text: str) -> None:
    """Slashes, semicolons, commas, "and" and line breaks separate; a name broken by a hyphen is whole."""
    assert list(dict.fromkeys(codes(text))) == ["PL22", "ITH3"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Provincia Autonoma di Bolzano/Bozen", ["ITH1"]),
        ("Provincia Autonoma di Bolzano/Bozen / Veneto", ["ITH1", "ITH3"]),
        ("Friuli- Venezia Giulia", ["ITH4"]),
        ("Friuli-Venezia\nGiulia", ["ITH4"]),
        ("Veneto, Atlantis", ["ITH3", "[Atlantis]"]),
        ("Veneto / Atlantis", ["ITH3", "[Atlantis]"]),
        ("Limburg", ["[Limburg]"]),
        ("Lombardia (north)", ["ITC4"]),
        ("", []),
    ],
)
def test_a_name_with_a_separator_in_it_stays_whole(text: str, found: list[str]) -> None:
    """What an official name holds itself does not cut it; what means nothing stands alone."""
    assert codes(text) == found


def test_other_names_are_cut_alike() -> None:
    """Technologies may have commas and "and" in their names, too."""
    assert codes("Micro- and nanoelectronics; AI", "KET") == [
        "micro-nanoelectronics",
        "artificial-intelligence",
    ]
    assert codes("AI, Fotonix", "KET") == ["artificial-intelligence", "[Fotonix]"]


def test_a_mended_name_is_told() -> None:
    """Whether a name was spelt otherwise is known."""
    lookups = Lookups(SMALL)

    assert lookups.read("Region", "Slaskie / Ve- neto").mended
    assert not lookups.read("Region", "Slaskie / Veneto").mended


@given(text=st.text(alphabet="aV-/,;| \n()PL2and", max_size=60))
def test_any_cell_can_be_cut(text: str) -> None:
    """Whatever stands in a cell: no error, and each piece stands in it somehow."""
    letters = set(text)

    assert all(
        set(named.text) <= letters | {" ", "-", "/"} for named in Lookups(SMALL).read("Region", text).names
    )
