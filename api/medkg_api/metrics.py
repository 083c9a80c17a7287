"""What the operator can watch: counters of requests and gauges of the engine, for Prometheus."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from medkg.store.engine import Endpoint

__all__ = ["Meter"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Meter:
    """The metrics of one application; *class* is ``sparql``, ``update``, ``graphs`` or ``pages``."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "medkg_requests", "Requests by class and status.", ["class", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "medkg_request_seconds",
            "Seconds from the request to the end of its answer, by class.",
            ["class"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_Engine(endpoint))
        self._children: dict[tuple[str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def count(self, class_: str, status: int, seconds: float) -> None:
        """Take note of an answered request."""
        key = (class_, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(class_, str(status))
        child.inc()
        timer = self._timers.get(class_)
        if timer is None:
            timer = self._timers[class_] = self._seconds.labels(class_)
        timer.observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)


class _Engine(Collector):
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield what the engine says of itself."""
        for name, value in self._endpoint.status().items():
            yield GaugeMetricFamily(f"medkg_{name}", name.replace("_", " "), value=value)
