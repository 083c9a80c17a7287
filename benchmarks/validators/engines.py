"""The validators that are measured, each behind the same few methods.

This module runs in the environment of the engine, which need not have medkg: on top it imports nothing that
is not Python's own.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final

__all__ = ["ENGINES", "Engine", "Row"]

Row = tuple[str | None, str | None, str | None, str | None, str | None]
"""Focus node, path, value, component and severity of a result; terms as in N-Triples, paths as in SPARQL."""


class Engine(ABC):
    """A validator that has read the shapes in a file."""

    title: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    """What must be installed; their versions are told."""
    modules: ClassVar[tuple[str, ...]]
    """What is imported before the clock starts."""
    is_peer: ClassVar[bool] = True
    """Whether it lives in an environment of its own."""
    splits: ClassVar[bool] = True
    """Whether reading the shapes, loading and validating are steps that can be told apart."""
    writes_paths: ClassVar[bool] = True
    """Whether its results tell paths of several steps."""
    most: ClassVar[int] = 1_000_000
    """Triples up to which it is measured unless somebody asks for it by name."""

    @abstractmethod
    def __init__(self, shapes: Path) -> None:
        """Read the shapes."""

    def load(self, data: Path) -> Any:
        """Read a file of N-Triples; an engine that reads and validates in one step gives the path back."""
        return data

    def prepare(self, data: Any) -> Any:
        """Make the shapes ready for what was loaded, where that is a step, and return what to validate."""
        return data

    @abstractmethod
    def validate(self, data: Any) -> Any:
        """Validate what is ready and return what was found, as the engine gives it."""

    @abstractmethod
    def told(self, found: Any) -> str | list[Row]:
        """Return what was found as rows, or as a report in N-Triples; this is not timed."""


class _Medkg(Engine):
    packages: ClassVar[tuple[str, ...]] = ("medkg", "pyoxigraph")
    modules: ClassVar[tuple[str, ...]] = ("medkg.services.validation", "medkg.store.files")
    is_peer = False

    def __init__(self, shapes: Path) -> None:
        from medkg.services.validation import graph_of
        from medkg.store.files import read_document

        self._shapes = graph_of(read_document(shapes))

    def told(self, found: Any) -> list[Row]:
        from medkg.shacl.literals import term_text

        def text(term: Any) -> str | None:
            return None if term is None else term_text(term)

        return [
            (
                text(one.focus),
                one.path and one.path.sparql(),
                text(one.value),
                text(one.component),
                text(one.severity),
            )
            for one in found
        ]


class Medkg(_Medkg):
    """medkg on a graph that the store has loaded."""

    title = "medkg, graph in the store"

    def __init__(self, shapes: Path) -> None:
        super().__init__(shapes)
        self._plan: Any = None
        self._classes: Any = None

    def load(self, data: Path) -> Any:
        """See :meth:`Engine.load`."""
        import pyoxigraph as ox

        from medkg.services.validation import Kept
        from medkg.store.memory import MemoryGraph

        # Reads fast, and hands the graph over as a write does that is to be checked.
        store = ox.Store()
        store.bulk_load(path=data, format=ox.RdfFormat.N_TRIPLES)
        return Kept(MemoryGraph.around(store))

    def prepare(self, data: Any) -> Any:
        """Compile the shapes; what is compiled stays good as long as the classes of the data are the same."""
        from medkg.shacl.compiled import subclasses
        from medkg.shacl.plan import Plan
        from medkg.store.files import kept_literal

        classes = subclasses(data)
        if self._plan is None or classes != self._classes:
            self._plan, self._classes = Plan(self._shapes, classes, cache(kept_literal)), classes
        return data

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        from medkg.shacl.compiled import Validator

        validator = Validator(self._plan, data)
        validator.refuse_patterns()
        return [result for check in self._plan.checks for result in validator.everywhere(check)]


class MedkgFile(_Medkg):
    """medkg as ``medkg validate`` does it: every term of the file as it was written."""

    title = "medkg, terms as written"

    def load(self, data: Path) -> Any:
        """See :meth:`Engine.load`."""
        from medkg.store.files import read_document

        return read_document(data)

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        from medkg.services.validation import Engine as Which
        from medkg.services.validation import results

        return results(data, self._shapes, Which.compiled)


class PyshaclCached(_Medkg):
    """medkg's reference engine: pySHACL on a graph that reads the text of a query once."""

    title = "pySHACL, queries read once"
    packages = ("pyshacl", "rdflib")
    modules = (*_Medkg.modules, "medkg.shacl.reference")

    def load(self, data: Path) -> Any:
        """See :meth:`Engine.load`."""
        from medkg.services.validation import graph_of
        from medkg.shacl.reference import CachingGraph
        from medkg.store.files import read_document

        return graph_of(read_document(data), CachingGraph())

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        from medkg.shacl.reference import validate

        return validate(data, self._shapes)


class Pyshacl(Engine):
    """pySHACL as it comes, on rdflib's own graph."""

    title = "pySHACL"
    packages = ("pyshacl", "rdflib")
    modules = ("pyshacl", "rdflib")
    is_peer = False
    most = 100_000

    def __init__(self, shapes: Path) -> None:
        from rdflib import Graph

        self._shapes = Graph().parse(shapes)

    def load(self, data: Path) -> Any:
        """See :meth:`Engine.load`."""
        from rdflib import Graph

        return Graph().parse(data, format="nt")

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        import pyshacl

        return pyshacl.validate(data, shacl_graph=self._shapes)

    def told(self, found: Any) -> str:
        """See :meth:`Engine.told`."""
        report: str = found[1].serialize(format="nt")
        return report


class ShaclRust(Engine):
    """shacl-rust, which keeps no shapes between two calls."""

    title = "shacl-rust"
    packages = ("shacl-rust",)
    modules = ("shacl_rust",)
    splits = False
    index: ClassVar[bool] = False

    def __init__(self, shapes: Path) -> None:
        self._module = import_module("shacl_rust")
        self._shapes = shapes

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        return self._module.validate_file(
            data, self._shapes, data_format="nt", shapes_format="turtle", experimental_index=self.index
        )["results"]

    def told(self, found: Any) -> list[Row]:
        """See :meth:`Engine.told`."""
        return [
            (
                one["focusNode"],
                one.get("resultPath"),
                one.get("value"),
                one["sourceConstraintComponent"],
                one["severity"],
            )
            for one in found
        ]


class ShaclRustIndex(ShaclRust):
    """shacl-rust with the index that it calls experimental."""

    title = "shacl-rust, experimental index"
    index = True


class Shacl(Engine):
    """The package shacl, whose time grows faster than the graph."""

    title = "shacl"
    packages = ("shacl",)
    modules = ("shacl",)
    splits = False
    most = 100_000

    def __init__(self, shapes: Path) -> None:
        self._shapes = import_module("shacl").Shapes.from_file(str(shapes))

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        return self._shapes.validate_file(str(data)).results

    def told(self, found: Any) -> list[Row]:
        """See :meth:`Engine.told`."""
        return [
            (one.focus_node, one.path, one.value, f"<{one.component_iri}>", f"<{one.severity_iri}>")
            for one in found
        ]


class Shifty(Engine):
    """pyshifty, whose reports name a path of several steps by a blank node that nothing is said of."""

    title = "pyshifty"
    packages = ("pyshifty", "rdflib")
    modules = ("shifty", "rdflib")
    splits = False
    writes_paths = False

    def __init__(self, shapes: Path) -> None:
        self._shapes = import_module("shifty").PreparedValidator(shapes)

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        return self._shapes.validate(data, graph_mode="data", infer=False)

    def told(self, found: Any) -> str:
        """See :meth:`Engine.told`."""
        report: str = found[1].serialize(format="nt")
        return report


class Turbo(Engine):
    """pyshacl-turbo on files, where it is right; from a graph of rdflib it gets other literals."""

    title = "pyshacl-turbo"
    packages = ("pyshacl-turbo",)
    modules = ("pyshacl_turbo",)
    splits = False
    most = 100_000

    def __init__(self, shapes: Path) -> None:
        turbo = import_module("pyshacl_turbo")
        self._shapes = turbo.compile_shapes(str(shapes), shacl_graph_format="turtle")

    def validate(self, data: Any) -> Any:
        """See :meth:`Engine.validate`."""
        return self._shapes.validate(str(data), data_graph_format="nt")

    def told(self, found: Any) -> str:
        """See :meth:`Engine.told`."""
        report: str = found[1].serialize(format="nt")
        return report


ENGINES: Final[Mapping[str, type[Engine]]] = {
    "medkg": Medkg,
    "medkg-file": MedkgFile,
    "pyshacl": Pyshacl,
    "pyshacl-cached": PyshaclCached,
    "shacl-rust": ShaclRust,
    "shacl-rust-index": ShaclRustIndex,
    "shacl": Shacl,
    "shifty": Shifty,
    "turbo": Turbo,
}
