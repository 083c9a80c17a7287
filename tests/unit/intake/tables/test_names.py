"""The names that cells are looked up by."""

import pytest
from tests.hostile.tables.files import NUTS, small_names

from medkg.intake.tables import Names

NAMES = small_names()


@pytest.mark.parametrize(
    ("kind", "text", "codes"),
    [
        ("Region", "PL22", ["PL22"]),
        ("Region", "pl 22", ["PL22"]),
        ("Region", " nuts:PL22 ", ["PL22"]),
        ("Region", f"{NUTS}PL22", ["PL22"]),
        ("Region", "slaskie", ["PL22"]),
        ("Region", "Silesia", ["PL22"]),
        ("Region", "PLX9", ["PLX9"]),
        ("Region", "Limburg", ["BE22", "NL42"]),
        ("Region", "Luxembourg", ["LU"]),
        ("Region", "Photonics", []),
        ("Region", "", []),
        ("KET", "PL22", []),
        ("Nothing", "PL22", []),
    ],
)
def test_a_name_means_what_the_graph_calls_so(kind: str, text: str, codes: list[str]) -> None:
    """Codes and IRIs mean one thing, even a retired one; names the current things, the largest of nested."""
    assert [found.iri.removeprefix(NUTS) for found in NAMES.find(kind, text)] == codes


def test_a_proposal_says_what_to_write() -> None:
    """Of an unknown name the likest ones are offered, each with its code."""
    assert str(NAMES.near("Region", "Venetto")[0]) == "Veneto (ITH3)"
    assert [str(found) for found in NAMES.near("KET", "Fotonix")][:1] == ["Photonics (ket-2009/photonics)"]
    assert NAMES.near("Region", "qqqqqq") == ()


def test_names_travel_as_json() -> None:
    """Another process gets the same names."""
    assert Names.from_json(NAMES.to_json()) == NAMES
    assert Names.from_json(Names().to_json()) == Names()
