"""store/federation/allow.py: an address is listed or it is not, however it is written."""

import pytest

from medkg.domain.errors import SettingError
from medkg.store.federation.allow import AllowList

LISTED = AllowList.read(
    "MEDKG_SERVICE_ALLOW",
    " https://a.org/sparql  http://b.org:8080/data/\thttp://127.0.0.1:9/ https://m\u00fcnchen.de ",
)


@pytest.mark.parametrize(
    "iri",
    [
        "https://a.org/sparql",
        "https://A.ORG/sparql",
        "HTTPS://a.org:443/sparql",
        "https://a.org/sparql/",
        "https://a.org/sparql/x/y",
        "https://a.org/sparql?graph=http://c.org/",
        "https://a.org/sparql#x",
        "https://a.org/./x/../sparql",
        "http://b.org:8080/data/",
        "http://b.org:8080/data/x.ttl",
        "http://b.org:8080/data/../data/x.ttl",
        "http://b.org:8080/data/\u00fc",
        "http://127.0.0.1:9",
        "http://127.0.0.1:9/x",
        "https://xn--mnchen-3ya.de/x",
    ],
)
def test_what_is_below_a_prefix_is_allowed(iri: str) -> None:
    """Scheme, host and port are those of the prefix, and the path is it or goes on from it."""
    assert LISTED.allows(iri)
    assert LISTED.address(iri) is not None


@pytest.mark.parametrize(
    "iri",
    [
        "",
        "a",
        "https:",
        "https://",
        "http://a.org/sparql",
        "https://a.org:8443/sparql",
        "https://a.org/sparqlx",
        "https://a.org/sparql-admin",
        "https://a.org/spar",
        "https://a.org/SPARQL",
        "https://a.org/",
        "https://a.org.evil.org/sparql",
        "https://evil.org/https://a.org/sparql",
        "https://evil.org#https://a.org/sparql",
        "https://a.org@evil.org/sparql",
        "https://a.org\\@evil.org/sparql",
        "https://evil.org\\@a.org/sparql",
        "https://user@a.org/sparql",
        "https://user:password@a.org/sparql",
        "https://a.org./sparql",
        "https://a.org/sparql/../admin",
        "https://a.org/sparql/%2e%2e/admin",
        "https://a.org/sparql/.%2E/admin",
        "https://a.org/sparql/%252e%252e/admin",
        "https://a.org/sparql/..%2fadmin",
        "https://a.org/sparql/..\\admin",
        "https://a.org/sparql/..%5cadmin",
        "https://a.org/sparql/%25252e%25252e%25252fadmin",
        "https://a.org/sparql\n/x",
        "https://a.org/sparql x",
        "https://a.org/sparql/" + "x" * 2_000,
        "http://b.org/data/",
        "http://b.org:8080/data",
        "http://b.org:8080/database",
        "http://localhost:9/",
        "http://127.1:9/",
        "http://2130706433:9/",
        "http://0x7f.0.0.1:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://127.0.0.1:90/",
        "http://127.0.0.1:65545/",
        "ftp://a.org/sparql",
        "file:///sparql",
        "urn:x",
    ],
)
def test_anything_else_is_not(iri: str) -> None:
    """Another scheme, host, port, path or user is not listed, nor is a path that leads up again."""
    assert not LISTED.allows(iri)


def test_what_was_compared_is_what_is_called() -> None:
    """The address to call is the reading of the text that was found on the list, not the text."""
    url = LISTED.address("https://A.org/x/../sparql")

    assert str(url) == "https://a.org/sparql"


@pytest.mark.parametrize("value", ["", " ", "\n\t"])
def test_nothing_is_listed_by_default(value: str) -> None:
    """An empty setting is an empty list, which allows nothing."""
    empty = AllowList.read("MEDKG_LOAD_ALLOW", value)

    assert not empty
    assert not empty.allows("https://a.org/")


@pytest.mark.parametrize(
    "value",
    [
        "a.org",
        "a.org/sparql",
        "//a.org/",
        "https:",
        "https://",
        "https:///sparql",
        "ftp://a.org/",
        "*",
        "https://*",
        "https://a.org/?x=1",
        "https://a.org/?",
        "https://a.org/#x",
        "https://a.org/#",
        "https://a.org:99999/",
        "https://a.org:x/",
        "https://a.org/%2e%2e/x",
        "https://a.org\\x",
        "https://a.org/,https://b.org/",
        "https://a.org/*",
        "https://*.a.org/",
        "https://b.org/ a.org",
    ],
)
def test_a_bad_list_is_one_line(value: str) -> None:
    """What can't be a prefix is refused by one line with the setting, the value and what was expected."""
    with pytest.raises(SettingError) as caught:
        AllowList.read("MEDKG_SERVICE_ALLOW", value)

    assert str(caught.value).startswith(f"MEDKG_SERVICE_ALLOW has the value {value!r}: expected addresses ")
    assert "\n" not in str(caught.value)


def test_a_password_in_a_list_is_not_shown() -> None:
    """A prefix with credentials is refused without printing them."""
    with pytest.raises(SettingError, match=r"has the value \(not shown\)") as caught:
        AllowList.read("MEDKG_SERVICE_ALLOW", "https://user:secret@a.org/")

    assert "secret" not in str(caught.value)


def test_the_list_is_shown_as_it_was_written() -> None:
    """Errors name the prefixes."""
    assert (
        str(LISTED)
        == "https://a.org/sparql http://b.org:8080/data/ http://127.0.0.1:9/ https://m\u00fcnchen.de"
    )
