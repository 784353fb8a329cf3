"""Serves the pages of one made-up day on 127.0.0.1 as the Hub's listing, at so little cost that it is not what is measured.
It parses, sorts and compresses nothing: bodies lie ready on disk, and a request is answered by looking up its cursor."""

import argparse
import asyncio
import base64
import json
import mmap
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, quote
from urllib.request import urlopen

from benchmarks.listing import EXPANDS, PAGE_SIZE, day_folder, index_of

QUOTA, WINDOW_SECONDS = 1_000_000_000, 300  # so large that no pace follows from it: the governor is not measured here
SEND_BUFFER = 1 << 20  # a whole page at one call
LARGEST_REQUEST = 16_384


class DayPages:
    """The pages of one day, mapped into memory, and which of them follows a cursor."""

    def __init__(self, folder: Path, day: date):
        index, folder = index_of(folder, day), day_folder(folder, day)
        files = {name: _mapped(folder / name) for name in dict.fromkeys(entry[0] for entry in index)}
        self.bodies = [files[name][offset : offset + length] for name, offset, length, _, _ in index]
        self.rows = sum(entry[3] for entry in index)
        last_ids = [entry[4] for entry in index]
        self.cursors = [quote(_cursor(last_id), safe="").encode() for last_id in last_ids[:-1]]
        self.number_after = {cursor: number for number, cursor in enumerate(self.cursors, start=1)}


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
    return memoryview(mapped)


def _cursor(last_id: str) -> str:
    """As the Hub and its sandbox write it."""
    return base64.b64encode(json.dumps({"_id": {"$gt": last_id}}, separators=(",", ":")).encode()).decode()


class Hub:
    """What all connections share: the pages, the clock, the count of requests."""

    def __init__(self, pages: DayPages, day: date, port: int):
        self.pages, self.port = pages, port
        self.opened = datetime.combine(day, time_of_day(12), UTC)
        self.started = time.monotonic()
        self.dated = (-1, b"")  # the last second's Date: to write one costs as much as all else of a head
        self.requests = 0
        self.known_queries: dict[bytes, bytes] = {}

    def answer(self, target: bytes, accepts_gzip: bool) -> tuple[bytes, memoryview | bytes]:
        """Head and body of the answer to a GET of `target`."""
        self.requests += 1
        path, _, query = target.partition(b"?")
        if path == b"/api/models":
            return self._page(query) if accepts_gzip else self._refusal(406, "This server has its pages as gzip only.")
        if path == b"/models-json":
            total = {"models": [], "numItemsPerPage": 30, "pageIndex": 0, "numTotalItems": self.pages.rows}
            return self._small(200, total)
        if path == b"/bench/usage":
            used = resource.getrusage(resource.RUSAGE_SELF)
            return self._small(200, {"requests": self.requests, "cpu_seconds": used.ru_utime + used.ru_stime})
        return self._refusal(404, "This server has a listing of models and nothing else.")

    def _page(self, query: bytes) -> tuple[bytes, memoryview | bytes]:
        question, has_cursor, cursor = query.partition(b"&cursor=")
        number = self.pages.number_after.get(cursor) if has_cursor else 0
        if number is None:
            return self._refusal(400, "Invalid cursor: this server knows those that it gave.")
        link = self.known_queries.get(question)
        if link is None:
            if refusal := self._refused(question.decode("latin-1")):
                return self._refusal(400, refusal)
            link = b"Link: <http://127.0.0.1:%d/api/models?%b&cursor=" % (self.port, question)
            self.known_queries[question] = link
        body = self.pages.bodies[number]
        more = (
            b'%b%b>; rel="next"\r\n' % (link, self.pages.cursors[number]) if number < len(self.pages.cursors) else b""
        )
        return self._head(b"200 OK", len(body), b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n" + more), body

    def _refused(self, question: str) -> str | None:
        """Why this can't be answered by the pages as they were written; None if it can."""
        asked = parse_qs(question)
        if asked.get("sort") != ["createdAt"] or asked.get("direction") != ["1"]:
            return "This server has its pages by sort=createdAt&direction=1 only."
        if asked.get("limit", [str(PAGE_SIZE)]) != [str(PAGE_SIZE)]:
            return f"This server has pages of limit={PAGE_SIZE} only."
        if set(asked.get("expand", [])) != set(EXPANDS):
            return f'"expand" must be one of [{", ".join(EXPANDS)}], and each of them'
        return None

    def _refusal(self, status: int, error: str) -> tuple[bytes, bytes]:
        return self._small(status, {"error": error})

    def _small(self, status: int, document: dict) -> tuple[bytes, bytes]:
        body = json.dumps(document).encode()
        return self._head(b"200 OK" if status == 200 else b"%d Refused" % status, len(body), b""), body

    def _head(self, status: bytes, length: int, more: bytes) -> bytes:
        elapsed = int(time.monotonic() - self.started)
        window, into = divmod(elapsed, WINDOW_SECONDS)
        return (
            b"HTTP/1.1 %b\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n%b"
            b'Date: %b\r\nRateLimit: "api";r=%d;t=%d\r\nRateLimit-Policy: "fixed window";"api";q=%d;w=%d\r\n'
            b"X-Request-Id: Root=1-bench-%d-%08d\r\nX-Sandbox-Data: simulated\r\n\r\n"
        ) % (
            *(
                status,
                length,
                more,
                self._date(elapsed),
                QUOTA - self.requests,
                WINDOW_SECONDS - into,
                QUOTA,
                WINDOW_SECONDS,
            ),
            *(window, self.requests),
        )

    def _date(self, elapsed: int) -> bytes:
        if self.dated[0] != elapsed:
            now = self.opened + timedelta(seconds=elapsed)
            self.dated = elapsed, format_datetime(now, usegmt=True).encode()
        return self.dated[1]


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, GET only, which is all that a walk needs."""

    def __init__(self, hub: Hub):
        self.hub, self.received = hub, b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            request, self.received = self.received[:end], self.received[end + 4 :]
            method, target, _ = (request.partition(b"\r\n")[0] + b"  ").split(b" ", 2)
            if method != b"GET":
                self.transport.abort()
                return
            head, body = self.hub.answer(target, b"gzip" in request)
            self.transport.write(head)
            self.transport.write(body)
        if len(self.received) > LARGEST_REQUEST:
            self.transport.abort()


async def serve(folder: Path, day: date) -> None:
    """Serve until SIGTERM. The first line of output is the address, as JSON."""
    pages = DayPages(folder, day)
    listener = socket.create_server(("127.0.0.1", 0))
    hub = Hub(pages, day, listener.getsockname()[1])
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: Connection(hub), sock=listener)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{hub.port}", "rows": pages.rows}) + "\n")
    sys.stdout.flush()
    await stopped.wait()
    server.close()


class PageServer:
    """The server in a process of its own, from `with` on. `day` is that of the pages and of its clock, from 12:00 UTC.

    Raises RuntimeError if it doesn't start.
    """

    def __init__(self, folder: Path, day: date):
        self._command = [sys.executable, "-m", "benchmarks.page_server", str(folder), "--day", day.isoformat()]

    def __enter__(self) -> "PageServer":
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parent.parent
        )
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise RuntimeError("found no page server; expected its address. See its error above.")
        self.url: str = json.loads(line)["url"]
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=10)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def usage(self) -> dict[str, float]:
        """Requests answered and CPU seconds (user and system) spent so far."""
        with urlopen(f"{self.url}/bench/usage", timeout=10) as answer:
            return json.load(answer)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_server", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of pages, as written by benchmarks.pages")
    parser.add_argument("--day", type=date.fromisoformat, required=True)
    asked = parser.parse_args(arguments)
    asyncio.run(serve(asked.folder, asked.day))
    return 0


if __name__ == "__main__":
    sys.exit(main())
