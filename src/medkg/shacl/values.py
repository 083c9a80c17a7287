"""What one value node must be by itself, as SPARQL expressions (SHACL, sections 4.1, 4.3, 4.4 and 4.8)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from rdflib.namespace import SH
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.shacl.components import count_of
from medkg.shacl.literals import SENT, Keep, as_sent, lexical_test, term_text

__all__ = ["ValueTests", "any_of", "is_ambiguous"]

_CHECKS: Final = {SH.BlankNode: "isBlank", SH.IRI: "isIRI", SH.Literal: "isLiteral"}
_KINDS: Final[Mapping[Node, tuple[URIRef, ...]]] = {
    SH.BlankNode: (SH.BlankNode,),
    SH.IRI: (SH.IRI,),
    SH.Literal: (SH.Literal,),
    SH.BlankNodeOrIRI: (SH.BlankNode, SH.IRI),
    SH.BlankNodeOrLiteral: (SH.BlankNode, SH.Literal),
    SH.IRIOrLiteral: (SH.IRI, SH.Literal),
}
_FEW: Final = 50
_NESTED: Final = re.compile(r".\[|&&|--|~~", re.DOTALL)
_COMPARISONS: Final[Mapping[URIRef, str]] = {
    SH.MinExclusiveConstraintComponent: ">",
    SH.MinInclusiveConstraintComponent: ">=",
    SH.MaxExclusiveConstraintComponent: "<",
    SH.MaxInclusiveConstraintComponent: "<=",
}


class ValueTests:
    """Writes expressions that are true where a value breaks a constraint; they never raise an error.

    *keep* tells how the engine keeps a literal.  With *exact* some literals of the data are stored as they
    were sent (see :mod:`medkg.shacl.literals`).
    """

    def __init__(self, keep: Keep, *, exact: bool) -> None:
        self._keep = keep
        self._exact = exact

    def term(self, node: Node) -> str:
        """Return a term of the shapes as the data has it.

        :raises ShapesRefused: it is a blank node, which no data shares with the shapes.
        """
        if isinstance(node, BNode):
            raise ShapesRefused("A blank node of the shapes stands where a term of the data is meant.")
        return term_text(as_sent(node, self._keep) if isinstance(node, Literal) and self._exact else node)

    def number(self, value: str) -> str:
        """Return an expression for what *value* stands for when it is compared."""
        if not self._exact:
            return value
        kind = f"STR(DATATYPE({value}))"
        true = f'STRDT(STR({value}), IRI(STRAFTER({kind}, "{SENT}")))'
        return f'IF(COALESCE(STRSTARTS({kind}, "{SENT}"), false), {true}, {value})'

    def one_of(self, value: str, terms: Iterable[Node]) -> str:
        """Return an expression: *value* is one of *terms*, as a term and not as a number."""
        texts = sorted({self.term(term) for term in terms})
        # Equal IRIs and equal strings are the same term; "1" and "1.0" are not.
        if all(text.startswith("<") or text.endswith('"') for text in texts):
            return f"COALESCE({value} IN ({', '.join(texts)}), false)"
        return _one_for_which(texts, lambda text: f"sameTerm({value}, {text})")

    def datatype(self, value: str, datatype: URIRef) -> str:
        """Return the test: no literal of this datatype, or no valid form of it (section 4.1.2)."""
        same = f"DATATYPE({value}) = <{datatype}>"
        if self._exact:
            same = f"({same} || DATATYPE({value}) = <{SENT}{datatype}>)"
        valid = lexical_test(datatype, value)
        return f"!COALESCE({same}{' && ' + valid if valid else ''}, false)"

    def compare(self, component: URIRef, value: str, bound: Node) -> str:
        """Return the test: not within a bound, or not to be compared with it (section 4.3)."""
        return f"!COALESCE({self.number(value)} {_COMPARISONS[component]} {term_text(bound)}, false)"

    @staticmethod
    def node_kind(value: str, kind: Node) -> str:
        """Return the test: another kind of node (section 4.1.3)."""
        return f"!({any_of(f'{_CHECKS[part]}({value})' for part in _KINDS[kind])})"

    @staticmethod
    def length(value: str, sign: str, bound: Node) -> str:
        """Return the test: a text that is too short or too long; a blank node has none (section 4.4)."""
        return f"(isBlank({value}) || !(STRLEN(STR({value})) {sign} {count_of(bound)}))"

    @staticmethod
    def pattern(value: str, pattern: Node, flags: Node | None) -> str:
        """Return the test: a text that does not match; a blank node has none (section 4.4.3)."""
        options = "" if flags is None else f", {term_text(Literal(str(flags)))}"
        return f"(isBlank({value}) || !REGEX(STR({value}), {term_text(Literal(str(pattern)))}{options}))"

    @staticmethod
    def language(value: str, ranges: Iterable[Node]) -> str:
        """Return the test: no literal in one of these languages (section 4.4.4)."""
        texts = [term_text(Literal(str(item))) for item in ranges]
        test = _one_for_which(texts, lambda text: f"langMatches(LANG({value}), {text})")
        return f"!COALESCE({test}, false)"

    def of(self, component: URIRef, more: Mapping[URIRef, Node]) -> Callable[[str, Node], str] | None:
        """Return what writes the test of a component, for a value and a parameter; None where none does."""
        table: dict[URIRef, Callable[[str, Node], str]] = {
            SH.DatatypeConstraintComponent: lambda value, kind: self.datatype(value, URIRef(str(kind))),
            SH.NodeKindConstraintComponent: self.node_kind,
            SH.MinLengthConstraintComponent: lambda value, bound: self.length(value, ">=", bound),
            SH.MaxLengthConstraintComponent: lambda value, bound: self.length(value, "<=", bound),
            SH.PatternConstraintComponent: lambda value, text: self.pattern(value, text, more.get(SH.flags)),
        }
        if component in _COMPARISONS:
            return lambda value, bound: self.compare(component, value, bound)
        return table.get(component)


def is_ambiguous(pattern: str) -> bool:
    """Tell whether a pattern has a set within a set of characters, such as ``[a-z-[aeiou]]``.

    XPath takes the inner set away, and the engine adds it; what the engine has for that (``&&``, ``--``,
    ``~~``) are characters in XPath.
    """
    plain = re.sub(r"\\.", "", pattern, flags=re.DOTALL)
    return any(_NESTED.search(found) for found in re.findall(r"\[[^\]]*", plain))


def _one_for_which(terms: Sequence[str], test: Callable[[str], str]) -> str:
    """Return an expression: *test* is true for one of *terms*."""
    if len(terms) <= _FEW:
        return any_of(map(test, terms))
    # The engine reads a chain of expressions by recursion, which thousands would end.
    return f"EXISTS {{ VALUES ?medkgTerm {{ {' '.join(terms)} }} FILTER({test('?medkgTerm')}) }}"


def any_of(tests: Iterable[str]) -> str:
    """Return an expression: one of *tests* is true; of none, that is false."""
    return " || ".join(tests) or "false"
