"""Measures how servers answer the same questions over the same graph, and writes docs/benchmarks.md.

Example: python benchmarks/serving.py --scale 1m --rounds 3 --seconds 8 --write
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
# A script finds its own folder; the modules beside it belong to a package.
sys.path.insert(0, str(ROOT))

from benchmarks import data, report  # noqa: E402
from benchmarks.machine import wait_until_idle  # noqa: E402
from benchmarks.rounds import CONNECTIONS, Bench  # noqa: E402
from benchmarks.targets import ENGINES  # noqa: E402
from benchmarks.workload import TEXTS  # noqa: E402


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", choices=data.SCALES, default="small", help="size of the graph")
    parser.add_argument(
        "--targets",
        nargs="+",
        choices=ENGINES,
        default=list(ENGINES),
        help="servers; the first is the reference",
    )
    parser.add_argument("--rounds", type=int, default=3, help="repeats; 0 puts no load on the servers (3)")
    parser.add_argument("--seconds", type=float, default=8, help="length of one run of wrk (8)")
    parser.add_argument(
        "--connections",
        type=int,
        nargs="+",
        choices=CONNECTIONS,
        default=list(CONNECTIONS),
        help="connections of a load (16 and 1)",
    )
    parser.add_argument(
        "--texts", nargs="+", choices=TEXTS, default=list(TEXTS), help="texts of the questions (both)"
    )
    parser.add_argument(
        "--no-singles", dest="singles", action="store_false", help="leave out the questions one at a time"
    )
    parser.add_argument(
        "--no-probes", dest="probes", action="store_false", help="leave out what wrk can't measure"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(tempfile.gettempdir()) / "medkg-serving",
        help="folder for the graphs, the loaded stores and the raw results",
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmarks.md from all results in --out"
    )
    parser.add_argument("--only-write", action="store_true", help="the same without measuring")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the page if asked to."""
    # Whoever ends the benchmark ends the servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    options = parsed(arguments)
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if not options.only_write:
        if options.write:
            wait_until_idle()
        Bench(options, out).measure()
    if options.write or options.only_write:
        found = [out / f"results-{scale}.json" for scale in data.SCALES if scale != "small"]
        measured = [json.loads(path.read_text(encoding="utf-8")) for path in found if path.is_file()]
        report.write(measured, ROOT / "docs")


if __name__ == "__main__":
    main()
