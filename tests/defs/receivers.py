"""Receivers of alerts that really listen on this machine: a webhook, a mail server. Both can refuse, and keep what they took.
Nothing is asserted here."""

import email
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer


class Webhook(HTTPServer):
    """Takes JSON messages and calls with GET, or refuses them while `status` says so."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: list[dict] = []
        self.calls: list[str] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))
        self._answer()

    def do_GET(self):
        self.server.calls.append(self.path)
        self._answer()

    def _answer(self):
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mailbox:
    """What a mail server took."""

    def __init__(self, port: int):
        self.port = port
        self.mails: list[Message] = []

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=observatory@example.org&to=team@example.org"

    @property
    def subjects(self) -> list[str]:
        return [str(email.header.make_header(email.header.decode_header(mail["Subject"]))) for mail in self.mails]

    async def handle_DATA(self, server, session, envelope) -> str:
        self.mails.append(email.message_from_bytes(envelope.content))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    from aiosmtpd.controller import Controller

    # the controller calls its own port to see that it listens, so that it must know it before
    with socket.create_server(("127.0.0.1", 0)) as free:
        box = Mailbox(port=free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
