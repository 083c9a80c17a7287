"""JSON as a tree of values with their offsets (RFC 8259)."""

import json
import re
from dataclasses import dataclass
from typing import Final

from medkg.domain.model import Place
from medkg.intake.rdf.flaws import Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import Lines
from medkg.intake.rdf.values import check_literal

__all__ = ["Value", "read_json"]

_SPACE: Final = re.compile(r"[ \t\r\n]*+")
_TOKEN: Final = re.compile(
    r'[ \t\r\n]*+(?:(?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)(?![0-9A-Za-z.+-])"
    r"|(?P<word>true|false|null)(?![0-9A-Za-z])"
    r"|(?P<mark>[\[\]{},:]))"
)
_OPEN_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+')
_DIGITS: Final = 100
_EXPONENT: Final = re.compile(r"[eE][+-]?0*([0-9]+)")
_GREATEST_EXPONENT: Final = 400
_SHOWN: Final = 20


@dataclass(slots=True, eq=False)
class Value:
    """One value: *kind* is object, array, string, number or word; *text* what a scalar stands for.

    *start* and *end* are offsets in the document.  *key* is its name in an object, or its number in an array;
    *key_start* is where the name starts.
    """

    kind: str
    start: int
    end: int
    text: str
    parent: "Value | None"
    key: str
    key_start: int
    members: "dict[str, Value]"
    items: "list[Value]"

    def pointer(self) -> str:
        """Return its JSON Pointer (RFC 6901, section 3)."""
        parts = []
        value: Value | None = self
        while value is not None and value.parent is not None:
            parts.append("/" + value.key.replace("~", "~0").replace("/", "~1"))
            value = value.parent
        return "".join(reversed(parts))

    def place(self, lines: Lines) -> Place:
        """Return its place, with its pointer."""
        return lines.place(self.start, self.end, pointer=self.pointer())


def read_json(text: str, lines: Lines, limits: Limits) -> Value:
    """Return the tree of a JSON document.

    :raises Refusal: it is not JSON; a name stands twice in an object; it nests too deeply; a text or a number
        is too long; a text has characters that no text has.
    """
    return _Reader(text, lines, limits).document()


class _Reader:
    def __init__(self, text: str, lines: Lines, limits: Limits) -> None:
        self._text = text
        self._lines = lines
        self._limits = limits
        self._kind = ""
        self._token = ""
        self._start = self._end = 0
        # Scalars share these; nothing is ever put into them.
        self._no_members: dict[str, Value] = {}
        self._no_items: list[Value] = []

    def document(self) -> Value:
        """Read without recursion: the open values are a list."""
        self._advance()
        root = self._value(None)
        open_: list[Value] = [root] if root.kind in {"object", "array"} else []
        while open_:
            child = self._child(open_[-1])
            if child is None:
                open_.pop().end = self._start + 1
                self._advance()
            elif child.kind in {"object", "array"}:
                if len(open_) >= self._limits.nesting:
                    raise Refusal("F-21", child.place(self._lines), limit=self._limits.nesting)
                open_.append(child)
        if self._kind != "end":
            raise self._unexpected("∎")
        return root

    def _child(self, owner: Value) -> Value | None:
        """Read the next child of an open value; None at its closing bracket."""
        closing = "}" if owner.kind == "object" else "]"
        first = not (owner.members or owner.items)
        if self._token == closing:
            return None
        if not first:
            self._expect(",", f", {closing}")
            if self._token == closing:
                raise Refusal("F-63", self._lines.place(self._start), found=closing)
        if owner.kind == "array":
            child = self._value(owner)
            child.key = str(len(owner.items))
            owner.items.append(child)
            return child
        if self._kind != "string":
            raise self._unexpected('"…"')
        key, key_start, key_end = self._string(), self._start, self._end
        if key in owner.members:
            first_place = self._lines.place(owner.members[key].key_start)
            place = self._lines.place(key_start, key_end, pointer=owner.pointer())
            raise Refusal("F-62", place, key=key, line=first_place.line)
        self._advance()
        self._expect(":", ":")
        child = self._value(owner, key, key_start)
        owner.members[key] = child
        return child

    def _value(self, parent: Value | None, key: str = "", key_start: int = -1) -> Value:
        kind, text = self._kind, self._token
        if text in {"{", "["}:
            kind = "object" if text == "{" else "array"
        elif kind == "string":
            text = self._string()
        elif kind == "number":
            self._check_number()
        elif kind != "word":
            raise self._unexpected('"…" { [')
        members = {} if kind == "object" else self._no_members
        items = [] if kind == "array" else self._no_items
        value = Value(kind, self._start, self._end, text, parent, key, key_start, members, items)
        self._advance()
        return value

    def _string(self) -> str:
        text = self._token[1:-1]
        if "\\" in text:
            text = str(json.loads(self._token))
        check_literal(text, self._here, self._limits)
        return text

    def _here(self) -> Place:
        return self._lines.place(self._start, self._end)

    def _check_number(self) -> None:
        exponent = _EXPONENT.search(self._token)
        if len(self._token) > _DIGITS or (exponent is not None and int(exponent[1]) > _GREATEST_EXPONENT):
            raise Refusal("F-28", self._here(), number=self._token)

    def _expect(self, mark: str, expected: str) -> None:
        if self._token != mark or self._kind != "mark":
            raise self._unexpected(expected)
        self._advance()

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._end)
        if found is not None:
            self._kind = found.lastgroup or ""
            self._start, self._end = found.span(self._kind)
            self._token = found[self._kind]
            return
        space = _SPACE.match(self._text, self._end)
        self._start = space.end() if space else self._end
        if self._start < len(self._text):
            raise self._odd()
        self._kind, self._token, self._end = "end", "", self._start

    def _odd(self) -> Refusal:
        """Return the refusal for what is no token."""
        place = self._lines.place(self._start)
        string = _OPEN_STRING.match(self._text, self._start)
        if string is None:
            return self._unexpected('"…"')
        if self._text[string.end() : string.end() + 1] == '"':
            bad = re.search(r'\\(?!["\\/bfnrt]|u[0-9A-Fa-f]{4})', string[0].replace("\\\\", "  "))
            at = self._start + (bad.start() if bad else 0)
            return Refusal("F-41", self._lines.place(at, at + 2), found=self._text[at : at + 2])
        return Refusal("F-42", place, quote='"')

    def _unexpected(self, expected: str) -> Refusal:
        place = self._lines.place(self._start)
        if self._start == len(self._text):
            return Refusal("F-40", place)
        found = self._text[self._start : self._start + _SHOWN].split("\n", 1)[0]
        return Refusal("F-60", place, expected=expected, found=found)
