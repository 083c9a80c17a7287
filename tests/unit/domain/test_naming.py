"""Names: what people leave out makes no difference; of several things with a name one is meant."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.domain.namespaces import NUTS
from medkg.domain.naming import fold, largest, slug


def test_of_regions_in_each_other_the_largest_is_meant() -> None:
    """Where a country, its only region and its only province share a name, the country is meant."""
    nested = [NUTS[code] for code in ("LU000", "LU", "LU00", "LU0")]
    apart = [NUTS["BE22"], NUTS["NL42"]]

    assert largest(nested, lambda _: False) == [NUTS["LU"]]
    assert largest(apart, lambda _: False) == apart
    assert largest(apart, apart[:1].__contains__) == apart[1:]
    assert largest(apart, apart.__contains__) == apart
    assert largest([], lambda _: False) == []


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Śląskie", "slaskie"),
        ("Łódzkie", "lodzkie"),
        ("Auvergne-Rhône-Alpes", "auvergne rhone alpes"),
        ("Straße  (Süd)", "strasse sud"),
        ("Ærø", "aero"),
        ("İstanbul", "istanbul"),
        ("S3P-Industry", "s3p industry"),
        ("...", ""),
    ],
)
def test_folding_drops_what_people_leave_out(name: str, folded: str) -> None:
    """Case, accents, hyphens and punctuation make no difference; letters and digits do."""
    assert fold(name) == folded


@settings(deadline=None)
@given(name=st.text())
def test_folding_twice_changes_nothing(name: str) -> None:
    """Folding is idempotent, and does not depend on how a text is composed."""
    assert fold(fold(name)) == fold(name)
    assert fold(unicodedata.normalize("NFD", name)) == fold(unicodedata.normalize("NFC", name))


@pytest.mark.parametrize(
    ("text", "part"),
    [("Łódź: Imaging lab (2)", "lodz-imaging-lab-2"), ("A-01", "a-01"), ("?!", ""), ("Αθήνα 7", "7")],
)
def test_a_slug_has_small_ascii_letters_and_digits_alone(text: str, part: str) -> None:
    """What a slug can't hold separates its words; nothing may be left."""
    assert slug(text) == part
