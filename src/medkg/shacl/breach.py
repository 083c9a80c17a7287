"""Where a constraint is broken, as a piece of SPARQL."""

from dataclasses import dataclass

from rdflib.term import Literal

__all__ = ["Breach"]


@dataclass(frozen=True, slots=True)
class Breach:
    """Where a constraint is broken: a *condition* on the focus node, or a *pattern* with the violations.

    *value* is the variable of the value node, or empty; *path* that of the predicate, where the pattern
    finds it; *key* tells violations with the same value apart.  *shown* are variables for *messages*, which
    replace those of the shape.  A *lateral* pattern has to be evaluated for each focus node.  *test* is the
    expression behind the path, where each value is judged by itself.  *each* solution may be a violation of
    its own, though another one says the same.
    """

    condition: str = ""
    pattern: str = ""
    value: str = ""
    path: str = ""
    key: str = ""
    shown: tuple[str, ...] = ()
    lateral: bool = False
    test: str = ""
    messages: tuple[Literal, ...] = ()
    each: bool = False

    def as_expression(self) -> str:
        """Return an expression that is true when there is a violation."""
        return f"({self.condition})" if self.condition else f"EXISTS {{ {self.pattern} }}"

    def as_pattern(self) -> str:
        """Return a group graph pattern with a solution for each violation."""
        return self.pattern or f"FILTER({self.condition})"
