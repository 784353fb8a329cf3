"""The sandbox Hub as a server on a thread of its own: routes behind the Hub's quota, headers, compression, and faults.
What it answers is in `routes`, what it can do wrong in `faults`; making snapshots is not its business."""

from __future__ import annotations

import asyncio
import socket
import struct
import tempfile
import threading
import time
import zlib
from collections import deque
from datetime import date
from email.utils import format_datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from orchestration.sandbox.answers import HubError, error_response
from orchestration.sandbox.archives import Archives
from orchestration.sandbox.clock import SandboxClock
from orchestration.sandbox.faults import Faults, Reply
from orchestration.sandbox.listing_kinds import LISTINGS
from orchestration.sandbox.rate_window import RateWindow, rate_windows
from orchestration.sandbox.routes import HubRoutes, route_name
from orchestration.sandbox.snapshot_store import SnapshotFolder

REQUESTS_KEPT = 10_000
START_SECONDS = 20
SMALLEST_COMPRESSED = 500  # bytes; below it gzip saves nothing
GZIP_LEVEL = 1  # a page of 1,000 rows in about 3 ms; level 6 takes three times as long for a fifth less


class SandboxHub:
    """Serve a folder of snapshots as a Hub on 127.0.0.1, from `with` on or between `start()` and `stop()`.

    `day` is the day it shows first: by default the first one if it is to `advance`, else the last. With `advance` the
    clock goes on to the next available day when a walk of the listing begins after one that was served to its end.
    `rate_limit` is the API bucket's quota a window of `window_seconds`. `faults` are rules as in `faults.Fault`, as a
    list or in a JSON file. `capture_time` is the time of day (UTC) at which the clock stands when it reaches a day.
    Raises SnapshotError, FaultError or ValueError if folder, faults or day can't be used.
    """

    def __init__(
        self,
        snapshots: Path,
        *,
        day: date | None = None,
        port: int = 0,
        rate_limit: int = 100_000,
        window_seconds: int = 300,
        advance: bool = False,
        faults: list[dict] | Path | None = None,
        capture_time: str = "12:00:00",
    ):
        self.snapshots = SnapshotFolder(Path(snapshots))
        self.faults = Faults(faults)
        self._clock = SandboxClock(self.snapshots.days, day, capture_time, advance=advance)
        self._requests: deque[tuple[str, str, int]] = deque(maxlen=REQUESTS_KEPT)
        self._files = tempfile.TemporaryDirectory(prefix="sandbox-hub-")
        archives = Archives(self.snapshots, Path(self._files.name), capture_time)
        self._front = Front(
            HubRoutes(self.snapshots, self._clock, archives).application(),
            clock=self._clock,
            faults=self.faults,
            windows=rate_windows(rate_limit, window_seconds),
            requests=self._requests,
            data_kind="simulated" if self.snapshots.is_simulated else "recorded",
        )
        self._port = port
        self._server: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        """The base address, without a slash at its end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def day(self) -> date:
        """The day that the Hub shows; set it to move the clock."""
        return self._clock.day

    @day.setter
    def day(self, day: date) -> None:
        self._clock.set(day)

    @property
    def days(self) -> list[date]:
        """The days that the snapshots hold, in order."""
        return list(self.snapshots.days)

    @property
    def requests(self) -> list[tuple[str, str, int]]:
        """(method, path, status) of the last 10,000 requests, oldest first; 0 is the status of a connection cut off."""
        return list(self._requests)

    def start(self) -> SandboxHub:
        """Serve until `stop`. Raises OSError if the port is taken."""
        try:
            listener = socket.create_server(("127.0.0.1", self._port))
        except OSError as error:
            raise OSError(
                f"found port {self._port} of 127.0.0.1 unusable ({error.strerror}); expected a free one."
                " Choose another, or 0 for any."
            ) from error
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._front,
            http=_TrackedProtocol,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            date_header=False,  # the Date header tells the sandbox's day
            server_header=False,
            timeout_graceful_shutdown=1,  # a fault may hang far longer than anyone wants to wait
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="sandbox-hub", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(
                    f"found no server at {self.url} after {START_SECONDS} s; expected it to start. See the log above."
                )
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Close the server and remove its temporary files."""
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(timeout=START_SECONDS)
            self._server = None
        self._files.cleanup()

    def __enter__(self) -> SandboxHub:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()


class Front:
    """ASGI middleware around the routes: spends quota, applies faults, compresses, adds the headers of every answer."""

    def __init__(
        self,
        routes: ASGIApp,
        *,
        clock: SandboxClock,
        faults: Faults,
        windows: dict[str, RateWindow],
        requests: deque[tuple[str, str, int]],
        data_kind: str,
    ):
        self._routes = routes
        self._clock = clock
        self._faults = faults
        self._windows = windows
        self._requests = requests
        self._data_kind = data_kind
        self._served = 0
        self._last_pages: dict[str, bytes] = {}  # by listing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._served += 1
        route = route_name(scope["path"])
        window = self._windows[_bucket(route)]
        transports = scope.pop("state", {}).get("transports", {})
        scope["state"] = {}
        if route != "admin" and not window.spend():
            reply = await self._collect(_too_many_requests(window), scope, receive)
        elif route == "resolve" and not self._faults.concern(route):
            await self._stream(scope, receive, send, window)
            return
        else:
            reply = await self._collect(self._routes, scope, receive)
            self._misbehave(reply, scope)
        await self._deliver(reply, scope, receive, send, window, transports)

    def _misbehave(self, reply: Reply, scope: Scope) -> None:
        state = scope["state"]
        is_page = reply.route in LISTINGS and "page" in state
        reply.previous_body, intact = self._last_pages.get(reply.route), reply.body
        fault = self._faults.apply(reply, page=state.get("page"))
        if is_page:
            self._last_pages[reply.route] = intact
        if is_page and fault is not None:
            # A walk ends when its last page came whole, whatever is wrong inside the rows.
            is_list = reply.body.startswith(b"[") and reply.body.endswith(b"]")
            state["ends_walk"] &= reply.status == 200 and reply.deliver == "whole" and is_list

    async def _collect(self, application: ASGIApp, scope: Scope, receive: Receive) -> Reply:
        """Run an application to the end of its answer and hold it."""
        started: Message = {}
        parts: list[bytes] = []

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                parts.append(message.get("body", b""))

        await application(scope, receive, hold)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in started["headers"]}
        if parts and any(parts):
            headers.pop("content-length", None)  # it is set when the body is final
        query = scope["query_string"].decode("latin-1")
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        return Reply(
            status=started["status"],
            headers=headers,
            body=b"".join(parts),
            url=f"{scope['scheme']}://{host}{scope['path']}" + (f"?{query}" if query else ""),
            route=route_name(scope["path"]),
            day=self._clock.day,
            now=self._clock.now(),
            is_compressed=_wants_gzip(scope) and _is_json(headers),
        )

    def _common_headers(self, window: RateWindow, rate_limit: dict[str, int]) -> dict[str, str]:
        return {
            "date": format_datetime(self._clock.now(), usegmt=True),
            **window.headers(**rate_limit),
            "x-request-id": f"Root=1-sandbox-{self._served:08d}",
            "x-sandbox-data": self._data_kind,
        }

    async def _stream(self, scope: Scope, receive: Receive, send: Send, window: RateWindow) -> None:
        """Pass an answer through as it comes: files are neither changed nor compressed."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._log(scope, message["status"])
                message["headers"] = [*message["headers"], *_raw(self._common_headers(window, {}))]
            await send(message)

        await self._routes(scope, receive, send_with_headers)

    async def _deliver(
        self, reply: Reply, scope: Scope, receive: Receive, send: Send, window: RateWindow, transports
    ) -> None:
        headers = {**reply.headers, **self._common_headers(window, reply.rate_limit)}
        headers = {name: value for name, value in headers.items() if name not in reply.absent_headers}
        body = reply.body
        if _is_json(headers) and _wants_gzip(scope) and len(body) >= SMALLEST_COMPRESSED:
            body = zlib.compress(body, GZIP_LEVEL, wbits=31)
            headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
            body = body[: len(body) // 2] if reply.deliver == "cut_gzip" else body
        headers.setdefault("content-length", str(len(body)))
        self._log(scope, 0 if reply.deliver == "reset" else reply.status)
        transport = transports.get(scope["client"])
        if reply.delay and await _client_left(receive, reply.delay):
            return
        if reply.deliver == "reset":
            await _reset(transport)
            return
        if scope["state"].get("ends_walk"):
            self._clock.finish_walk()
        await send({"type": "http.response.start", "status": reply.status, "headers": _raw(headers)})
        if reply.deliver in ("cut", "cut_reset"):
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            if reply.deliver == "cut_reset":
                await asyncio.sleep(0.05)  # so that what was sent is read before the reset takes it away
                await _reset(transport)
            else:
                transport.close()
                await _client_left(receive, 1)
            return
        await _send_body(send, body, reply.drip)

    def _log(self, scope: Scope, status: int) -> None:
        self._requests.append((scope["method"], scope["path"], status))


class _TrackedProtocol(AutoHTTPProtocol):
    """The server's HTTP protocol, which also keeps the open connections at hand, for faults that break them."""

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._peer = transport.get_extra_info("peername")
        self.app_state.setdefault("transports", {})[self._peer] = transport

    def connection_lost(self, exc) -> None:
        self.app_state["transports"].pop(self._peer, None)
        super().connection_lost(exc)


def _bucket(route: str) -> str:
    if route == "resolve":
        return "resolvers"
    return "pages" if route == "other" or route.endswith("-json") else "api"


def _too_many_requests(window: RateWindow) -> ASGIApp:
    spent = f"{window.quota} requests in {window.seconds} s are spent in the bucket {window.bucket}"
    return error_response(HubError(429, f"We had to rate limit you: {spent}."))


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _is_json(headers: dict[str, str]) -> bool:
    return headers.get("content-type", "").startswith("application/json")


def _wants_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])


async def _client_left(receive: Receive, seconds: float) -> bool:
    """Wait, but no longer than the client does."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _reset(transport: asyncio.Transport) -> None:
    """Close so that the client sees a reset and not an orderly end."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await asyncio.sleep(0.01)


async def _send_body(send: Send, body: bytes, drip_seconds: float) -> None:
    pieces = 10 if drip_seconds else 1
    size = max(1, -(-len(body) // pieces))
    for start in range(0, len(body), size):
        if drip_seconds:
            await asyncio.sleep(drip_seconds / pieces)
        await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
