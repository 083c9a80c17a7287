"""The tokens of Turtle and N-Triples with their offsets (RDF 1.1 Turtle, section 6.5)."""

import re
import sys
from typing import Final

__all__ = ["Kind", "Tokens", "unescaped"]

_BASE: Final = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_START: Final = _BASE + "_"
_CHARS: Final = _START + "\\-0-9\u00b7\u0300-\u036f\u203f-\u2040"
_PREFIX: Final = rf"[{_BASE}][{_CHARS}]*+(?:\.++[{_CHARS}]++)*+"
_ESCAPE: Final = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
_LOCAL: Final = (
    rf"(?:[{_START}:0-9]|{_ESCAPE})(?:[{_CHARS}:]++|{_ESCAPE})*+(?:\.++(?:[{_CHARS}:]|{_ESCAPE})++)*+"
)


class Kind:
    """The kinds of token, by the name of their group in the pattern."""

    IRI: Final = "iri"
    NAME: Final = "name"
    LABEL: Final = "label"
    STRING: Final = "string"
    LONG: Final = "long"
    NUMBER: Final = "number"
    WORD: Final = "word"
    AT: Final = "at"
    TYPE: Final = "type"
    MARK: Final = "mark"
    TRIPLE: Final = "triple"
    OPEN_IRI: Final = "open_iri"
    OPEN_STRING: Final = "open_string"
    ODD: Final = "odd"
    END: Final = "end"


# Possessive quantifiers throughout: no input makes the pattern go back over what it has read.
_TOKEN: Final = re.compile(
    rf"""
      (?P<triple> <<\(? | \)>> | >> | \{{\| | \|\}} | ~ )
    | (?P<iri> < [^<>\r\n"]*+ > )
    | (?P<open_iri> < )
    | (?P<long> \"\"\" (?: [^"\\]++ | \\. | "{{1,2}}(?!") )*+ \"\"\"
              | \'\'\' (?: [^'\\]++ | \\. | '{{1,2}}(?!') )*+ \'\'\' )
    | (?P<open_string> \"\"\" | ''' )
    | (?P<string> " (?: [^"\\\r\n]++ | \\[^\r\n] )*+ " | ' (?: [^'\\\r\n]++ | \\[^\r\n] )*+ ' )
    | (?P<label> _: [{_START}0-9][{_CHARS}]*+(?:\.++[{_CHARS}]++)*+ )
    | (?P<name> (?:{_PREFIX})?+ : (?:{_LOCAL})?+ )
    | (?P<number> [+-]? (?: [0-9]++ (?: \.[0-9]*+ )?+ [eE][+-]?[0-9]++ | \.[0-9]++ (?: [eE][+-]?[0-9]++ )?+
                          | [0-9]++ (?: \.[0-9]++ )?+ ) )
    | (?P<at> @ [A-Za-z]++ (?: -[A-Za-z0-9]++ )*+ )
    | (?P<type> \^\^ )
    | (?P<mark> [.,()\[\]{{}}] | ; (?: [ \t\r\n]*+ ; )*+ )
    | (?P<word> [{_START}][{_CHARS}]*+ )
    | (?P<odd> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE: Final = re.compile(r"(?:[ \t\r\n]++|\#[^\r\n]*+)*+")
_ESCAPED: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_SHORT: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


class Tokens:
    """The tokens of a text, one at a time: *kind*, *start*, *end* and *text* are those of the current one.

    *index* counts them; *last_kind*, *last_start* and *last_end* are those of the one before.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.kind: str = Kind.MARK
        self.start = self.end = self.last_start = self.last_end = 0
        self.last_kind: str = Kind.MARK
        self.text = ""
        self.index = -1
        self.advance()

    def advance(self) -> None:
        """Go to the next token; behind the last one the kind is END and stays so."""
        self.last_start, self.last_end, self.last_kind = self.start, self.end, self.kind
        space = _SPACE.match(self.source, self.end)
        self.start = space.end() if space else self.end
        self.index += 1
        found = _TOKEN.match(self.source, self.start)
        if found is None:
            self.kind, self.end, self.text = Kind.END, self.start, ""
            return
        self.kind, self.end, self.text = found.lastgroup or Kind.ODD, found.end(), found[0]
        if self.kind == Kind.ODD and self.text in "\"'":
            self.kind = Kind.OPEN_STRING
        elif self.kind == Kind.MARK:
            self.text = self.text[0]  # any number of semicolons is as good as one

    def is_mark(self, marks: str) -> bool:
        """Tell whether the current token is one of these punctuation marks."""
        return self.kind == Kind.MARK and self.text in marks


def unescaped(text: str) -> str:
    """Return a text with its escapes resolved (RDF 1.1 Turtle, section 6.4); bad ones stay as they are."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(_resolve, text)


def _resolve(found: re.Match[str]) -> str:
    digits = found[1] or found[2]
    if not digits:
        return _SHORT.get(found[3], found[3])
    number = int(digits, 16)
    return chr(number) if number <= sys.maxunicode else found[0]
