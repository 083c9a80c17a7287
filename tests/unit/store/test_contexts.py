"""store/contexts.py: a JSON-LD document whose context is elsewhere is told where that is, and what to do."""

import pyoxigraph as ox
import pytest

from medkg.store.contexts import START, is_missing, not_fetched

AWAY = "https://example.org/context.jsonld"
WANTING = {
    "an address": (f'{{"@context": "{AWAY}", "a": 1}}', AWAY, 1),
    "an array": (f'[\n{{"@context": [{{"a": "urn:a"}},\n"{AWAY}"], "a": 1}}]', AWAY, 3),
    "a relative address": ('{\n\n"@context": "context.jsonld", "a": 1}', "context.jsonld", 3),
    "an import": (f'{{"@context": {{"@version": 1.1,\n"@import": "{AWAY}"}}, "a": 1}}', AWAY, 2),
    "a scoped context": (
        f'{{"@context": {{"a": {{"@id": "urn:a",\n"@context": "{AWAY}"}}}}, "a": {{"a": 1}}}}',
        AWAY,
        2,
    ),
    "signs in the address": ('{"@context": "urn:a\\"b\\u00e9", "a": 1}', 'urn:a"bé', 1),
}


def refused(text: str) -> SyntaxError:
    with pytest.raises(SyntaxError) as caught:
        list(ox.parse(text, ox.RdfFormat.JSON_LD, base_iri="https://example.org/"))
    return caught.value


@pytest.mark.parametrize(("text", "address", "line"), WANTING.values(), ids=WANTING)
def test_a_context_elsewhere_is_told(text: str, address: str, line: int) -> None:
    """The error names the address and its line, and says to put the context inline."""
    assert is_missing(refused(text))
    error = not_fetched(text.encode()[:START])

    assert str(error) == (
        f"document:{line}: The JSON-LD takes its context from <{address}>, and nothing is fetched here. "
        "Put the context itself into the document, in place of its address. Nothing was changed."
    )
    assert error.line == line


@pytest.mark.parametrize("start", [b"", b'{"@graph": [', b'{"@context": [{"a": "b"}', b'{"@context": "\xff"'])
def test_an_address_that_is_not_found_is_not_told(start: bytes) -> None:
    """Where the address can't be made out, the rest is said all the same."""
    error = not_fetched(start)

    assert "takes its context from another address" in str(error)
    assert error.line is None


@pytest.mark.parametrize("text", ['{"@id": ', '{"@context": 5}', '{"@id": "urn:a", "@type": 1}'])
def test_another_mistake_is_another(text: str) -> None:
    """Documents that are broken in other ways are not told about contexts."""
    assert not is_missing(refused(text))
