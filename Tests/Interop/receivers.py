"""What the server talks to: a receiver of HTTP calls (webhooks, text-message providers) and a mail server."""

import contextlib
import email
import email.message
import email.policy
import hashlib
import hmac
import json
import queue
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

LOOPBACK = "127.0.0.1"
WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    arrived: float
    """Seconds on the monotonic clock."""

    def json(self) -> dict:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.body.decode()))

    def query(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of_json(status: int, value: object) -> "Answer":
        return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


class HTTPReceiver:
    """Records every request; answers 200, or what it was told to."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.url = f"{scheme}://{LOOPBACK}:{server.server_port}"
        self.requests: list[Request] = []
        self._arrivals: queue.Queue[Request] = queue.Queue()
        self._lock = threading.Lock()
        self._failures = 0
        self._failure = Answer(500)
        self._hangs = False
        self._ended = threading.Event()
        self.answer: Callable[[Request], Answer] = lambda request: Answer()
        """Makes the answer, once the failures are used up; for a provider's shape."""

    def fail(self, times: int, status: int = 500, headers: dict[str, str] | None = None) -> None:
        """Answers the next `times` requests with `status`."""
        with self._lock:
            self._failures, self._failure = times, Answer(status, headers=headers or {})

    def hang(self, hangs: bool = True) -> None:
        """Takes requests and does not answer them, until the end of the receiver."""
        self._hangs = hangs

    def next(self, timeout: float = WAIT_SECONDS) -> Request:
        """The next request that nobody has waited for yet."""
        try:
            return self._arrivals.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no request came within {timeout} s") from None

    def wait(self, count: int, timeout: float = WAIT_SECONDS) -> list[Request]:
        """The next `count` requests."""
        deadline = time.monotonic() + timeout
        return [self.next(max(deadline - time.monotonic(), 0.001)) for _ in range(count)]

    def take(self, request: Request) -> Answer | None:
        """Records a request; none when it is not to be answered."""
        with self._lock:
            self.requests.append(request)
            is_failing = self._failures > 0
            self._failures -= is_failing
        self._arrivals.put(request)
        if self._hangs:
            self._ended.wait()
            return None
        return self._failure if is_failing else self.answer(request)

    def end(self) -> None:
        self._ended.set()


def is_signed(request: Request, secret: str, now: float | None = None, tolerance: float = 300) -> bool:
    """Checks a webhook's signature and age as a receiver should, with nothing but the documented headers."""
    timestamp = request.headers.get("sightline-timestamp", "")
    if not timestamp.isdigit() or abs((time.time() if now is None else now) - int(timestamp)) > tolerance:
        return False
    message = timestamp.encode() + b"." + request.body
    expected = "v1=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, request.headers.get("sightline-signature", ""))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: HTTPReceiver

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.receiver.take(Request(self.command, self.path, headers, body, time.monotonic()))
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing: tests look at what was recorded."""


@contextlib.contextmanager
def http_receiver(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[HTTPReceiver]:
    """A receiver on a free port, or on the given one: what was down can come up where it was."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer((LOOPBACK, port), handler)
    server.daemon_threads = True
    server.block_on_close = False
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    handler.receiver = receiver = HTTPReceiver(server, "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.end()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Mail:
    sender: str
    recipients: list[str]
    message: email.message.EmailMessage
    user: str | None
    is_encrypted: bool

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self.message.get_content()


class MailReceiver:
    """Keeps every mail; refuses recipients that it was told to."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refusals: dict[str, str] = {}
        """Recipient to reply, such as `550 5.1.1 unknown`."""
        self.port = 0
        self._arrivals: queue.Queue[Mail] = queue.Queue()

    def next(self, timeout: float = WAIT_SECONDS) -> Mail:
        try:
            return self._arrivals.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"no mail came within {timeout} s") from None

    # What aiosmtpd calls.

    async def handle_RCPT(self, server, session, envelope, address: str, options: list[str]) -> str:
        if reply := self.refusals.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        user = session.auth_data.login.decode() if session.auth_data else None
        mail = Mail(envelope.mail_from, list(envelope.rcpt_tos), message, user, session.ssl is not None)
        self.mails.append(mail)
        self._arrivals.put(mail)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def mail_receiver(
    tls: ssl.SSLContext | None = None, user: str | None = None, password: str | None = None
) -> Iterator[MailReceiver]:
    """A mail server: plain, or with STARTTLS required; with a login when it is given one."""
    receiver = MailReceiver()
    receiver.port = free_port()

    def authenticate(server, session, envelope, mechanism: str, data: object) -> AuthResult:
        is_right = (
            isinstance(data, LoginPassword)
            and data.login == (user or "").encode()
            and data.password == (password or "").encode()
        )
        # What is not handled here, aiosmtpd answers with 535.
        return AuthResult(success=is_right, handled=False, auth_data=data if is_right else None)

    controller = Controller(
        receiver,
        hostname=LOOPBACK,
        port=receiver.port,
        tls_context=tls,
        require_starttls=tls is not None,
        authenticator=authenticate if user else None,
        auth_required=user is not None,
        auth_require_tls=tls is not None,
    )
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
