"""The rdflib view shows what the engine answers."""

from pathlib import Path

import pytest
from rdflib import Graph

from medkg.domain.errors import StoreMissing
from medkg.domain.namespaces import GRAPH, NUTS, SKOS
from medkg.services.build import Summary
from medkg.store.rdflib_view import open_dataset


def test_default_graph_is_the_merge(summary: Summary, data_dir: Path) -> None:
    """The default graph of the view holds as many triples as the merge."""
    dataset = open_dataset(data_dir)

    assert len(dataset.default_graph) == summary.merged


def test_named_graphs_are_contexts(summary: Summary, data_dir: Path) -> None:
    """A named graph of the view holds the triples that the build counted."""
    name = GRAPH["vocab/ket-2012"]
    graph = Graph(open_dataset(data_dir).store, identifier=name)

    assert len(graph) == summary.graphs[name]


def test_sparql_is_answered(summary: Summary, data_dir: Path) -> None:
    """A query on the view finds the names of a region in four languages."""
    assert summary.version == 1
    rows = open_dataset(data_dir).query(f"SELECT ?name {{ <{NUTS.PL22}> <{SKOS.prefLabel}> ?name }}")

    assert {str(row[0]) for row in rows} == {"Silesia", "Silésie", "Slesia", "Śląskie"}  # type: ignore[index]


def test_nothing_built_is_said(tmp_path: Path) -> None:
    """Without a built graph the view says what to do."""
    with pytest.raises(StoreMissing, match="medkg build"):
        open_dataset(tmp_path)
