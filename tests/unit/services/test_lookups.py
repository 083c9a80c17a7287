"""The names of the graph for tables: a whole table of the seed roadmap is read with them."""

from pathlib import Path

import pytest
from rdflib.term import URIRef

from medkg.domain.namespaces import ID, MEDKG, NUTS, VOCAB
from medkg.intake.tables import Code, Names, TableLimits, read_csv, read_xlsx
from medkg.services import roadmaps
from medkg.services.lookups import gather
from medkg.store.embedded import EmbeddedEngine

TEXTS = Path(__file__).parents[2] / "fixtures" / "roadmap"


@pytest.fixture(scope="module")
def gathered(engine: EmbeddedEngine) -> Names:
    """The names of the built graph, as another process gets them."""
    return Names.from_json(gather(engine).to_json())


@pytest.mark.parametrize(
    ("kind", "text", "iri"),
    [
        ("Region", "Slaskie", NUTS.PL22),
        ("Region", "Luxembourg", NUTS.LU),
        ("Region", "Norte", NUTS.PT11),
        ("Region", "PT18", NUTS.PT18),
        ("KET", "ket-2012/photonics", VOCAB["ket-2012/photonics"]),
        ("KET", "Sztuczna inteligencja", VOCAB["ket-2018/artificial-intelligence"]),
        ("TechnologyReadinessLevel", "6", VOCAB["trl/6"]),
        ("Roadmap", "chain-reactions-health", ID["roadmap/chain-reactions-health"]),
        ("Organisation", "MedSilesia", ID["organisation/medsilesia"]),
        ("Theme", "Medical technology", VOCAB["theme/medical-technology"]),
        ("ActionStatus", "Planowane", VOCAB["action-status/planned"]),
    ],
)
def test_everything_that_a_table_may_name_is_there(
    gathered: Names, kind: str, text: str, iri: URIRef
) -> None:
    """Regions, concepts, roadmaps and organisations are found by code, identifier and name."""
    assert [found.iri for found in gathered.find(kind, text)] == [str(iri)]


def test_a_name_of_two_regions_has_both(gathered: Names) -> None:
    """An ambiguous name gives its candidates, with label and level."""
    found = gathered.find("Region", "Limburg")

    assert [(str(one), one.level) for one in found] == [
        ("Limburg (Belgium) (BE22)", 2),
        ("Limburg (Netherlands) (NL42)", 2),
    ]


def test_retired_regions_are_known_as_such(gathered: Names) -> None:
    """A code that is no longer in force still means its region."""
    (found,) = gathered.find("Region", "PT18")

    assert found.retired


@pytest.mark.parametrize(("suffix", "reader"), [(".csv", read_csv), (".xlsx", read_xlsx)])
def test_what_the_roadmap_reader_writes_can_be_read(
    gathered: Names, tmp_path: Path, suffix: str, reader: object
) -> None:
    """The files of `medkg roadmap` are tables that this reader takes, without a word about violations."""
    table = roadmaps.read(TEXTS / "en_fill_down.txt")
    path = tmp_path / f"actions{suffix}"
    roadmaps.write(table, path)
    read = read_csv if reader is read_csv else read_xlsx

    found = read(path.read_bytes(), names=gathered, namespace=f"{ID}action/x-", limits=TableLimits())

    given = [one for one in found.statements if one.predicate == MEDKG.region]
    regions = [(str(one.subject), one.object) for one in given]
    assert regions == [
        (f"{ID}action/x-mobile-clinics", NUTS.FI1D7),
        (f"{ID}action/x-shared-records", NUTS.FI1D7),
        (f"{ID}action/x-night-line", NUTS.FI1D8),
        (f"{ID}action/x-night-line", NUTS.FI1D7),
        (f"{ID}action/x-winter-school", NUTS.FI1D8),
    ]
    usual = {Code.LANGUAGE, Code.IDENTIFIER_MADE, Code.ENCODING, Code.SHEET_CHOSEN}
    assert {flaw.code for flaw in found.flaws} <= usual


def test_the_seed_roadmap_as_people_lay_it_out(gathered: Names) -> None:
    """Two rows of headings, a broken name, a row that goes on: the regions and months come out."""
    data = (
        "Region;Suggested innovation action;Description;Timeframe;\n"
        ";;;From;To\n"
        "Slaskie / Ve- neto;Preparing for MedSilesia competence center set-up;In several;10/2021;12/2025\n"
        ";;steps.;;\n"
    )

    found = read_csv(data.encode("cp1250"), names=gathered, namespace=f"{ID}action/x-", limits=TableLimits())

    assert [str(one.object) for one in found.statements if one.predicate == MEDKG.region] == [
        str(NUTS.PL22),
        str(NUTS.ITH3),
    ]
    months = [str(one.object) for one in found.statements if "planned" in one.predicate]
    assert months == ["2021-10", "2025-12"]
