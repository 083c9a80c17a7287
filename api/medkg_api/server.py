"""Runs the application on a socket that was opened first, so that a taken port is known before any work."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from medkg.config import Settings
from medkg.domain.errors import AddressInUse
from medkg_api.app import create_app

__all__ = ["listening", "run"]


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
            bound.listen(128)
        except OSError as error:
            raise _refused(settings, error) from None
        bound.setblocking(False)
        yield bound


def run(settings: Settings, bound: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until a signal arrives; *ready* gets the address once requests are answered."""
    config = uvicorn.Config(
        create_app(settings),
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    _Server(config, lambda: ready(settings.base_url)).run(sockets=[bound])


class _Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


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
