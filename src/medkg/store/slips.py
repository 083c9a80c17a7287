"""The mistakes in a SPARQL text that are such only if the engine stopped there.

Each rule looks for one kind and says it in plain words; it may also find fault with what is good.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from medkg.store.mistakes import UPDATES, Mistake, Text
from medkg.store.tokens import Token

__all__ = ["lastly", "nearby"]

_KEYWORDS: Final = frozenset(
    """
    SELECT ASK CONSTRUCT DESCRIBE INSERT DELETE CLEAR DROP CREATE LOAD COPY MOVE ADD WITH PREFIX
    BASE VERSION DISTINCT REDUCED FROM NAMED WHERE GRAPH OPTIONAL UNION MINUS FILTER BIND VALUES
    UNDEF EXISTS NOT IN AS GROUP BY HAVING ORDER ASC DESC LIMIT OFFSET DATA USING INTO TO SILENT ALL
    DEFAULT SEPARATOR SERVICE LATERAL TRUE FALSE A COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT STR
    LANG LANGMATCHES LANGDIR DATATYPE BOUND IRI URI BNODE RAND ABS CEIL FLOOR ROUND CONCAT STRLEN
    UCASE LCASE ENCODE_FOR_URI CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER YEAR MONTH DAY HOURS
    MINUTES SECONDS TIMEZONE TZ NOW UUID STRUUID MD5 SHA1 SHA256 SHA384 SHA512 COALESCE IF STRLANG
    STRLANGDIR STRDT SAMETERM ISIRI ISURI ISBLANK ISLITERAL ISNUMERIC ISTRIPLE TRIPLE SUBJECT
    PREDICATE OBJECT HASLANG HASLANGDIR REGEX SUBSTR REPLACE ADJUST
    """.split()  # noqa: SIM905 - nobody reads a list of one hundred strings
)
_SQL: Final = {
    "AND": "Write && instead.",
    "OR": "Write || instead.",
    "LIKE": "Use CONTAINS(STR(?x), 'text') or REGEX(STR(?x), 'pattern').",
    "BETWEEN": "Write ?x >= 1 && ?x <= 9.",
    "NULL": "Use BOUND(?x) to ask whether a variable has a value.",
    "IS": "Use = or BOUND(?x).",
    "COUNT_DISTINCT": "Write COUNT(DISTINCT ?x).",
}
_AGGREGATES: Final = ("COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT")
_MODIFIERS: Final = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "VALUES")
_ALIKE: Final = 75.0
_TERMS: Final = frozenset({"variable", "iri", "name", "string", "number", "label"})


def nearby(text: Text) -> Iterator[Mistake]:
    """Yield what is a mistake if the engine stopped there."""
    for rule in (_words, _select, _clauses, _comparisons, _modifiers, _separators, _templates, _triples):
        yield from (found for found in rule(text) if text.low <= found.at <= text.high)


def lastly(text: Text) -> Iterator[Mistake]:
    """Yield what the engine tells only at the end of the group or the query that it stands in."""
    for rule in (_grouped, _rebound, _labels):
        yield from rule(text)


def _words(text: Text) -> Iterator[Mistake]:
    for index, token in enumerate(text.tokens):
        if token.kind != "word" or not text.near(token):
            continue
        word = token.text.upper()
        if word in _SQL:
            yield Mistake(token.start, f"{token.text} is no word of SPARQL.", _SQL[word])
        elif word in {"TRUE", "FALSE"} and token.text != token.text.lower():
            yield Mistake(token.start, f"{token.text} must be in lower case.", f"Write {token.text.lower()}.")
        elif word in _KEYWORDS:
            if text.token(index - 1).is_(word):
                yield Mistake(token.start, f"{word} stands here twice.", "Remove one.")
        elif not text.token(index - 1).is_("LIMIT", "OFFSET"):
            yield _unknown(text, index)


def _unknown(text: Text, index: int) -> Mistake:
    token = text.token(index)
    shown = token.text[:80]
    best = process.extractOne(shown.upper(), sorted(_KEYWORDS), scorer=fuzz.ratio, score_cutoff=_ALIKE)
    if best is not None and len(shown) > 2:  # noqa: PLR2004
        return Mistake(token.start, f"There is no keyword {shown}.", f"Did you mean {best[0]}?")
    if index == text.first:
        begin = "SELECT, ASK, CONSTRUCT or DESCRIBE" if text.what == "query" else "INSERT, DELETE or the like"
        return Mistake(token.start, f"There is no keyword {shown}.", f"Begin with {begin}.")
    if text.token(index + 1).text == "(":
        return Mistake(token.start, f"There is no function {shown}.", "Use the functions of SPARQL.")
    return Mistake(
        token.start,
        f"{shown} is neither a keyword nor a term.",
        f"A variable begins with ?, as in ?{shown}; a name has a prefix, a string quotes.",
    )


def _selections(text: Text) -> Iterator[list[Token]]:
    """Yield each SELECT with what follows it, up to and with the first token that is no more of it."""
    found: list[Token] = []
    for token in text.tokens:
        if token.is_("SELECT"):
            found = [token]
        elif found:
            found.append(token)
            if token.text == "{" or token.is_("WHERE", "FROM", "ORDER", "GROUP", "LIMIT"):
                yield found
                found = []


def _select(text: Text) -> Iterator[Mistake]:
    for clause in _selections(text):
        level = clause[0].inside
        if len(clause) == 2:  # noqa: PLR2004
            yield Mistake(clause[1].start, "SELECT names nothing.", "Write SELECT * or some variables.")
        for token in clause:
            if token.inside == level and token.text == ",":
                yield Mistake(token.start, "There is a comma in SELECT.", "Put spaces between the variables.")
            elif token.inside == level and token.is_("AS", *_AGGREGATES):
                yield Mistake(
                    token.start,
                    f"{token.text} in SELECT needs brackets around the expression and its name.",
                    "Write (COUNT(?x) AS ?name).",
                )
        yield from _unnamed(clause)


def _unnamed(clause: list[Token]) -> Iterator[Mistake]:
    """Find the expressions of a SELECT clause that have no AS."""
    level, named = clause[0].inside, True
    for token in clause:
        if token.inside == level and token.text == "(":
            named = False
        elif token.is_("AS"):
            named = True
        elif token.inside == level and token.text == ")" and not named:
            yield Mistake(token.start, "An expression in SELECT needs a name.", "Write (... AS ?name).")


def _follows(word: str, after: Token) -> tuple[str, str] | None:
    """Return what is wrong with what follows a keyword, and what to do."""
    kind, text = after.kind, after.text
    term = kind in {"word", "name", "iri"}
    whole = kind == "number" and text.isdigit()
    table: dict[str, tuple[bool, str, str]] = {
        "FILTER": (text == "(" or term, "FILTER needs brackets.", "Write FILTER(?x > 1)."),
        "EXISTS": (text == "{", "EXISTS needs braces.", "Write FILTER EXISTS { ... }."),
        "CONSTRUCT": (
            text == "{" or term,
            "CONSTRUCT needs braces.",
            "Write CONSTRUCT { ... } WHERE { ... }.",
        ),
        "FROM": (term, "FROM takes the IRI of a graph.", "Write FROM <...> or FROM NAMED <...>."),
        **dict.fromkeys(
            ("WHERE", "OPTIONAL", "UNION", "MINUS"),
            (text == "{", f"A {{ must follow {word}.", f"Write {word} {{ ... }}."),
        ),
        **dict.fromkeys(
            ("GROUP", "ORDER"), (after.is_("BY"), f"BY must follow {word}.", f"Write {word} BY ?x.")
        ),
        **dict.fromkeys(("LIMIT", "OFFSET"), (whole, f"{word} takes a whole number.", f"Write {word} 10.")),
        **dict.fromkeys(
            ("CLEAR", "DROP", "CREATE"),
            (kind == "word", f"GRAPH must follow {word}.", f"Write {word} GRAPH <...>."),
        ),
        "INSERT": (
            not after.is_("INTO"),
            "INSERT has no INTO.",
            "Write INSERT DATA { GRAPH <...> { ... } }.",
        ),
    }
    right, reason, remedy = table.get(word, (True, "", ""))
    return None if right else (reason, remedy)


def _clauses(text: Text) -> Iterator[Mistake]:
    """Look at what is before and behind a keyword."""
    for index, token in enumerate(text.tokens):
        if token.kind != "word":
            continue
        word = token.text.upper()
        after = text.token(index + 1)
        wrong = _follows(word, after)
        if wrong is not None:
            yield Mistake(after.start, *wrong)
        elif word == "UNION" and text.token(index - 1).text != "}":
            yield Mistake(token.start, "UNION stands between two groups.", "Write { ... } UNION { ... }.")
        elif word in {"ASC", "DESC"} and after.text != "(":
            yield Mistake(token.start, f"{word} needs brackets.", f"Write {word}(?x).")
        elif word == "VALUES" and after.kind == "variable" and text.token(index + 2).text != "{":
            at = text.token(index + 2).start
            yield Mistake(at, "The values stand in braces.", "Write VALUES ?x { 1 2 }.")
        elif word == "BIND":
            yield from _bind(text, index)


def _bind(text: Text, index: int) -> Iterator[Mistake]:
    for token in text.tokens[index + 2 :]:
        if token.is_("AS", "BIND") or token.text == "}":
            return
        if token.text == ")" and token.inside == "{":
            yield Mistake(token.start, "BIND needs AS and a variable.", "Write BIND(... AS ?name).")
            return


def _comparisons(text: Text) -> Iterator[Mistake]:
    for index, token in enumerate(text.tokens):
        before = text.token(index - 1)
        if token.text == "=" and before.text == "=" and before.start + 1 == token.start:
            yield Mistake(token.start, "Equality is written with one =.", "Remove the other one.")
        elif token.inside == "{" and token.text in {"=", "<", ">", "&&", "||"}:
            yield Mistake(token.start, f"{token.text} stands outside of FILTER.", "Write FILTER(?x = 1).")


def _modifiers(text: Text) -> Iterator[Mistake]:
    """Look at the order of what stands around the braces of the WHERE clause."""
    order = {"WHERE": 0, "GROUP": 1, "HAVING": 2, "ORDER": 3, "LIMIT": 4, "OFFSET": 4, "VALUES": 5}
    last, braces = "WHERE", False
    for token in text.tokens:
        braces = braces or (not token.inside and token.text == "}")
        word = token.text.upper() if token.kind == "word" and not token.inside else ""
        if word not in order:
            continue
        if order[word] > 0 and not braces:
            yield Mistake(
                token.start, f"{word} stands before the braces.", f"Put {word} behind the closing brace."
            )
        elif order[word] < order[last]:
            yield Mistake(token.start, f"{word} stands too late.", f"Put it before {last}.")
        last = word


def _separators(text: Text) -> Iterator[Mistake]:
    """Look at what is between operations, and behind a query."""
    for index, token in enumerate(text.tokens):
        before = text.token(index - 1)
        if token.inside:
            continue
        if text.what == "query" and token.text == ";":
            yield Mistake(token.start, "A query has no semicolon at its end.", "Remove it.")
        elif text.what == "update" and token.text == before.text == ";":
            yield Mistake(token.start, "There are two semicolons.", "Remove one.")
        elif before.text == ";" and token.is_("PREFIX", "BASE"):
            yield Mistake(
                token.start, "Declarations stand before the first operation.", "Put them at the top."
            )
        elif before.text == "}" and _begins(token, text.token(index + 1)):
            yield Mistake(token.start, "Operations are separated by semicolons.", "Put a ; before it.")
        elif before.text == "}" and token.is_("SELECT", "ASK", "CONSTRUCT", "DESCRIBE"):
            yield Mistake(token.start, "A request has one query.", "Send them one by one.")


def _begins(token: Token, after: Token) -> bool:
    """Tell whether an operation begins here; INSERT {...} may go on with a DELETE {...}."""
    return token.is_(*UPDATES) and (not token.is_("INSERT") or after.is_("DATA"))


@dataclass(slots=True)
class _Frame:
    """A bracket, and how many parts the triple in it has so far; -1 where there are no triples."""

    sign: str
    parts: int = 0


def _triples(text: Text) -> Iterator[Mistake]:
    """Count the parts of each triple."""
    stack = [_Frame("", -1)]
    values = False
    before = Token("", "", 0, "")
    for token in text.tokens:
        frame = stack[-1]
        values = values or token.is_("VALUES")
        if token.kind == "open":
            parts = -1 if values else {"{": 0, "[": 1, "{|": 1}.get(token.text, -1)
            values = values and token.text == "("
            stack.append(_Frame(token.text, parts))
        elif token.kind == "close":
            yield from _ended(frame, token)
            if len(stack) > 1:
                stack.pop()
            outer = stack[-1]
            if outer.parts == -1 and outer.sign == "{" and token.inside != "data":
                outer.parts = 0
            elif token.text not in {"}", "|}"}:
                yield from _part(outer, token, before)
        elif frame.parts >= 0:
            yield from _sign(frame, token, before)
        before = token


def _sign(frame: _Frame, token: Token, before: Token) -> Iterator[Mistake]:
    if token.text in {".", ";"} and token.kind == "mark":
        doubled = token.text == before.text == "."
        if doubled:
            yield Mistake(token.start, "There are two dots.", "Remove one.")
        else:
            yield from _ended(frame, token)
        frame.parts = 0 if token.text == "." else 1
    elif token.text == ",":
        frame.parts = 2
    elif token.kind in _TERMS or token.is_("A", "TRUE", "FALSE"):
        yield from _part(frame, token, before)
    elif token.kind == "word":
        frame.parts = -1


def _part(frame: _Frame, token: Token, before: Token) -> Iterator[Mistake]:
    if frame.parts < 0 or before.text in {"^^", "/", "|", "^", "!", "~"}:
        return
    frame.parts += 1
    if frame.sign in {"{", "[", "{|"} and frame.parts == 4:  # noqa: PLR2004
        at = token.start
        yield Mistake(
            at, "A dot is missing before this.", "Put a . between two triples, or ; for the same subject."
        )


def _ended(frame: _Frame, token: Token) -> Iterator[Mistake]:
    if frame.sign in {"{", "[", "{|"} and frame.parts in {1, 2} and token.text != "]":
        missing = "object" if frame.parts == 2 else "predicate and object"  # noqa: PLR2004
        yield Mistake(
            token.start, f"The triple before this has no {missing}.", "Write subject, predicate and object."
        )


def _templates(text: Text) -> Iterator[Mistake]:
    for index, token in enumerate(text.tokens):
        if text.what == "update" and token.text == "}" and not token.inside:
            after = text.token(index + 1)
            bare = text.token(text.first).is_("INSERT", "DELETE") and text.token(text.first + 1).text == "{"
            if bare and not after.is_("INSERT", "WHERE", "USING"):
                yield Mistake(after.start, "WHERE is missing.", "Write INSERT { ... } WHERE { ... }.")
            return


def _grouped(text: Text) -> Iterator[Mistake]:
    """Find what is selected beside GROUP BY and not grouped."""
    starts = [index for index, token in enumerate(text.tokens) if token.is_("GROUP")]
    if not starts:
        return
    grouped = {token.text[1:] for token in text.tokens[starts[-1] :] if token.kind == "variable"}
    for clause in _selections(text):
        for token in clause:
            if token.inside != clause[0].inside:
                continue
            if token.text == "*":
                yield Mistake(token.start, "SELECT * can't be grouped.", "Name what is selected.")
            if token.kind == "variable" and token.text[1:] not in grouped:
                yield Mistake(
                    token.start,
                    f"{token.text} is selected, but neither grouped nor in an aggregate.",
                    f"Add it to GROUP BY, or write (SAMPLE({token.text}) AS ?name).",
                )


def _rebound(text: Text) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, token in enumerate(text.tokens):
        if token.kind != "variable":
            continue
        if text.token(index - 1).is_("AS") and token.text[1:] in seen:
            yield Mistake(token.start, f"{token.text} has a value already.", "Use a variable of a new name.")
        seen.add(token.text[1:])


def _labels(text: Text) -> Iterator[Mistake]:
    """Find a blank node that stands in two groups."""
    groups: list[int] = []
    homes: dict[str, int] = {}
    for token in text.tokens:
        if token.text == "{" and token.kind == "open":
            groups.append(token.start)
        elif token.text == "}" and groups:
            groups.pop()
        elif token.kind == "label" and homes.setdefault(token.text, groups[-1] if groups else 0) != (
            groups[-1] if groups else 0
        ):
            yield Mistake(token.start, f"{token.text} stands in two groups.", "Use a variable instead.")
