"""store/tokens.py: the tokens of a text are those that the engine sees."""

from contextlib import suppress

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.store.tokens import Place, place, places, read


def shown(text: str) -> str:
    return " ".join(token.text for token in read(text).tokens)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("ASK{?s a<a:b>}", "ASK { ?s a <a:b> }"),
        ("?s e:a.b.c 1.5.", "?s e:a.b . c 1.5 ."),
        ("'a''b' '''it's''' \"\"\"a \"\"b\"\"\"", "'a' 'b' '''it's''' \"\"\"a \"\"b\"\"\""),
        ("'x'@en--ltr 'x'^^xsd:int", "'x' @en--ltr 'x' ^^ xsd:int"),
        ("# one\n a # two", "a"),
        ("# only a comment", ""),
        ("a   ", "a"),
        ("FILTER(?a<?b&&?c>?d)", "FILTER ( ?a < ?b && ?c > ?d )"),
        ("FILTER(?a<b:c&&?c>?d)", "FILTER ( ?a < b:c && ?c > ?d )"),
        ("{?s e:p (?a <b:c>)}", "{ ?s e:p ( ?a <b:c> ) }"),
        ("{?s a (?a <b:c>)}", "{ ?s a ( ?a <b:c> ) }"),
        ("SELECT (COUNT(DISTINCT <b:c>(?x)) AS ?y)", "SELECT ( COUNT ( DISTINCT <b:c> ( ?x ) ) AS ?y )"),
        ("{FILTER e:f(?a<b:c>?d)}", "{ FILTER e:f ( ?a < b:c > ?d ) }"),
        ("FILTER(?a<<http://b/#c>)", "FILTER ( ?a < <http://b/#c> )"),
        ("{<<?s ?p <a:b>>> ?p ?o}", "{ << ?s ?p <a:b> >> ?p ?o }"),
        ("{?s ?p <<(?s ?p (1))>>}", "{ ?s ?p <<( ?s ?p ( 1 ) )>> }"),
        ("{?s ?p ?o{|?p ?o|}~_:r}", "{ ?s ?p ?o {| ?p ?o |} ~ _:r }"),
        ("{?s a|^a ?o}", "{ ?s a | ^ a ?o }"),
        ("<a b> 'open", "< a b > ' open"),
    ],
)
def test_a_text_is_cut_where_the_engine_cuts_it(text: str, tokens: str) -> None:
    """Words need no space between them, and < is an IRI or a comparison by where it stands."""
    assert shown(text) == tokens


@pytest.mark.parametrize(
    ("text", "insides"),
    [
        ("{ ( [ 1 ] ) }", ["", "{", "(", "[", "(", "{", ""]),
        ("{ FILTER ( 1 ) }", ["", "{", "{", "expression", "{", ""]),
        ("VALUES ?x { 1 }", ["", "", "", "data", ""]),
        ("VALUES ( ?x ) { ( 1 ) }", ["", "", "head", "", "", "data", "row", "data", ""]),
        ("INSERT DATA { ( 1 ) }", ["", "", "", "ground", "ground", "ground", ""]),
        ("<< 1 >>", ["", "<<", ""]),
    ],
)
def test_a_token_knows_the_bracket_around_it(text: str, insides: list[str]) -> None:
    """A token has the innermost bracket around it, and its sort; a bracket has the one outside of it."""
    assert [token.inside for token in read(text).tokens] == insides


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("{ ?s ?p ?o }", None),
        ("{ 'open }", 2),
        ("{ ?s ?p ?o", 10),
        ("{ ( }", 4),
        ("}", 0),
        ("{?s ?p (?x <a:b#c>)}", 11),
        ("{?s ?p (?x <http://b#c>)}", None),
        ("FILTER(?x<a:b#c>)\n", 9),
    ],
)
def test_a_doubt_has_its_offset(text: str, doubt: int | None) -> None:
    """Where brackets don't match, or an IRI may be a comparison that hides something, there is a doubt."""
    assert read(text).doubt == doubt


def test_reading_ends_where_nothing_can_be_read() -> None:
    """A text with many quotes that open nothing is not followed to its end from each of them."""
    assert len(read("'''" + "\\'''a\n" * 1000).tokens) < 100


@pytest.mark.parametrize(
    ("offset", "expected"), [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (4, (3, 1)), (6, (3, 3))]
)
def test_a_place_is_counted_from_one(offset: int, expected: tuple[int, int]) -> None:
    """Line and column are counted from 1; only a newline ends a line."""
    assert place("a\nb\n\rcd", offset) == expected


@given(st.text(alphabet="a\n\r", max_size=20), st.data())
def test_many_places_are_those_of_each(text: str, data: st.DataObject) -> None:
    """The places of many offsets are what one at a time gives."""
    offsets = data.draw(st.lists(st.integers(0, len(text)), max_size=5))

    assert places(text, offsets) == [Place(*place(text, offset)) for offset in offsets]


PIECES = [
    "?x",
    "<a:b>",
    "<a:b#c>",
    "e:a",
    "e:a.b",
    "'x'",
    "1",
    "-",
    "(",
    ")",
    "<",
    ">",
    "=",
    "&&",
    "a",
    " ",
    "#",
    "\n",
    "!",
    "e:f(",
]


@given(
    st.sampled_from(["FILTER(%s)", "?s ?p (%s)", "BIND(%s AS ?y)", "?s %s ?o"]),
    st.lists(st.sampled_from(PIECES), max_size=6),
)
@settings(max_examples=800, deadline=None)
def test_spaces_between_tokens_change_nothing(frame: str, pieces: list[str]) -> None:
    """A text that the engine takes means the same with a space between its tokens, unless it is in doubt."""
    text = "PREFIX e: <a:> ASK { %s }" % (frame % "".join(pieces))
    store = ox.Store()
    try:
        store.query(text)
    except RuntimeError:
        pass
    except SyntaxError:
        return
    reading = read(text)
    if reading.doubt is None:
        with suppress(RuntimeError):
            store.query(" ".join(token.text for token in reading.tokens))
