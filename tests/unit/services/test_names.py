"""Names: what people type finds the entity they mean, or tells them what to type instead."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib.term import URIRef

from medkg.domain.errors import ParameterError
from medkg.domain.namespaces import ID, NUTS, VOCAB
from medkg.services.names import Names

CLASSES = ("Region", "KET", "Cluster", "InnovationAction", "Partnership")

# The fixtures are of the session: an example can't spoil them for the next.
PROPERTY = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("PL22", "PL22"),
        ("pl22", "PL22"),
        (" PL22 ", "PL22"),
        ("nuts:PL22", "PL22"),
        ("http://data.europa.eu/nuts/code/PL22", "PL22"),
        ("Silesia", "PL22"),
        ("SLESIA", "PL22"),
        ("Slesia", "PL22"),
        ("Śląskie", "PL22"),
        ("Slaskie", "PL22"),
        ("śląskie", "PL22"),
        (unicodedata.normalize("NFD", "Śląskie"), "PL22"),
        ("Silésie", "PL22"),
        ("Silesie", "PL22"),
        ("Górny Śląsk", "PL22"),
        ("Województwo śląskie", "PL22"),
        ("Auvergne-Rhône-Alpes", "FRK"),
        ("Auvergne Rhone-Alpes", "FRK"),
        ("AUVERGNE RHONE ALPES", "FRK"),
        ("auvergne_rhône_alpes", "FRK"),
        ("Veneto", "ITH3"),
        ("Vénétie", "ITH3"),
        ("Luxembourg", "LU"),
        ("Lëtzebuerg", "LU"),
        ("Italy", "IT"),
        ("Włochy", "IT"),
        ("Ελλάδα", "EL"),
        ("Baden-Württemberg", "DE1"),
        ("Baden Wurttemberg", "DE1"),
        ("Limburg (Belgium)", "BE22"),
        ("NL42", "NL42"),
    ],
)
def test_a_region_is_found_by_code_or_name(names: Names, typed: str, code: str) -> None:
    """A NUTS code, an IRI, or a name in any language, with accents and hyphens or without, means a region."""
    assert names.region(typed) == NUTS[code]


@pytest.mark.parametrize(
    ("class_", "typed", "iri"),
    [
        ("InnovationAction", "medtech-biomed-observatory", ID["action/medtech-biomed-observatory"]),
        ("InnovationAction", "action/medtech-biomed-observatory", ID["action/medtech-biomed-observatory"]),
        ("InnovationAction", "MedTech biomed observatory", ID["action/medtech-biomed-observatory"]),
        (
            "InnovationAction",
            "Preparing for MedSilesia competence center set-up",
            ID["action/medsilesia-competence-centre"],
        ),
        ("Cluster", "MedSilesia", ID["organisation/medsilesia"]),
        ("Organisation", "medsilesia", ID["organisation/medsilesia"]),
        ("Partnership", "https://w3id.org/medkg/id/partnership/medtech", ID["partnership/medtech"]),
        ("KET", "ket-2012/photonics", VOCAB["ket-2012/photonics"]),
        ("KET", "vocab:ket-2012/photonics", VOCAB["ket-2012/photonics"]),
        ("SpecialisationPlatform", "S3P-Industry", ID["platform/s3p-industry"]),
    ],
)
def test_an_entity_is_found_by_slug_path_iri_or_label(
    names: Names, class_: str, typed: str, iri: URIRef
) -> None:
    """The last part of its IRI, its type and slug, the whole IRI, or a label means an entity of the class."""
    assert names.entity(typed, class_) == iri


def test_several_meanings_are_all_named(names: Names) -> None:
    """A name of two regions is refused, and the message gives both, each with its code."""
    with pytest.raises(ParameterError) as caught:
        names.region("Limburg", parameter="other")

    assert caught.value.name == "other"
    assert str(caught.value) == (
        "'Limburg' may mean Limburg (Belgium) (BE22) or Limburg (Netherlands) (NL42). "
        "Give the code or the identifier instead."
    )


@pytest.mark.parametrize(
    ("class_", "typed", "message", "near"),
    [
        ("Region", "Silesja", "No region is called 'Silesja'.", "Silesia (PL22)"),
        ("Region", "Auvergne Rhone Alps", "No region is called 'Auvergne Rhone Alps'.", "(FRK)"),
        ("Region", "Venetto", "No region is called 'Venetto'.", "Veneto (ITH3)"),
        ("Region", "PL2X", "No region is called 'PL2X'.", "(PL2)"),
        ("KET", "fotonics", "No KET is called 'fotonics'.", "Photonics (ket-2012/photonics)"),
        ("Cluster", "Silesia", "No cluster is called 'Silesia'.", "MedSilesia (organisation/medsilesia)"),
        ("InnovationAction", "PL22", "No innovation action is called 'PL22'.", ""),
    ],
)
def test_an_unknown_name_gets_a_suggestion(
    names: Names, class_: str, typed: str, message: str, near: str
) -> None:
    """What nothing is called is refused; names much like it are offered, each with what to type."""
    with pytest.raises(ParameterError) as caught:
        names.entity(typed, class_)

    assert caught.value.message == message
    assert near in caught.value.remedy
    assert bool(near) == caught.value.remedy.startswith("Did you mean ")


@pytest.mark.parametrize("typed", ["Atlantis", "Silesja", "no such place in it"])
def test_codes_are_no_suggestion_for_words(names: Names, typed: str) -> None:
    """A code of two letters is part of many words, and is not offered for one."""
    with pytest.raises(ParameterError) as caught:
        names.region(typed)

    assert not any(f"({code})" in caught.value.remedy for code in ("AT", "IS", "NO", "LI", "IT", "SI", "ES"))


def test_a_current_region_goes_before_a_retired_one(names: Names) -> None:
    """A name that a retired region shares means the one in force; the code still means the retired one."""
    assert names.region("Norte") == NUTS["PT11"]
    assert names.region("PT18") == NUTS["PT18"]


@PROPERTY
@given(text=st.text(max_size=60), class_=st.sampled_from(CLASSES))
def test_any_text_finds_an_entity_or_is_refused(names: Names, text: str, class_: str) -> None:
    """Whatever is typed gives an IRI of the graph or a message for a person, never another error."""
    try:
        found = str(names.entity(text, class_, parameter="x"))
    except ParameterError as error:
        found = f"{error.name}: {error.remedy}"

    assert found.startswith(("http://data.europa.eu/", "https://w3id.org/medkg/", "x: "))


@PROPERTY
@given(data=st.data())
def test_every_name_of_a_region_finds_something(names: Names, data: st.DataObject) -> None:
    """The folded form of a name in the graph means what the name means, or is ambiguous like it."""
    index = names._index("Region").by_name
    known = data.draw(st.sampled_from(sorted(name for name in index if name)))

    try:
        understood = names.region(known.upper()) in index[known]
    except ParameterError as error:
        understood = " may mean " in error.message

    assert understood
