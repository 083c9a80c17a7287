"""What no IRI and no literal may be, whatever the format it comes in."""

import re
from collections.abc import Callable
from typing import Final

from medkg.domain.model import Place
from medkg.domain.namespaces import XSD
from medkg.intake.rdf.flaws import Refusal
from medkg.intake.rdf.limits import Limits

__all__ = ["Where", "bad_character", "check_base", "check_iri", "check_literal", "check_number", "has_scheme"]

Where = Callable[[], Place]
"""Tells a place when it is needed; working it out for each good term would take longer than the checks."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_IN_NO_IRI: Final = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_EXPONENT: Final = re.compile(r"[eE][+-]?0*([0-9]*)")
_DIGITS: Final = 100
_GREATEST_EXPONENT: Final = 400
_SIGNED: Final = ("byte", "short", "int", "long", "integer", "decimal", "float", "double")
_UNSIGNED: Final = ("unsignedByte", "unsignedShort", "unsignedInt", "unsignedLong")
_BOUNDED: Final = ("positiveInteger", "negativeInteger", "nonPositiveInteger", "nonNegativeInteger")
_NUMERIC: Final = frozenset(str(XSD[name]) for name in (*_SIGNED, *_UNSIGNED, *_BOUNDED))


def has_scheme(iri: str) -> bool:
    """Tell whether an IRI is absolute (RFC 3986, section 3.1)."""
    return _SCHEME.match(iri) is not None


def check_iri(iri: str, where: Where, limits: Limits) -> None:
    """Refuse an IRI that is too long or has a character that no IRI has (RFC 3987, section 2.2).

    :raises Refusal: it is such an IRI.
    """
    if len(iri) > limits.iri:
        raise Refusal("F-23", where(), length=len(iri), limit=limits.iri)
    _refuse_characters(iri, where)
    found = _IN_NO_IRI.search(iri)
    if found is not None:
        raise bad_character(iri, found[0], where())


def bad_character(iri: str, character: str, place: Place) -> Refusal:
    """Return the refusal for an IRI with a character that no IRI has."""
    if character == " ":
        return Refusal("F-26", place, iri=iri)
    return Refusal("F-34", place, iri=iri, character=character)


def check_literal(text: str, where: Where, limits: Limits) -> None:
    """Refuse a literal that is too long, or has characters that no text has.

    :raises Refusal: it is such a literal.
    """
    if len(text) > limits.literal:
        raise Refusal("F-22", where(), length=len(text), limit=limits.literal)
    _refuse_characters(text, where)


def check_number(text: str, datatype: str, where: Where) -> None:
    """Refuse a number that takes a computer longer to work with than to read.

    :raises Refusal: it has more than 100 characters, or an exponent beyond 400.
    """
    if datatype not in _NUMERIC:
        return
    exponent = _EXPONENT.search(text)
    high = exponent is not None and (
        len(exponent[1]) > len(str(_GREATEST_EXPONENT)) or int(exponent[1] or 0) > _GREATEST_EXPONENT
    )
    if len(text) > _DIGITS or high:
        raise Refusal("F-28", where(), number=text)


def check_base(iri: str, where: Where) -> None:
    """Refuse addresses in the file system as what other IRIs are relative to.

    :raises Refusal: it is one.
    """
    if iri[:5].lower() == "file:":
        raise Refusal("F-36", where(), iri=iri)


def _refuse_characters(text: str, where: Where) -> None:
    if text.isascii() and text.isprintable():
        return
    found = _SURROGATES.search(text)
    if found is not None:
        raise Refusal("F-27", where(), character=f"U+{ord(found[0]):04X}")
    found = _CONTROLS.search(text)
    if found is not None:
        raise Refusal("F-06", where(), character=f"U+{ord(found[0]):04X}")
