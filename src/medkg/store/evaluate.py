"""Evaluates a query on an open store: its dataset, its bindings, and what the engine's errors mean."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pyoxigraph as ox

from medkg.domain.errors import MedkgError, NotSupported, StoreFailed
from medkg.domain.model import QueryRequest, Term
from medkg.domain.namespaces import PREFIXES
from medkg.store import policy
from medkg.store.syntax import explain
from medkg.store.terms import graph_name, to_ox

__all__ = ["Dataset", "Results", "columns", "dataset", "evaluate"]

_MERGED: Final = ox.NamedNode("urn:medkg:merged")
_FUNCTION: Final = re.compile(r"custom function (<[^>]*>) is not supported")
_IRI: Final = re.compile(r"<[^>\s]*>")
_COMMENT: Final = re.compile(r"#[^\r\n]*")
_STAR: Final = re.compile(r"\bSELECT\s*(?:DISTINCT|REDUCED)?\s*\*", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"[?$](\w+)")

_Graph = ox.NamedNode | ox.BlankNode | ox.DefaultGraph
Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
"""What a query gives: solutions, a boolean or triples."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A store and the graphs of it that a query sees (None: all, and the store's default graph)."""

    store: ox.Store
    default_graph: list[_Graph] | None = None
    named_graphs: list[ox.NamedNode | ox.BlankNode] | None = None


def evaluate(
    data: Dataset,
    text: str,
    bindings: Mapping[str, Term],
    base: str = "",
    prefixes: Mapping[str, str] = PREFIXES,
) -> Results:
    """Return the lazy results of a query; *base* is what its relative IRIs are relative to.

    *prefixes* are those that it may use without declaring them.

    :raises QuerySyntaxError: it does not parse.
    :raises NotSupported: it calls a function that the engine does not have.
    :raises StoreFailed: the store can't be read.
    """
    try:
        return data.store.query(
            text,
            base_iri=base or None,
            prefixes=dict(prefixes),
            default_graph=data.default_graph,
            named_graphs=data.named_graphs,
            substitutions={ox.Variable(name): to_ox(term) for name, term in bindings.items()},
        )
    except SyntaxError as error:
        raise explain(error, text) from None
    except RuntimeError as error:
        raise _unsupported(error) from None
    except (OSError, ValueError) as error:
        raise StoreFailed("The query could not be evaluated.") from error


def dataset(store: ox.Store, request: QueryRequest, outline: policy.Outline) -> Dataset:
    """Return the dataset of a request: that of the protocol when it names one, else that of the query.

    A graph that is not in the store is an empty graph.
    """
    if request.default_graphs or request.named_graphs:
        default, named = request.default_graphs, request.named_graphs
    else:
        default, named = outline.default_graphs, outline.named_graphs
    if not default and not named:
        return Dataset(store)
    named_nodes: list[ox.NamedNode | ox.BlankNode] = [graph_name(name) for name in named]
    default_nodes: list[_Graph] = [graph_name(name) for name in dict.fromkeys(default)]
    if len(default_nodes) <= 1:
        return Dataset(store, default_nodes, named_nodes)
    return Dataset(_merge(store, default_nodes, named_nodes), [_MERGED], named_nodes)


def columns(text: str, results: Results) -> list[str] | None:
    """Return the columns of a ``SELECT *`` in the order in which its text names them, else None.

    The engine gives them in the order of their names, and the standard in none.
    """
    if not isinstance(results, ox.QuerySolutions) or "*" not in text.partition("{")[0]:
        return None
    head = _COMMENT.sub("", _IRI.sub("", text.partition("{")[0]))
    if not _STAR.search(head):
        return None
    given = {variable.value for variable in results.variables}
    found = dict.fromkeys(name for name in _VARIABLE.findall(text) if name in given)
    # What only the engine sees in the text goes to the end.
    return [*found, *sorted(given - found.keys())]


def _merge(store: ox.Store, default: Iterable[_Graph], named: Iterable[_Graph]) -> ox.Store:
    """Copy graphs into a store of their own, with the merge of *default*.

    The engine's own union of several graphs repeats a triple once per graph; an RDF merge (SPARQL 1.1 Query,
    section 13.2) holds it once.
    """
    copy = ox.Store()
    for name in default:
        quads = store.quads_for_pattern(None, None, None, name)
        copy.bulk_extend(ox.Quad(quad.subject, quad.predicate, quad.object, _MERGED) for quad in quads)
    for name in named:
        copy.bulk_extend(store.quads_for_pattern(None, None, None, name))
    return copy


def _unsupported(error: RuntimeError) -> MedkgError:
    match = _FUNCTION.search(str(error))
    if match is None:
        return StoreFailed("The query could not be evaluated.")
    return NotSupported(
        f"The query calls the function {match[1]}, which is not known here.",
        remedy="Use the functions of SPARQL 1.1, and those that the service description names.",
    )
