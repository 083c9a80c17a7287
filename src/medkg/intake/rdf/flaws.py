"""The flaws of one document while it is read: those that stop the reading, and those that don't."""

from collections import Counter

from medkg.domain.model import Place
from medkg.domain.submission import Flaw

__all__ = ["Flaws", "Refusal"]

_SHOWN = 80
"""Characters of a document that one value of a message repeats."""


class Refusal(Exception):
    """Ends the reading of a document; *flaw* says why.  It never leaves the package."""

    def __init__(self, code: str, place: Place, **values: object) -> None:
        super().__init__(code)
        self.flaw = _flaw(code, place, values)


class Flaws:
    """Collects flaws that don't end the reading, at most *most* of each code."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told: Counter[str] = Counter()
        self._flaws: list[Flaw] = []

    def add(self, code: str, place: Place, **values: object) -> None:
        """Note a flaw, unless there are enough of its kind."""
        self._told[code] += 1
        if self._told[code] <= self._most:
            self._flaws.append(_flaw(code, place, values))

    def has(self, code: str) -> bool:
        """Tell whether a flaw of that code was noted."""
        return self._told[code] > 0

    def full(self, code: str) -> bool:
        """Tell whether no more flaws of that code are taken."""
        return self._told[code] >= self._most

    def all(self) -> tuple[Flaw, ...]:
        """Return what was noted, in the order of the document."""
        return tuple(sorted(self._flaws, key=lambda flaw: (flaw.place.line, flaw.place.column)))


def _flaw(code: str, place: Place, values: dict[str, object]) -> Flaw:
    return Flaw(code, place, {name: _shown(str(value)) for name, value in values.items()})


def _shown(value: str) -> str:
    """Return a value on one line, without what can't be seen, and cut where it is long."""
    cut = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in cut)
