"""Runs the application on a socket that was opened first, so that a taken port is known before any work."""

import errno
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medkg import __version__, children
from medkg.config import Settings
from medkg.domain.errors import AddressInUse, MedkgError, SettingError
from medkg.store.control import Control, Tenure
from medkg.store.engine import Endpoint
from medkg.store.keeper import Nursery
from medkg.store.room import Room
from medkg_api.app import create_app
from medkg_api.connections import Connection

__all__ = ["Running", "listening", "run", "trusted"]

_BACKLOG: Final = 1_024
"""Connections that the system holds until they are accepted."""
_FAREWELL: Final = 5
"""Seconds for the answers under way when the service is told to stop."""
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Yield a bound socket for the host and port of the settings.

    :raises AddressInUse: the port is taken, or the address can't be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((settings.host, settings.port))
            # Listening at once keeps a second server from binding the same port while this one still builds.
            bound.listen(_BACKLOG)
        except OSError as error:
            raise _refused(settings, error) from None
        bound.setblocking(False)
        yield bound


def run(
    settings: Settings,
    bound: socket.socket,
    tenure: Tenure,
    ready: Callable[[str], None],
    nursery: Nursery | None = None,
) -> None:
    """Serve the data folder of *tenure* until a signal arrives.

    *ready* gets the address once requests are answered; *nursery* is one that was started before.

    :raises SettingError: MEDKG_TRUSTED_PROXIES names something that is no address.
    :raises MedkgError: the application can't start.
    """
    proxies = trusted(settings)
    app = create_app(settings, nursery=nursery)
    starting = _Starting(app)
    config = uvicorn.Config(
        starting,
        # The other half is for files and processes.
        http=partial(Connection, most=children.raise_descriptors() // 2),  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        backlog=_BACKLOG,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_FAREWELL,
    )
    server = Running(config, app.state.context.endpoint, settings.base_url, tenure, ready)
    try:
        with _surviving():
            server.run(sockets=[bound])
    except SystemExit:
        # uvicorn ends the process when the application does not start.
        if starting.failure is None:
            raise
        raise starting.failure from None


def trusted(settings: Settings) -> list[str]:
    """Return the addresses and networks of the proxies whose X-Forwarded-For is believed.

    :raises SettingError: one is no address.
    """
    found = [item.strip() for item in settings.trusted_proxies.split(",") if item.strip()]
    for item in found:
        try:
            ipaddress.ip_network(item)
        except ValueError:
            raise SettingError(
                f"MEDKG_TRUSTED_PROXIES has the value {settings.trusted_proxies!r}: "
                f"expected IP addresses or networks, and {item!r} is none"
            ) from None
    return found


class Running(uvicorn.Server):
    """A server that says when it is ready, and lends the data folder of *tenure* to commands."""

    def __init__(
        self,
        config: uvicorn.Config,
        endpoint: Endpoint,
        address: str,
        tenure: Tenure,
        ready: Callable[[str], None],
    ) -> None:
        super().__init__(config)
        self._endpoint = endpoint
        self._address = address
        self._tenure = tenure
        self._ready = ready
        self._control: Control | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application and the control socket."""
        await super().startup(sockets)
        if isinstance(self._endpoint, Room):
            about = {
                "pid": os.getpid(),
                "software": __version__,
                "address": self._address,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            self._control = Control(self._tenure, self._endpoint, about)
            await self._control.start()
        self._ready(self._address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the answers under way finish, then end all."""
        if self._control is not None:
            await self._control.close()
        await super().shutdown(sockets)


class _Starting:
    """The application, and the error that kept it from starting: a person is told that, not its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.failure: MedkgError | None = None
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            send = partial(self._tell, send)
        await self._app(scope, receive, send)

    async def _tell(self, send: Send, message: Message) -> None:
        # Sent while the error is handled.
        error = sys.exc_info()[1]
        if message["type"] == "lifespan.startup.failed" and isinstance(error, MedkgError):
            self.failure = error
            message = {**message, "message": ""}
        await send(message)


@contextmanager
def _surviving() -> Iterator[None]:
    """Keep the process for what it has to put away: uvicorn sends itself again the signal that stopped it."""
    before = {number: signal.signal(number, lambda *_: None) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refused(settings: Settings, error: OSError) -> AddressInUse:
    address = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return AddressInUse(
            f"The address {address} is in use.",
            remedy="Stop what listens there, or choose another port with --port.",
        )
    return AddressInUse(
        f"The address {address} can't be used ({error.strerror}).", remedy="Choose another host or port."
    )
