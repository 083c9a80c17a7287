"""What the names in a SPARQL text stand for: its prefixes, its base, and the absolute IRIs."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

import pyoxigraph as ox

from medkg.domain.namespaces import PREFIXES
from medkg.store.tokens import UCHAR, Place, Token, Tokens, place

__all__ = ["Name", "Names"]

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UCHAR: Final = re.compile(UCHAR)
_DECLARATIONS: Final = frozenset({"PREFIX", "BASE", "VERSION"})


class Name(NamedTuple):
    """A name as it is written, the IRI it stands for, and where it starts in the *whole* text."""

    text: str
    iri: str
    start: int
    whole: str

    @property
    def place(self) -> Place:
        """Its line and column, which few names are asked for."""
        return place(self.whole, self.start)


class Names:
    """The prefixes and the base at one point of a text; medkg's own prefixes are declared from the start."""

    def __init__(self, base: str = "") -> None:
        self.assumed: dict[str, str] = {}
        """The prefixes that names have used although the text does not declare them."""
        self._own: dict[str, str] = {}
        self._base = base

    @property
    def prefixes(self) -> Collection[str]:
        """All declared prefixes."""
        return {*PREFIXES, *self._own}

    def declare(self, tokens: Tokens, index: int) -> int:
        """Read the declarations that stand at *index*; return the index of what follows them."""
        while index < len(tokens.kinds):
            kind, text = tokens.kinds[index], tokens.texts[index]
            length = 0
            if kind == "word":
                if (word := text.upper()) in _DECLARATIONS:
                    length = self._declaration(word, tokens, index + 1)
            elif kind == "name" and text[:6].upper() == "PREFIX" and text[-1] == ":":
                length = self._glued(text, tokens, index + 1)
            if not length:
                break
            index += length
        return index

    def _declaration(self, word: str, tokens: Tokens, at: int) -> int:
        kinds, texts = tokens.kinds[at : at + 2], tokens.texts[at : at + 2]
        if word == "VERSION" and kinds[:1] == ["string"]:
            return 2
        if word == "BASE" and kinds[:1] == ["iri"]:
            self._base = self._absolute(texts[0]) or ""
            return 2
        if word == "PREFIX" and kinds == ["name", "iri"]:
            self._own[texts[0][:-1]] = self._absolute(texts[1]) or ""
            return 3
        return 0

    def _glued(self, text: str, tokens: Tokens, at: int) -> int:
        """Read ``PREFIXa:<...>``, which the engine takes for what it is meant to be."""
        if tokens.kinds[at : at + 1] != ["iri"]:
            return 0
        self._own[text[6:-1]] = self._absolute(tokens.texts[at]) or ""
        return 2

    def prologue(self, tokens: Iterable[Token]) -> str:
        """Return the declarations with which these tokens stand for the same IRIs in a text of their own."""
        tokens = list(tokens)
        relative = any(token.kind == "iri" and not _SCHEME.match(token.text, 1) for token in tokens)
        used = sorted({token.text.partition(":")[0] for token in tokens if token.kind == "name"})
        known = ((prefix, self._own.get(prefix, PREFIXES.get(prefix))) for prefix in used)
        lines = [f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in known if namespace is not None]
        return "".join([f"BASE <{self._base}>\n"] * (relative and bool(self._base)) + lines)

    def expand(self, token: Token) -> str | None:
        """Return the absolute IRI that a token stands for, or None when it stands for none."""
        text = token.text
        if token.kind == "iri":
            return self._absolute(text)
        prefix, _, name = text.partition(":")
        namespace = self._own.get(prefix)
        if namespace is None:
            namespace = PREFIXES.get(prefix)
            if namespace is None:
                return None
            self.assumed[prefix] = namespace
        return namespace + (name.replace("\\", "") if "\\" in name else name)

    def hides(self, token: Token) -> bool:
        """Tell whether a keyword may be glued to the name, as in ``GRAPHex:a``."""
        prefix = token.text.partition(":")[0]
        return any(prefix.endswith(known) for known in self.prefixes)

    def _absolute(self, text: str) -> str | None:
        """Return what an IRI between angle brackets stands for."""
        if _SCHEME.match(text, 1):
            return _UCHAR.sub(_unescape, text[1:-1]) if "\\" in text else text[1:-1]
        return self._resolve(text)

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
