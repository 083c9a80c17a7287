"""What the application stands on: the store in the data folder, or, by the settings, a server elsewhere."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import SecretStr

from medkg.config import Settings
from medkg.domain.errors import SettingError
from medkg.services import check, lookups
from medkg.services.checking import Checking
from medkg.store import policy, room
from medkg.store.bounds import Bounds
from medkg.store.documents import Documents
from medkg.store.embedded import EmbeddedEngine
from medkg.store.engine import Endpoint, Engine
from medkg.store.federation.allow import AllowList
from medkg.store.federation.federate import Federation
from medkg.store.keeper import Nursery
from medkg.store.remote.endpoint import PARALLEL, RemoteEndpoint
from medkg.store.remote.engine import RemoteEngine
from medkg.store.remote.server import at
from medkg.store.snapshots import Snapshots

__all__ = ["Backend", "bounds", "choose"]

_MEGABYTE = 1_048_576


async def _nothing() -> None:
    """Close nothing."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The engine of our own code, the endpoint of strangers, and what is closed after them."""

    engine: Engine
    endpoint: Endpoint
    checking: Checking | None = None
    close: Callable[[], Awaitable[None]] = _nothing


def choose(
    settings: Settings,
    engine: Engine | None = None,
    endpoint: Endpoint | None = None,
    nursery: Nursery | None = None,
) -> Backend:
    """Return the backend for *settings*; what is given is taken as it is.

    *nursery* was started before; only an endpoint that is made here, on the data folder, has use for it.

    :raises StoreMissing: nothing has been built in the data folder.
    :raises SettingError: an address of another server, or a list of such, can't be used.
    """
    if settings.store_url is not None and engine is None and endpoint is None:
        _insist_on_no_calls(settings)
        return _remote(settings, settings.store_url)
    federation = _federation(settings)
    limits = policy.Limits(settings.max_query_bytes, settings.max_query_depth)
    engine = engine or EmbeddedEngine(settings.data_dir, limits=limits)
    return Backend(
        engine,
        endpoint
        or room.Room(
            settings.data_dir,
            limits=_limits(settings),
            union=settings.union_default_graph,
            check=check.check,
            federation=federation,
            nursery=nursery,
        ),
        _checking(settings, engine),
    )


def _checking(settings: Settings, engine: Engine) -> Checking:
    return Checking(
        Snapshots(settings.data_dir),
        lambda: lookups.gather(engine).to_json(),
        memory=_MEGABYTE * settings.worker_memory_mb,
        seconds=settings.query_timeout_s,
    )


def _federation(settings: Settings) -> Federation | None:
    services = AllowList.read("MEDKG_SERVICE_ALLOW", settings.service_allow)
    loads = AllowList.read("MEDKG_LOAD_ALLOW", settings.load_allow)
    return Federation(services, loads, parallel=2 * settings.workers) if services or loads else None


def _insist_on_no_calls(settings: Settings) -> None:
    for name, value in (("SERVICE", settings.service_allow), ("LOAD", settings.load_allow)):
        if value.split():
            shown = "(not shown)" if "@" in value else repr(value)
            raise SettingError(
                f"MEDKG_{name}_ALLOW has the value {shown}: expected none, since calls to others are "
                "not supported for the server in MEDKG_STORE_URL"
            )


def bounds(settings: Settings) -> Bounds:
    """Return how large an answer may be: one that is counted is held in memory until it is whole.

    In a process of its own a quarter of the memory of a query is for that; the answers of another server
    are held in this process, all of them together in as much as one query may take.
    """
    share = PARALLEL if settings.store_url is not None else 4
    held = _MEGABYTE * settings.worker_memory_mb // share
    return Bounds.of(settings.max_rows, _MEGABYTE * settings.max_answer_mb, most=held)


def _remote(settings: Settings, url: SecretStr) -> Backend:
    server = at(
        url.get_secret_value(),
        update_url=_plain(settings.store_update_url),
        graph_store_url=_plain(settings.store_graph_url),
        default_graph=settings.store_default_graph,
    )
    limits = policy.Limits(settings.max_query_bytes, settings.max_query_depth)
    reader = {
        "memory": _MEGABYTE * settings.worker_memory_mb,
        "max_bytes": settings.max_query_bytes,
        "max_depth": settings.max_query_depth,
        "union": settings.union_default_graph,
    }
    documents = Documents(settings.data_dir / "spool", reader, settings.update_timeout_s)
    endpoint = RemoteEndpoint(
        server,
        limits=limits,
        union=settings.union_default_graph,
        timeout=settings.query_timeout_s,
        update_timeout=settings.update_timeout_s,
        parse=documents.parse,
        bounds=bounds(settings),
    )
    engine = RemoteEngine(server, limits=limits, timeout=settings.query_timeout_s)
    return Backend(engine, endpoint, close=documents.close)


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def _limits(settings: Settings) -> room.Limits:
    return room.Limits(
        workers=settings.workers,
        slow=2 * settings.workers,
        query_timeout=settings.query_timeout_s,
        update_timeout=settings.update_timeout_s,
        worker_memory=_MEGABYTE * settings.worker_memory_mb,
        store_memory=_MEGABYTE * settings.store_memory_mb,
        cache=_MEGABYTE * settings.result_cache_mb,
        query_bytes=settings.max_query_bytes,
        query_depth=settings.max_query_depth,
        body=_MEGABYTE * settings.max_body_mb,
        answer=bounds(settings),
    )
