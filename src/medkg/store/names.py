"""What the names in a SPARQL text stand for: its prefixes, its base, and the absolute IRIs."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

import pyoxigraph as ox

from medkg.domain.namespaces import PREFIXES
from medkg.store.tokens import UCHAR, Token

__all__ = ["Name", "Names"]

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UCHAR: Final = re.compile(UCHAR)
_DECLARATIONS: Final = frozenset({"PREFIX", "BASE", "VERSION"})


class Name(NamedTuple):
    """A name as it is written, the IRI it stands for, and its place, counted from 1."""

    text: str
    iri: str
    line: int
    column: int


class Names:
    """The prefixes and the base at one point of a text; medkg's own prefixes are declared from the start."""

    def __init__(self, base: str = "") -> None:
        self._own: dict[str, str] = {}
        self._base = base

    @property
    def prefixes(self) -> Collection[str]:
        """All declared prefixes."""
        return {*PREFIXES, *self._own}

    def declare(self, tokens: Sequence[Token], index: int) -> int:
        """Read the declarations that stand at *index*; return the index of what follows them."""
        while index < len(tokens):
            token = tokens[index]
            length = 0
            if token.is_(*_DECLARATIONS):
                length = self._declaration(token.text.upper(), tokens[index + 1 : index + 3])
            elif token.kind == "name" and token.text[:6].upper() == "PREFIX" and token.text[-1] == ":":
                length = self._glued(token, tokens[index + 1 : index + 2])
            if not length:
                break
            index += length
        return index

    def _declaration(self, word: str, tail: Sequence[Token]) -> int:
        kinds = [token.kind for token in tail]
        if word == "VERSION" and kinds[:1] == ["string"]:
            return 2
        if word == "BASE" and kinds[:1] == ["iri"]:
            self._base = self.expand(tail[0]) or ""
            return 2
        if word == "PREFIX" and kinds == ["name", "iri"]:
            self._set(tail[0].text[:-1], tail[1])
            return 3
        return 0

    def _glued(self, token: Token, tail: Sequence[Token]) -> int:
        """Read ``PREFIXa:<...>``, which the engine takes for what it is meant to be."""
        if [other.kind for other in tail] != ["iri"]:
            return 0
        self._set(token.text[6:-1], tail[0])
        return 2

    def _set(self, prefix: str, value: Token) -> None:
        self._own[prefix] = self.expand(value) or ""

    def expand(self, token: Token) -> str | None:
        """Return the absolute IRI that a token stands for, or None when it stands for none."""
        text = token.text
        if token.kind == "iri":
            if _SCHEME.match(text, 1):
                return _UCHAR.sub(_unescape, text[1:-1]) if "\\" in text else text[1:-1]
            return self._resolve(text)
        prefix, _, name = text.partition(":")
        namespace = self._own.get(prefix)
        if namespace is None:
            namespace = PREFIXES.get(prefix)
        if namespace is None:
            return None
        return namespace + (name.replace("\\", "") if "\\" in name else name)

    def hides(self, token: Token) -> bool:
        """Tell whether a keyword may be glued to the name, as in ``GRAPHex:a``."""
        prefix = token.text.partition(":")[0]
        return any(prefix.endswith(known) for known in self.prefixes)

    def _resolve(self, text: str) -> str | None:
        """Resolve a relative IRI as the engine does: by its own parser."""
        if not self._base:
            return None
        try:
            triple = next(_parse(f"{text} <a:a> <a:a> .", self._base))
        except (StopIteration, SyntaxError, ValueError):
            return None
        return triple.subject.value if isinstance(triple.subject, ox.NamedNode) else None


def _parse(text: str, base: str) -> Iterator[ox.Quad]:
    return iter(ox.parse(text, ox.RdfFormat.TURTLE, base_iri=base))


def _unescape(match: re.Match[str]) -> str:
    return match.group().encode("ascii").decode("unicode_escape")
