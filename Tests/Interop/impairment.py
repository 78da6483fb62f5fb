"""A bad network in user space: a UDP relay on loopback with delay, jitter and loss, which can also be cut.

Every client address gets a socket of its own towards the server, so that the server sees one path per client path.
What happens to a packet depends on the seed and on how many went before it in its direction, not on the clock.
"""

import heapq
import itertools
import random
import selectors
import socket
import threading
import time
from dataclasses import dataclass

Address = tuple[str, int]

LOOPBACK = "127.0.0.1"
MAXIMUM_DATAGRAM = 2048
#: Datagrams on their way; more are dropped, as a router's queue would.
MAXIMUM_QUEUED = 10_000
#: Client addresses of one link; a browser uses one for each of its own addresses and ICE restarts.
MAXIMUM_CLIENTS = 64


@dataclass(frozen=True)
class Impairment:
    """Seconds of delay, give or take `jitter`; `loss` is a share of 1. Each holds for both directions.

    `keeps_order` is how queues behave: jitter delays what comes after, too. Without it every packet draws its own delay
    and may overtake others, as with `netem`.
    """

    delay: float = 0
    jitter: float = 0
    loss: float = 0
    keeps_order: bool = True


@dataclass
class Direction:
    """One direction of a link, and what became of its datagrams."""

    random: random.Random
    forwarded: int = 0
    lost: int = 0
    cut: int = 0
    latest: float = 0

    def departure(self, impairment: Impairment, now: float) -> float | None:
        """When a datagram that came now goes on; None if it is lost."""
        # Both numbers are drawn for every datagram: what happens to one must not shift what happens to the next.
        chance, offset = self.random.random(), self.random.uniform(-1, 1)
        if chance < impairment.loss:
            self.lost += 1
            return None
        at = now + max(0, impairment.delay + offset * impairment.jitter)
        if impairment.keeps_order:
            at = max(at, self.latest)
        self.latest = max(at, self.latest)
        self.forwarded += 1
        return at


class ImpairedLink:
    """A relay between clients and one server port. Use as a context manager; it runs on a thread of its own."""

    def __init__(self, impairment: Impairment = Impairment(), *, seed: int = 1, address: str = LOOPBACK) -> None:
        """`address`: of this machine, as the server sees its clients."""
        self.impairment = impairment
        self.address = address
        #: Where to forward to; known once the first answer has been seen.
        self.server: Address | None = None
        self.up = Direction(random.Random(seed))
        self.down = Direction(random.Random(seed + 1))
        self._is_cut = False
        self._selector = selectors.DefaultSelector()
        self._listener = self._open()
        self._towards_server: dict[Address, socket.socket] = {}
        self._queue: list[tuple[float, int, socket.socket, bytes, Address]] = []
        self._order = itertools.count()
        self._is_running = True
        self._thread = threading.Thread(target=self._run, name="impaired-link", daemon=True)

    @property
    def port(self) -> int:
        """The port that clients send to."""
        return self._listener.getsockname()[1]

    def cut(self) -> None:
        """Drops everything from now on, also what is on its way."""
        self._is_cut = True

    def restore(self) -> None:
        self._is_cut = False

    def __enter__(self) -> "ImpairedLink":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_running = False
        self._thread.join(2)
        for each in [self._listener, *self._towards_server.values()]:
            each.close()
        self._selector.close()

    def _open(self, client: Address | None = None) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        opened.bind((self.address, 0))
        opened.setblocking(False)
        self._selector.register(opened, selectors.EVENT_READ, client)
        return opened

    def _run(self) -> None:
        while self._is_running:
            wait = self._queue[0][0] - time.monotonic() if self._queue else 0.1
            for key, _ in self._selector.select(min(0.1, max(0, wait))):
                self._drain(key.fileobj, key.data)
            self._send_due()

    def _drain(self, source: socket.socket, client: Address | None) -> None:
        while True:
            try:
                datagram, sender = source.recvfrom(MAXIMUM_DATAGRAM)
            except (BlockingIOError, ConnectionError):
                return
            if client is None:
                self._take(datagram, self.up, self._socket_for(sender), self.server)
            else:
                self._take(datagram, self.down, self._listener, client)

    def _socket_for(self, client: Address) -> socket.socket | None:
        if client not in self._towards_server and len(self._towards_server) < MAXIMUM_CLIENTS:
            self._towards_server[client] = self._open(client)
        return self._towards_server.get(client)

    def _take(self, datagram: bytes, direction: Direction, out: socket.socket | None, to: Address | None) -> None:
        if self._is_cut:
            direction.cut += 1
            return
        at = direction.departure(self.impairment, time.monotonic())
        if at is not None and out and to and len(self._queue) < MAXIMUM_QUEUED:
            heapq.heappush(self._queue, (at, next(self._order), out, datagram, to))

    def _send_due(self) -> None:
        while self._queue and self._queue[0][0] <= time.monotonic():
            _, _, out, datagram, to = heapq.heappop(self._queue)
            if self._is_cut:
                continue
            try:
                out.sendto(datagram, to)
            except (BlockingIOError, ConnectionError):
                pass  # A full buffer or a closed port loses a datagram, as a network does.
