"""The calls that a text makes to other servers: each SERVICE clause and each LOAD, read from its tokens.

A SERVICE clause is evaluated on its own and joined with the rest (SPARQL 1.1 Federated Query, section 3.1),
so the rows that its endpoint gives for it may stand in its place.  Here a text is read by the engine too, on
an empty store, so this runs where a reader does.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Final, Literal

import pyoxigraph as ox

from medkg.domain.errors import QueryRefused, TooLarge
from medkg.domain.model import UpdateRequest
from medkg.domain.namespaces import PREFIXES
from medkg.store import policy, updates
from medkg.store.names import Names
from medkg.store.syntax import explain
from medkg.store.tokens import Token, place, read

__all__ = ["Call", "TextKind", "find", "found", "refusal"]

TextKind = Literal["query", "update"]

MOST_CALLS: Final = 10
"""Calls in one request."""
_END: Final = Token("end", "", 0, "")
_PREFIXES: Final = dict(PREFIXES)
_UNSURE: Final = "the text around it can't be read for sure"
_SPACES: Final = "Put spaces between its words."


@dataclass(frozen=True, slots=True)
class Call:
    """A SERVICE clause or a LOAD of a text, from character *start* to *end*; *line* and *column* from 1.

    Of a SERVICE, *query* is what its endpoint is asked and *variables* are those that it may bind.  Of a
    LOAD, *graph* is where its triples go (None: the default graph).
    """

    keyword: str
    start: int
    end: int
    line: int
    column: int
    iri: str
    silent: bool
    query: str = ""
    variables: tuple[str, ...] = ()
    graph: str | None = None


def find(head: Mapping[str, Any], body: bytes, limits: policy.Limits, *, union: bool) -> bytes:
    """Do a reader's job: return the calls of the text in *body* as JSON; see :func:`found`.

    *head*: ``kind``, ``base``, and ``max_bytes`` that the text may have.
    """
    limits = replace(limits, max_bytes=head["max_bytes"], walled=True, calls=True)
    calls = found(head["kind"], body.decode("utf-8", "surrogatepass"), head["base"], limits, union=union)
    return json.dumps([asdict(call) for call in calls]).encode()


def found(kind: TextKind, text: str, base: str, limits: policy.Limits, *, union: bool) -> list[Call]:
    """Return the calls of a text, which may run but for them.

    :raises TooLarge, QuerySyntaxError, Conflict: see :func:`medkg.store.updates.check`.
    :raises QueryRefused: a SERVICE stands where it can't be replaced, or can't be read for sure.
    """
    if kind == "query":
        query = policy.check(text, limits, base)
        places, doubtful = dict.fromkeys(query.services, "SERVICE"), query.doubtful
    else:
        update = updates.check(UpdateRequest(text, base=base), limits, union=union)
        places, doubtful = dict.fromkeys(update.services, "SERVICE"), update.doubtful
        places |= dict.fromkeys(update.loads, "LOAD")
    if not places:
        return []
    if len(places) > MOST_CALLS:
        raise TooLarge(
            f"The {kind} has {len(places)} calls to other servers; the limit is {MOST_CALLS}.",
            remedy="Use several smaller requests.",
        )
    _insist(kind, text, base)
    calls = [] if doubtful else _Finder(text, base).run()
    for missed in places.keys() - {(call.line, call.column) for call in calls}:
        raise refusal(places[missed], *missed, _UNSURE, _SPACES)
    return calls


def refusal(keyword: str, line: int, column: int, reason: str, remedy: str) -> QueryRefused:
    """Return the error for a call that is not made."""
    return QueryRefused(f"{keyword} (line {line}, column {column}) is not allowed: {reason}.", remedy=remedy)


def _insist(kind: TextKind, text: str, base: str) -> None:
    """Let the engine say what does not parse, with its place in the text as it was sent.

    :raises QuerySyntaxError: something does not.
    """
    store = ox.Store()
    # An update, and an ASK, is evaluated at once; this process can call nobody.
    try:
        if kind == "query":
            store.query(text, base_iri=base or None, prefixes=_PREFIXES)
        else:
            store.update(text, base_iri=base or None, prefixes=_PREFIXES)
    except SyntaxError as error:
        raise explain(error, text, kind) from None
    except (OSError, RuntimeError, ValueError):
        # It parses; what it would do is not asked here.
        return


class _Finder:
    """One pass over the tokens of a text that parses."""

    def __init__(self, text: str, base: str) -> None:
        self._text = text
        self._tokens = read(text).tokens
        self._names = Names(base)
        self._lateral: list[bool] = []
        self._calls: list[Call] = []

    def run(self) -> list[Call]:
        """Return the calls in their order."""
        kinds, insides = self._tokens.kinds, self._tokens.insides
        index = self._names.declare(self._tokens, 0)
        while index < len(kinds):
            token = self._token(index)
            if token.is_("SERVICE"):
                index = self._service(index)
            elif token.is_("LOAD") and not insides[index]:
                index = self._load(index)
            elif token.kind == "mark" and not insides[index] and token.text == ";":
                index = self._names.declare(self._tokens, index + 1)
            else:
                self._follow(index, token)
                index += 1
        return self._calls

    def _token(self, index: int) -> Token:
        return self._tokens[index] if index < len(self._tokens) else _END

    def _follow(self, index: int, token: Token) -> None:
        """Keep in mind whether this is evaluated once for each row before it."""
        if token.kind == "open":
            above = bool(self._lateral) and self._lateral[-1]
            self._lateral.append(above or self._token(index - 1).text.upper().endswith("LATERAL"))
        elif token.kind == "close":
            self._lateral[-1:] = []

    def _service(self, index: int) -> int:
        """Read a clause; return the index of what follows it."""
        first = index
        silent = self._token(index + 1).is_("SILENT")
        index += 1 + silent
        name = self._token(index)
        if name.kind == "variable":
            raise self._refused(first, "its endpoint is a variable", "Write the IRI of the endpoint.")
        if self._lateral and self._lateral[-1]:
            raise self._refused(first, "it stands in LATERAL", "Write it outside of LATERAL.")
        iri = self._names.expand(name) if name.kind in {"iri", "name"} else None
        last = self._closing(index + 1)
        if iri is None or last is None:
            raise self._refused(first, _UNSURE, _SPACES)
        tokens = self._tokens[index + 1 : last + 1]
        for offset, token in enumerate(tokens):
            if token.is_("SERVICE"):
                raise self._refused(
                    index + 1 + offset, "it stands in another SERVICE", "Write both side by side."
                )
        start, end = tokens[0].start, tokens[-1].start + 1
        query = f"{self._names.prologue(tokens)}SELECT * WHERE {self._text[start:end]}"
        self._add(first, end, iri, silent, query=query, variables=self._variables(first, query, tokens))
        return last + 1

    def _closing(self, index: int) -> int | None:
        """Return the index of the brace that closes the one at *index*, if that is one."""
        if self._token(index).text != "{":
            return None
        depth = 0
        kinds = self._tokens.kinds
        for at in range(index, len(kinds)):
            depth += (kinds[at] == "open") - (kinds[at] == "close")
            if depth == 0:
                return at
        return None

    def _variables(self, first: int, query: str, tokens: list[Token]) -> tuple[str, ...]:
        """Return the variables that a pattern may bind, in the order in which it names them."""
        # Functions that only the other endpoint has are no reason to refuse the query.
        called = [
            iri
            for token, after in pairwise(tokens)
            if after.text == "(" and token.kind in {"iri", "name"} and (iri := self._names.expand(token))
        ]
        functions: dict[ox.NamedNode, Callable[..., Any]] = {ox.NamedNode(iri): _unknown for iri in called}
        try:
            solutions = ox.Store().query(query, custom_functions=functions)
        except (SyntaxError, RuntimeError, ValueError, OSError):
            raise self._refused(first, "its pattern can't be read by itself", _SPACES) from None
        assert isinstance(solutions, ox.QuerySolutions)  # noqa: S101 - what a SELECT gives
        bound = {variable.value for variable in solutions.variables}
        named = dict.fromkeys(token.text[1:] for token in tokens if token.kind == "variable")
        return tuple(name for name in named if name in bound)

    def _load(self, index: int) -> int:
        """Read an operation; return the index of what follows it."""
        first = index
        silent = self._token(index + 1).is_("SILENT")
        index += 1 + silent
        iri = self._names.expand(self._token(index)) if self._token(index).kind in {"iri", "name"} else None
        graph = None
        if self._token(index + 1).is_("INTO"):
            index += 3
            graph = self._names.expand(self._token(index))
        last = self._token(index)
        after = self._token(index + 1)
        if iri is None or (after.kind != "end" and after.text != ";"):
            raise self._refused(first, _UNSURE, _SPACES)
        self._add(first, last.start + len(last.text), iri, silent, graph=graph)
        return index + 1

    def _add(self, first: int, end: int, iri: str, silent: bool, **more: Any) -> None:
        token = self._token(first)
        where = place(self._text, token.start)
        self._calls.append(Call(token.text.upper(), token.start, end, *where, iri, silent, **more))

    def _refused(self, index: int, reason: str, remedy: str) -> QueryRefused:
        token = self._token(index)
        return refusal(token.text.upper()[:7], *place(self._text, token.start), reason, remedy)


def _unknown(*_: object) -> ox.NamedNode | None:
    """Stand for a function of the other endpoint, which gives nothing here."""
    return None
