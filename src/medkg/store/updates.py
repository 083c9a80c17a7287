"""Checks and evaluates updates, and reads what is to be written into a graph."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from medkg.domain.errors import (
    Conflict,
    MedkgError,
    NotSupported,
    QueryRefused,
    SourceFileError,
    StoreFailed,
)
from medkg.domain.model import UpdateRequest
from medkg.domain.namespaces import GRAPH, PREFIXES
from medkg.store import policy, tokens
from medkg.store.difference import Difference
from medkg.store.disk import room
from medkg.store.effects import perform
from medkg.store.operations import Operation, operations, with_using
from medkg.store.syntax import explain

__all__ = ["Steps", "check", "evaluate", "read", "steps"]

_PREFIXES: Final = dict(PREFIXES)
_FAILING: Final = "DROP GRAPH <urn:medkg:none> ;"


@dataclass(frozen=True, slots=True)
class Steps:
    """A text and its operations."""

    text: str
    items: tuple[Operation, ...]

    def whole(self) -> tuple[frozenset[str] | None, bool]:
        """Return the graphs that are emptied or copied as a whole (None: any), and if the default one is."""
        names: frozenset[str] | None = frozenset()
        default = False
        for item in self.items:
            if item.deletes is None and item.inserts is None and item.verb != "CREATE":
                names = None if names is None or item.graphs is None else names | item.graphs
                default |= item.default
        return names, default


def check(request: UpdateRequest, limits: policy.Limits, *, union: bool) -> policy.UpdateOutline:
    """Return the outline of an update that may run.

    :raises QuerySyntaxError, QueryRefused, TooLarge: see :func:`medkg.store.policy.check_update`.
    :raises Conflict: it writes to the default graph, and with *union* that is the merge.
    """
    try:
        outline = policy.check_update(request.text, limits, request.base)
    except QueryRefused:
        # What does not parse at all is told so first.
        _insist(request)
        raise
    if union and outline.writes_default:
        if outline.doubtful:
            _insist(request)
        raise Conflict(
            "The update writes outside GRAPH; the default graph is the merge of the named graphs.",
            remedy=f"Name a graph: GRAPH <{GRAPH['manual/']}...> {{ ... }}.",
        )
    return outline


def _insist(request: UpdateRequest) -> None:
    """Let the engine say what does not parse, on an empty store."""
    try:
        ox.Store().update(request.text, base_iri=request.base or None, prefixes=_PREFIXES)
    except SyntaxError as error:
        raise explain(error, request.text, "update") from None
    except (OSError, RuntimeError, ValueError):
        # It parses; what it would do is not asked here.
        return


def steps(request: UpdateRequest, outline: policy.UpdateOutline) -> Steps | None:
    """Return an update that may run as operations to be done one by one, or None where it can't be told so.

    :raises QuerySyntaxError: it does not parse.
    :raises CallError: it names its dataset in two places.
    """
    if outline.doubtful:
        return None
    text, items = request.text, outline.operations
    if request.using_graphs or request.using_named_graphs:
        text = with_using(text, request.using_graphs, request.using_named_graphs, request.base)
        items = operations(tokens.read(text), len(text), request.base).items
    if items:
        _parse(request, text, items[0].start)
    else:
        # Declarations alone are an update too, behind which nothing can be put.
        _insist(request)
    return Steps(text, items)


def _parse(request: UpdateRequest, text: str, start: int) -> None:
    """Let the engine read all of a text, whose first operation starts at *start*, and evaluate nothing.

    :raises QuerySyntaxError: it does not parse.
    """
    try:
        # The whole is parsed before any of it is evaluated, and then the first operation fails.
        failing = f"{text[:start]} {_FAILING} {text[start:]}"
        ox.Store().update(failing, base_iri=request.base or None, prefixes=_PREFIXES)
    except SyntaxError as error:
        _insist(request)
        raise explain(error, text, "update") from None
    except (OSError, RuntimeError, ValueError):
        # It parses; whatever else is wrong shows when it is evaluated.
        return


def evaluate(store: ox.Store, request: UpdateRequest, known: Steps | None = None) -> Difference:
    """Evaluate an update; return what those of its *known* steps moved that are not about whole graphs.

    Without steps it is evaluated in one transaction, and the store is as it was when it fails.  A step that
    fails leaves those before it.

    :raises QuerySyntaxError: it does not parse.
    :raises Conflict: it speaks of a graph that is not there, or makes one that is.
    :raises StorageFull, StoreFailed: the store could not do it.
    """
    text = request.text if known is None else known.text
    if known is None and (request.using_graphs or request.using_named_graphs):
        text = with_using(text, request.using_graphs, request.using_named_graphs, request.base)
    try:
        with room():
            if known is not None:
                return perform(store, text, known.items, request.base)
            store.update(text, base_iri=request.base or None, prefixes=_PREFIXES)
    except SyntaxError as error:
        raise explain(error, text, "update") from None
    except RuntimeError as error:
        raise _refused(error) from error
    except (OSError, ValueError) as error:
        raise StoreFailed("The update could not be evaluated; nothing was changed.") from error
    return Difference()


def _refused(error: RuntimeError) -> MedkgError:
    text = str(error)
    if text.startswith("The graph "):
        return Conflict(f"{text}.", remedy="Write SILENT if that does not matter.")
    if "custom function" in text:
        return NotSupported(
            f"The update calls a function that is not known here ({text}).",
            remedy="Use the functions of SPARQL 1.1, and those that the service description names.",
        )
    return StoreFailed("The update could not be evaluated; nothing was changed.")


def read(path: Path, graph: ox.NamedNode | ox.DefaultGraph) -> set[ox.Quad]:
    """Return the triples of a file of N-Triples, as the store keeps them, with blank nodes of their own.

    :raises SourceFileError: it is no N-Triples.
    """
    store = ox.Store()
    try:
        store.load(path=path, format=ox.RdfFormat.N_TRIPLES, to_graph=graph)
    except SyntaxError as error:
        raise SourceFileError(path, str(error), line=error.lineno) from None
    return set(store)
