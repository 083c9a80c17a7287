"""One measurement in a process of its own: an engine, a file of shapes, a file of data.

The process that asks gives ENGINE MODE REPEATS SHAPES DATA OUT, and finds in OUT what was measured (JSON).
It may run in an environment without medkg, so that only engines that are asked for are imported.
"""

import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

# The folder of a script comes first on the path, and its modules would hide those of others.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from benchmarks.validators.engines import ENGINES, Engine  # noqa: E402

__all__ = ["MODES"]

Times = dict[str, float]
Mode = Callable[[type[Engine], Path, Path, int], tuple[Times, Engine, Any]]


def whole(kind: type[Engine], shapes: Path, data: Path, repeats: int) -> tuple[Times, Engine, Any]:
    """Read shapes and data and validate, once: what somebody pays who has a file."""
    del repeats
    begin = time.perf_counter()
    engine = kind(shapes)
    read = time.perf_counter() - begin
    times, found = _once(engine, data)
    return {name: value + read * (name in _WITH_SHAPES) for name, value in times.items()}, engine, found


def alone(kind: type[Engine], shapes: Path, data: Path, repeats: int) -> tuple[Times, Engine, Any]:
    """Read shapes once and data again and again: what a service pays for a submission, warm."""
    engine = kind(shapes)
    _, found = _once(engine, data)
    rows = [_once(engine, data)[0] for _ in range(repeats)]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}, engine, found


MODES: Final[Mapping[str, Mode]] = {"whole": whole, "alone": alone}
"""The ways to measure; a submission against a loaded graph would be one more."""
_WITH_SHAPES: Final = frozenset({"shapes_s", "total_s"})
"""The times that reading the shapes belongs to."""


def _once(engine: Engine, data: Path) -> tuple[Times, Any]:
    """Load and validate; return the seconds, of each step where there are several, and what was found."""
    begin = time.perf_counter()
    graph = engine.load(data)
    loaded = time.perf_counter()
    ready = engine.prepare(graph)
    prepared = time.perf_counter()
    found = engine.validate(ready)
    end = time.perf_counter()
    steps = {"shapes_s": prepared - loaded, "load_s": loaded - begin, "validate_s": end - prepared}
    return {**(steps if engine.splits else {}), "total_s": end - begin}, found


def _peak_mib() -> float:
    """Return the most memory that this process had.

    Not of getrusage: what that tells begins with the memory of the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def main() -> None:
    """Measure what the arguments say."""
    name, mode, repeats, *files = sys.argv[1:]
    shapes, data, out = map(Path, files)
    # Engines warn of shapes and literals; it is their results that are compared.
    warnings.simplefilter("ignore")
    kind = ENGINES[name]
    for module in kind.modules:
        import_module(module)
    times, engine, found = MODES[mode](kind, shapes, data, int(repeats))
    peak = _peak_mib()
    told = engine.told(found)
    versions = [f"{package} {version(package)}" for package in kind.packages]
    result = {"measured": {**times, "peak_mib": peak}, "versions": versions, "found": told}
    out.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
