"""What a version says of itself beside its store: its graphs and counts, and the accepted writes."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final, Self, cast

import pyoxigraph as ox

from medkg.domain.errors import StoreFailed
from medkg.domain.model import GraphState
from medkg.store.counts import Counts

__all__ = ["FILE", "Graph", "Index", "sizes"]

FILE: Final = "index.json"
_KEYS: Final = 1_000
"""Idempotency keys that are remembered: those of the last writes."""

_NAMED: Final = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
_PLAIN: Final = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"

Graph = ox.NamedNode | ox.BlankNode | ox.DefaultGraph
_DEFAULT: Final = ox.DefaultGraph()


@dataclass(frozen=True, slots=True)
class Index:
    """The state of each named graph and of the default graph; the version that each key led to.

    *counts* are those of the default graph, None where an earlier release did not take them.
    """

    graphs: Mapping[str, GraphState] = field(default_factory=dict)
    default: GraphState = field(default_factory=lambda: GraphState(0, 0))
    keys: Mapping[str, int] = field(default_factory=dict)
    counts: Counts | None = None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the index in the folder of a version.

        :raises StoreFailed: there is none that can be read.
        """
        try:
            found = json.loads((folder / FILE).read_text(encoding="utf-8"))
            graphs = {name: GraphState(*state) for name, state in found["graphs"].items()}
            counts = Counts.from_plain(found.get("counts"))
            return cls(graphs, GraphState(*found["default"]), dict(found["keys"]), counts)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreFailed(
                f"The index of version {folder.name} can't be read.",
                remedy="Restore the data folder, or build into an empty one.",
            ) from error

    def write(self, folder: Path) -> None:
        """Write the index into the folder of a version."""
        plain = {
            "graphs": {
                name: [self.graphs[name].triples, self.graphs[name].changed] for name in sorted(self.graphs)
            },
            "default": [self.default.triples, self.default.changed],
            "keys": dict(self.keys),
            "counts": self.counts and self.counts.plain(),
        }
        (folder / FILE).write_text(json.dumps(plain, separators=(",", ":")) + "\n", encoding="utf-8")

    @classmethod
    def of(cls, store: ox.Store, version: int) -> Self:
        """Return the index of a store all of whose graphs changed in *version*."""
        named, default = sizes(store)
        graphs = {name: GraphState(number, version) for name, number in named.items()}
        return cls(graphs, GraphState(default, version), {}, Counts.of(store))

    def following(self, old: ox.Store, new: ox.Store, version: int) -> Self:
        """Return the index of *new*, made from the store of this one; what stayed keeps its state."""
        fresh = self.of(new, version)
        same = {
            name: self.graphs[name]
            for name, state in fresh.graphs.items()
            if name in self.graphs and self.graphs[name].triples == state.triples
            if fingerprint(old, ox.NamedNode(name)) == fingerprint(new, ox.NamedNode(name))
        }
        stayed = (
            len(same) == len(self.graphs) == len(fresh.graphs)
            and self.default.triples == fresh.default.triples
        )
        default = self.default if stayed else fresh.default
        return type(self)({**fresh.graphs, **same}, default, self.keys, fresh.counts)

    def changed(
        self, removed: Collection[ox.Quad], added: Collection[ox.Quad], named: Iterable[str], version: int
    ) -> Self:
        """Return the index after a difference, which leaves the named graphs *named*."""
        numbers: dict[Graph, int] = {}
        for quads, step in ((removed, -1), (added, 1)):
            for quad in quads:
                numbers[quad.graph_name] = numbers.get(quad.graph_name, 0) + step
        moved = {graph.value: by for graph, by in numbers.items() if isinstance(graph, ox.NamedNode)}
        graphs = {}
        for name in named:
            known = self.graphs.get(name)
            if known is None or name in moved:
                graphs[name] = GraphState((known.triples if known else 0) + moved.get(name, 0), version)
            else:
                graphs[name] = known
        default = self.default
        if _DEFAULT in numbers:
            default = GraphState(default.triples + numbers[_DEFAULT], version)
        counts = self.counts and self.counts.changed(removed, added)
        return type(self)(graphs, default, self.keys, counts)

    def remembering(self, keys: Mapping[str, int]) -> Self:
        """Return the index with these keys as the last ones."""
        kept = {key: version for key, version in self.keys.items() if key not in keys} | dict(keys)
        latest = dict(list(kept.items())[-_KEYS:])
        return replace(self, keys=latest)


def sizes(store: ox.Store) -> tuple[dict[str, int], int]:
    """Return the number of triples of each named graph by name, and that of the default graph."""
    named = {graph.value: 0 for graph in store.named_graphs() if isinstance(graph, ox.NamedNode)}
    named |= {str(graph.value): int(number.value) for graph, number in store.query(_NAMED)}  # type: ignore[union-attr]
    ((number,),) = store.query(_PLAIN)  # type: ignore[misc]
    return named, int(number.value)


class _Hash:
    """A file that hashes what is written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Take a piece."""
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: no piece is kept."""


def fingerprint(store: ox.Store, graph: Graph) -> bytes:
    """Return a hash of a graph on the disk.

    The engine keeps quads in an order that follows from their terms alone, so equal graphs have equal hashes.
    """
    file = _Hash()
    store.dump(cast("IO[bytes]", file), ox.RdfFormat.N_TRIPLES, from_graph=graph)
    return file.digest.digest()
