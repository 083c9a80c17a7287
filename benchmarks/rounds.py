"""The course of a benchmark: load everything, compare the answers, measure in rounds, probe."""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks import compare, data, load, probes, workload
from benchmarks.client import Address, Answered, fetch
from benchmarks.machine import machine, write_json
from benchmarks.targets import ENGINES, Dataset, Engine, Peers, Running
from benchmarks.workload import TextKind

__all__ = ["CONNECTIONS", "Bench", "dataset"]

CONNECTIONS: Final = (16, 1)
LIGHT_SINGLES: Final = 10
HEAVY_SINGLES: Final = 2
"""How many variants of each kind of question are timed one at a time."""
LIMIT_S: Final = {True: 180.0, False: 20.0}
"""How long one query may take where wrk does not ask it: for a server of all questions, and for another."""


class Bench:
    """One scale: its graph, its questions, its servers, and what was found so far."""

    def __init__(self, options: argparse.Namespace, out: Path) -> None:
        self.options, self.out = options, out
        self.world = data.world(data.SCALES[options.scale])
        self.dataset = dataset(options.scale, self.world, out / options.scale)
        peers = Peers(out / "peers")
        kinds = [ENGINES[name] for name in options.targets if options.scale in ENGINES[name].scales]
        self.engines = [kind(self.dataset, out / options.scale, peers) for kind in kinds]
        self.results: dict[str, Any] = {
            "scale": options.scale,
            "actions": self.dataset.actions,
            "triples": self.dataset.triples,
            "added": self.dataset.added,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": machine(),
            "load": os.getloadavg()[0],
            "rounds": options.rounds,
            "seconds": options.seconds,
            "titles": {engine.name: engine.title for engine in self.engines},
            "versions": sorted({engine.version() for engine in self.engines}),
            "mixes": {kind: workload.distinct(self.mix(kind, "plain")) for kind in workload.MIXES},
            "prepared": {},
            "bags": {},
            "runs": [],
            "singles": [],
            "probes": {},
        }

    def mix(self, kind: workload.MixKind, text: TextKind) -> list[workload.Request]:
        """Return the requests of a mix."""
        return workload.mix(kind, self.world, text)

    def measure(self) -> None:
        """Load, compare, measure in rounds; what is found is kept after each step."""
        for engine in self.engines:
            self.results["prepared"][engine.name] = engine.prepare()
            self._say(engine, "loaded")
        for engine in self.engines:
            self._bags(engine)
        found = {name: [compare.Bag(**one) for one in bags] for name, bags in self.results["bags"].items()}
        self.results["differences"] = compare.differences(found)
        print(
            f"{len(self.results['differences'])} answers differ from those of {next(iter(found))}", flush=True
        )
        self._keep()
        for number in range(self.options.rounds):
            # The other way round every second time, so that nobody always comes after the same one.
            for engine in self.engines[:: -1 if number % 2 else 1]:
                self._round(engine, number)
        for engine in self.engines if self.options.probes else []:
            if engine.probed:
                self._probes(engine)

    def _bags(self, engine: Engine) -> None:
        """Keep the bags of two variants of each light question and one of each heavy one, for each text."""
        with started(engine) as turn:
            for text in self._texts(engine):
                samples = [
                    request
                    for template in self._templates(engine)
                    for request in workload.variants(template, self.world, text)[: 1 if template.heavy else 2]
                ]
                bags = compare.collect(samples, turn.fetch)
                self.results["bags"][f"{engine.name}:{text}"] = [one.values() for one in bags]
        self._say(engine, "compared")

    def _round(self, engine: Engine, number: int) -> None:
        with started(engine) as turn:
            for text in self._texts(engine):
                if engine.keeps_results:
                    self._fill(turn, text)
                if engine.all_templates:
                    self._loads(engine, turn, text, number)
                if self.options.singles:
                    self._singles(engine, turn, text, number)
        self._say(engine, f"measured, round {number + 1}")

    def _fill(self, turn: "Turn", text: TextKind) -> None:
        """Ask each question of the mixes once."""
        asked = {request.query: request for kind in workload.MIXES for request in self.mix(kind, text)}
        load.singles(turn.address, list(asked.values()), 0.0, turn.limit)

    def _loads(self, engine: Engine, turn: "Turn", text: TextKind, number: int) -> None:
        folder, seconds = self.out / self.options.scale, self.options.seconds
        for kind in workload.MIXES:
            requests = self.mix(kind, text)
            load.drive(turn.address, requests, 4, seconds / 2, folder)
            turn.drain()
            for connections in self.options.connections:
                before = engine.gauges(turn.address)
                found = load.drive(turn.address, requests, connections, seconds, folder)
                after = engine.gauges(turn.address)
                memory = turn.running.server.memory_mib()
                rest = turn.drain()
                row = {"round": number, "engine": engine.name, "text": text, "mix": kind}
                row |= {"memory_mib": memory, "rests_after_s": rest, **found.values()}
                row |= told(before, after)
                self.results["runs"].append(row)
                self._say(
                    engine, f"{text} {kind} c={connections}: {found.rate:.0f}/s, p99 {found.p99_ms:.0f} ms"
                )

    def _singles(self, engine: Engine, turn: "Turn", text: TextKind, number: int) -> None:
        for template in self._templates(engine):
            requests = workload.variants(template, self.world, text)[
                : HEAVY_SINGLES if template.heavy else LIGHT_SINGLES
            ]
            found = load.singles(turn.address, requests, self.options.seconds / 16, turn.limit)
            row = {"round": number, "engine": engine.name, "text": text, "template": template.name, **found}
            self.results["singles"].append(row)
            if not found["n"]:
                turn.drain()

    def _probes(self, engine: Engine) -> None:
        found = self.results["probes"][engine.name] = {}
        for name, probe in probes.PROBES.items():
            found[name] = probe(engine)
            self._say(engine, f"{name}: {found[name]}")

    def _texts(self, engine: Engine) -> list[TextKind]:
        return [text for text in engine.texts if text in self.options.texts]

    def _templates(self, engine: Engine) -> list[workload.Template]:
        return [one for one in workload.TEMPLATES if engine.all_templates or not one.heavy]

    def _say(self, engine: Engine, what: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {engine.name}: {what}", flush=True)
        self._keep()

    def _keep(self) -> None:
        write_json(self.out / f"results-{self.options.scale}.json", self.results)


def told(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return what a server says of a load: the share of answers from its cache, the memory of its graph."""
    if not after:
        return {}
    hits, misses = (
        after[f"medkg_cache_{name}"] - before.get(f"medkg_cache_{name}", 0) for name in ("hits", "misses")
    )
    found = {"version_mib": after["medkg_memory_of_version_bytes"] / 2**20}
    return found | ({"hit_rate": hits / (hits + misses)} if hits + misses else {})


class Turn:
    """A started server, replaced when it does not come to rest."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.limit = LIMIT_S[engine.all_templates]
        self.running: Running = engine.start()
        engine.settle(self.running.address)

    @property
    def address(self) -> Address:
        """Where the server answers now."""
        return self.running.address

    def fetch(self, request: workload.Request) -> Answered:
        """Send one request; after one without an answer the server comes to rest first."""
        answer = fetch(self.address, request.query, request.accept, self.limit)
        if not answer.status:
            self.drain()
        return answer

    def drain(self) -> float | None:
        """Wait until the server rests; start it anew when it does not, and return None then."""
        rest = self.running.server.drain()
        if rest is None:
            self.running.server.stop()
            self.running = self._engine.start()
            self._engine.settle(self.running.address)
        return rest


@contextmanager
def started(engine: Engine) -> Iterator[Turn]:
    """Yield a started server and stop it."""
    turn = Turn(engine)
    try:
        yield turn
    finally:
        turn.running.server.stop()


def dataset(scale: str, of: data.World, folder: Path) -> Dataset:
    """Return the files of a scale, writing them when they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    nt, closure, note = folder / "data.nt", folder / "closure.nt", folder / "data.json"
    if not note.is_file():
        write_json(note, data.write(of, nt, closure))
    triples, added = json.loads(note.read_text(encoding="utf-8"))
    return Dataset(scale, of.actions, nt, closure, triples, added)
