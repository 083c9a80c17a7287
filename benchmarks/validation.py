"""Measures how long validators take for the same graph and shapes, and writes docs/validation-benchmarks.md.

Other validators are measured too when --peers names the Python of an environment that has them; `make
bench-validation` makes one of benchmarks/validators/peers.txt.

Example: python benchmarks/validation.py --sets 9k submissions --peers var/peers/bin/python
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

from benchmarks.machine import wait_until_idle  # noqa: E402
from benchmarks.validators import page  # noqa: E402
from benchmarks.validators.course import SETS, Course, cases  # noqa: E402
from benchmarks.validators.engines import ENGINES  # noqa: E402


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sets", nargs="+", choices=SETS, default=list(SETS), help="graphs by their triples, or submissions"
    )
    parser.add_argument(
        "--targets",
        nargs="+",
        choices=ENGINES,
        help="engines, also where they are slow; the first is the reference (all that are fast enough)",
    )
    parser.add_argument("--peers", type=Path, help="Python of an environment with other validators")
    parser.add_argument("--rounds", type=int, default=5, help="repeats; 0 only compares (5)")
    parser.add_argument("--repeats", type=int, default=15, help="submissions in one run (15)")
    parser.add_argument("--limit", type=float, default=900, help="seconds that one run may take (900)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(tempfile.gettempdir()) / "medkg-validation",
        help="folder for the graphs and the raw results",
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/validation-benchmarks.md from all results in --out"
    )
    parser.add_argument("--only-write", action="store_true", help="the same without measuring")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the page if asked to."""
    # Whoever ends the benchmark ends what it started with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    options = parsed(arguments)
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if not options.only_write:
        for which in options.sets:
            of = cases(which, out)
            if options.write:
                wait_until_idle()
            Course(which, of, options, out).measure()
    if options.write or options.only_write:
        found = [out / f"validation-{which}.json" for which in SETS]
        measured = [json.loads(path.read_text(encoding="utf-8")) for path in found if path.is_file()]
        page.write(measured, ROOT / "docs")


if __name__ == "__main__":
    main()
