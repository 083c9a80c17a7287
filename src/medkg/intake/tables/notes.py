"""What is found wrong or odd while a table is read."""

from collections import Counter

from medkg.domain.model import Place
from medkg.domain.submission import Flaw
from medkg.intake.tables.codes import Code

__all__ = ["Notes", "Refused"]


class Refused(Exception):
    """The table can't be read at all: *flaw* says why."""

    def __init__(self, code: Code, place: Place, **values: str) -> None:
        super().__init__(code)
        self.flaw = Flaw(code.value, place, values)


class Notes:
    """Collects flaws in the order in which they are found, at most *most* of each code."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._flaws: list[Flaw] = []
        self._counts: Counter[Code] = Counter()

    def add(self, code: Code, place: Place, focus: str = "", **values: str) -> None:
        """Take a flaw in; beyond the limit it is only counted."""
        if self.room(code):
            self._flaws.append(Flaw(code.value, place, values, str(focus)))
        self._counts[code] += 1

    def refuse(self, refusal: Refused) -> None:
        """Take in why nothing is read."""
        self._flaws.append(refusal.flaw)

    def room(self, code: Code) -> bool:
        """Tell whether another flaw of that code would be kept, so that it is worth looking for proposals."""
        return self._counts[code] < self._most

    def flaws(self) -> tuple[Flaw, ...]:
        """Return what was kept, and for each code how many more there were."""
        more = (
            Flaw(Code.MORE.value, Place(), {"code": str(code), "count": str(count - self._most)})
            for code, count in sorted(self._counts.items())
            if count > self._most
        )
        return (*self._flaws, *more)
