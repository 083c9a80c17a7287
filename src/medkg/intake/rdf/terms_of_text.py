"""The text of a single token: the IRI or the literal that it stands for, checked."""

import re
from typing import Final

from medkg.domain.model import Place
from medkg.intake.rdf.flaws import Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import Lines
from medkg.intake.rdf.tokens import Kind, Tokens, unescaped
from medkg.intake.rdf.values import check_iri, check_literal

__all__ = ["iri_of", "lexical_of"]

_ESCAPES: Final = re.compile(
    r"\\(?:[tbnrf\"'\\]|u[0-9A-Fa-f]{4}|U00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4})|(\\[uU][0-9A-Fa-f]{0,8}|\\.?)",
    re.DOTALL,
)


def iri_of(tokens: Tokens, lines: Lines, limits: Limits) -> str:
    """Return the IRI of a token ``<...>``.

    :raises Refusal: it is too long, or has characters that no IRI has.
    """
    iri = unescaped(tokens.text[1:-1]) if "\\u" in tokens.text.lower() else tokens.text[1:-1]
    check_iri(iri, lambda: lines.place(tokens.start, tokens.end), limits)
    return iri


def lexical_of(tokens: Tokens, lines: Lines, limits: Limits) -> str:
    """Return the text of a literal without its quotes and escapes; a number as it is written.

    :raises Refusal: it is too long, has a bad escape, or characters that no text has.
    """

    def where() -> Place:
        return lines.place(tokens.start, tokens.end)

    if tokens.kind == Kind.NUMBER:
        check_literal(tokens.text, where, limits)
        return tokens.text
    width = 3 if tokens.kind == Kind.LONG else 1
    inside = tokens.text[width:-width]
    if "\\" in inside:
        for found in _ESCAPES.finditer(inside):
            if found[1] is not None:
                at = tokens.start + width + found.start()
                raise Refusal("F-41", lines.place(at, at + len(found[0])), found=found[0])
        inside = unescaped(inside)
    check_literal(inside, where, limits)
    return inside
