"""What of the W3C suites is left out, and which of their tests are known to fail, each with the reason."""

from collections.abc import Mapping
from typing import Final

__all__ = ["FAILURES", "NOT_EXECUTABLE", "OUT_OF_SCOPE"]

OUT_OF_SCOPE: Final[Mapping[str, str]] = {
    "sparql11/entailment": "the service computes closures when it writes, and offers no entailment regime",
    "sparql11/service": "the service calls no other; the syntax of SERVICE is tested in sparql11/syntax-fed",
    "sparql11/http-rdf-update": "deprecated by the W3C for sparql11/graph-store-protocol, which is run",
}
"""The groups that are not run, with the reason."""

_FUNCTION: Final = "calls a function that the suite does not define"
_REMOTE: Final = "calls another server"
_NO_GRAPH: Final = "removes a graph that is not there"

NOT_EXECUTABLE: Final[Mapping[str, str]] = {
    "sparql10/syntax-sparql1/syntax-expr-05": _FUNCTION,
    "sparql10/syntax-sparql1/syntax-order-05": _FUNCTION,
    "sparql10/syntax-sparql1/syntax-order-06": _FUNCTION,
    "sparql10/syntax-sparql2/syntax-function-01": _FUNCTION,
    "sparql10/syntax-sparql2/syntax-function-02": _FUNCTION,
    "sparql10/syntax-sparql2/syntax-function-03": _FUNCTION,
    "sparql10/syntax-sparql2/syntax-function-04": _FUNCTION,
    "sparql11/syntax-fed/test_1": _REMOTE,
    "sparql11/syntax-fed/test_2": _REMOTE,
    "sparql11/syntax-fed/test_3": _REMOTE,
    "sparql11/syntax-query/test_4": _FUNCTION,
    "sparql11/syntax-update-1/test_1": _REMOTE,
    "sparql11/syntax-update-1/test_2": _REMOTE,
    "sparql11/syntax-update-1/test_3": _REMOTE,
    "sparql11/syntax-update-1/test_4": _REMOTE,
    "sparql11/syntax-update-1/test_8": _NO_GRAPH,
    "sparql11/syntax-update-1/test_18": _NO_GRAPH,
    "sparql11/syntax-update-1/test_37": _REMOTE,
}
"""The positive syntax tests that may fail when they are evaluated, though not for their syntax."""

_CANONICAL: Final = "the engine keeps the value of a number, not its spelling"
_GRAPH: Final = "the engine binds the variable of GRAPH inside the pattern too, not only on its result"
_PATH: Final = "the engine finds no path of length zero at a term that the graph does not hold"
_TAG: Final = "the engine's GROUP_CONCAT keeps a language tag that all values share"

FAILURES: Final[Mapping[str, Mapping[str, str]]] = {
    "query": {
        "sparql10/distinct/distinct-1": _CANONICAL,
        "sparql10/distinct/distinct-9": _CANONICAL,
        "sparql10/expr-builtin/dawg-str-1": _CANONICAL,
        "sparql10/expr-builtin/dawg-str-2": _CANONICAL,
        "sparql10/expr-builtin/sameTerm-simple": _CANONICAL,
        "sparql10/expr-builtin/sameTerm-eq": _CANONICAL,
        "sparql10/expr-builtin/sameTerm-not-eq": _CANONICAL,
        "sparql10/expr-equals/eq-graph-1": _CANONICAL,
        "sparql10/expr-equals/eq-graph-2": _CANONICAL,
        "sparql10/open-world/open-eq-01": _CANONICAL,
        "sparql12/grouping/group01": _CANONICAL,
        "sparql10/open-world/date-2": "the engine compares dates with and without a time zone",
        "sparql10/open-world/date-3": "the engine writes the time zone +00:00 as Z",
        "sparql10/expr-builtin/case-insensitive-booleans": "the engine takes small letters alone",
        "sparql10/graph/graph-optional": _GRAPH,
        "sparql10/graph/graph-variable-scope": _GRAPH,
        "sparql11/negation/graph-minus": _GRAPH,
        "sparql11/aggregates/agg-empty-group-count-graph": _GRAPH,
        "sparql11/bindings/graph": _GRAPH,
        "sparql11/aggregates/agg-groupconcat-04": _TAG,
        "sparql11/aggregates/agg-groupconcat-06": _TAG,
        "sparql11/functions/bnode01": "the engine's BNODE(text) gives one blank node for all solutions",
        "sparql11/property-path/zero_or_more_set_start": _PATH,
        "sparql11/property-path/zero_or_more_set_end": _PATH,
        "sparql11/property-path/zero_or_one_set_start": _PATH,
        "sparql11/property-path/zero_or_one_set_end": _PATH,
        "sparql12/grouping/select-variable-reuse": (
            "the engine knows no SELECT variable later in an aggregation"
        ),
    },
    "formats": {
        "sparql11/csv-tsv-res/csv03": _CANONICAL,
        "sparql11/csv-tsv-res/tsv03": "the engine stores xsd:negativeInteger as xsd:integer",
    },
    "update": {},
    "syntax": {
        "sparql10/syntax-sparql3/syn-bad-26": "the engine reads a comparison, not an IRI",
        "sparql12/syntax/nested-aggregate-functions": "the engine takes an aggregate in an aggregate",
        "sparql12/syntax-triple-terms-negative/tripleterm-subject-03": (
            "the engine takes a triple term as a subject in BIND"
        ),
        "sparql12/syntax-triple-terms-negative/tripleterm-subject-06": (
            "the engine takes a literal as a subject in BIND"
        ),
    },
    "protocol": {},
    "graph store": {},
    "service description": {},
}
"""By kind of test, the tests that are known to fail, with the reason."""
