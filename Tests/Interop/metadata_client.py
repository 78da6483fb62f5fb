"""A client of the metadata channel: what it knows (`MetadataCore`), and how messages come and go (`MetadataClient`).

It is strict: numbers that repeat or go back on one carrier, an event that differs from what was said of it before, or a
broken hash chain make the test fail. Numbers may skip what the client's role may not see; who sees all (staff) may ask for
no gap at all.
"""

import asyncio
import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

SUBPROTOCOL = "sightline.v1"
#: The data channel that carries the same messages.
LABEL = "sightline.metadata"
#: Refusals that pass by themselves: the same message is sent again after a while.
PASSING = {"tooFast", "full", "unavailable"}
ANSWER_SECONDS = 10
RECONNECT_SECONDS = 0.05

Message = dict[str, Any]


class Refused(Exception):
    """The server's answer `error`."""

    def __init__(self, answer: Message) -> None:
        super().__init__(f"{answer['code']}: {answer.get('text')}")
        self.code: str = answer["code"]
        self.text: str = answer.get("text", "")
        self.retry_after: float | None = answer.get("retryAfter")


@dataclass
class Followed:
    """One incident that the client follows."""

    #: Number of the last event that was taken; None before there was one.
    last: int | None = None
    events: list[Message] = field(default_factory=list)
    ephemerals: list[Message] = field(default_factory=list)
    snapshot: Message | None = None
    #: Why the server ended it, if it did.
    ended: Message | None = None


class MetadataCore:
    """What a client knows, whatever carries its messages; no I/O, no clock.

    Texts come in by `take`, and go out as what `compose`, `subscribe` and `opening` return. Several carriers may be up at
    a time: what comes over more than one counts once.
    """

    def __init__(self, name: str = "client", *, sees_all: bool = False) -> None:
        self.name, self.sees_all = name, sees_all
        self.followed: dict[str, Followed] = {}
        #: Messages that have no answer yet, by id, in the order in which they were sent first.
        self.unanswered: dict[str, Message] = {}
        #: `accepted` or `error`, by the id that it answers.
        self.answers: dict[str, Message] = {}
        #: Everything that is neither an event nor an answer: `welcome`, `overview`, `source`, `listed` …
        self.others: list[Message] = []
        #: Messages by carrier, and events that came over more than one.
        self.received: Counter[str] = Counter()
        self.repeats = 0
        self._ids = itertools.count(1)
        #: Number of the last event by carrier and incident, since the carrier's last `subscribed`.
        self._cursors: dict[tuple[str, str], int] = {}

    # What to send

    def compose(self, incident: str, kind: str, payload: Message, message_id: str | None = None) -> tuple[str, str]:
        """A message that has to be answered, as (id, text)."""
        message_id = message_id or f"{self.name}-{next(self._ids)}"
        self.answers.pop(message_id, None)
        message = {"v": 1, "id": message_id, "kind": kind, "incident": incident, "payload": payload}
        self.unanswered[message_id] = message
        return message_id, json.dumps(message)

    def subscribe(self, incident: str) -> str:
        """The message that begins, or goes on, to follow an incident."""
        followed = self.followed.setdefault(incident, Followed())
        followed.ended = None
        message: Message = {"v": 1, "id": f"{self.name}-follow-{next(self._ids)}", "kind": "subscribe", "incident": incident}
        if followed.last is not None:
            message["after"] = followed.last
        return json.dumps(message)

    def opening(self) -> list[str]:
        """What to send first on a carrier that has just come up: what is followed, then all that has no answer yet."""
        open_incidents = [name for name, followed in self.followed.items() if followed.ended is None]
        return [self.subscribe(name) for name in open_incidents] + [json.dumps(each) for each in self.unanswered.values()]

    # What comes in

    def take(self, text: str, carrier: str = "socket") -> Message:
        """Takes in one message; the message."""
        message = json.loads(text)
        assert message["v"] == 1, message
        self.received[carrier] += 1
        kind = message["kind"]
        if kind == "event":
            self._take_event(message["event"], carrier)
        elif kind == "ephemeral":
            self._follow(message["event"]["incident"]).ephemerals.append(message["event"])
        elif kind == "subscribed":
            self._take_start(message, carrier)
        elif kind in ("accepted", "error") and message.get("inReplyTo"):
            self._take_answer(message)
        else:
            if kind == "unsubscribed" and message.get("code"):
                self._follow(message["incident"]).ended = message
            self.others.append(message)
        return message

    def forget(self, carrier: str) -> None:
        """A carrier is gone; it may come up again under the same name."""
        for key in [key for key in self._cursors if key[0] == carrier]:
            del self._cursors[key]

    def _follow(self, incident: str) -> Followed:
        return self.followed.setdefault(incident, Followed())

    def _take_start(self, message: Message, carrier: str) -> None:
        followed = self._follow(message["incident"])
        followed.snapshot = message["snapshot"]
        self._cursors[carrier, message["incident"]] = message["after"]
        assert followed.last is None or message["after"] <= followed.last, f"{self.name}: a gap at the start: {message}"
        if followed.last is None:
            followed.last = message["after"]

    def _take_event(self, event: Message, carrier: str) -> None:
        incident, number = event["incident"], event["number"]
        cursor = self._cursors.get((carrier, incident))
        assert cursor is not None, f"{self.name}: an event of {incident} over {carrier} before it was subscribed"
        assert number > cursor, f"{self.name}: {incident} over {carrier}: event {number} came after {cursor}"
        if self.sees_all:
            assert number == cursor + 1, f"{self.name}: {incident} over {carrier}: event {number} follows {cursor}"
        self._cursors[carrier, incident] = number
        followed = self._follow(incident)
        if number <= (followed.last or 0):
            self.repeats += 1
            self._compare(followed, event)
            return
        if followed.events and followed.events[-1]["number"] == number - 1:
            assert event["previousHash"] == followed.events[-1]["hash"], f"{self.name}: the chain breaks at {number}"
        followed.last = number
        followed.events.append(event)

    def _compare(self, followed: Followed, event: Message) -> None:
        """What comes again has to be what came before."""
        first = followed.events[0]["number"] if followed.events else None
        if first is None or event["number"] < first:
            return
        known = next((each for each in reversed(followed.events) if each["number"] == event["number"]), None)
        assert known == event, f"{self.name}: event {event['number']} was {known} and is now {event}"

    def _take_answer(self, message: Message) -> None:
        answered = message["inReplyTo"]
        passing = message["kind"] == "error" and message["code"] in PASSING
        if not passing:
            self.unanswered.pop(answered, None)
        # The answer that counts is the first one; a repetition of an accepted message says the same number.
        earlier = self.answers.get(answered)
        if earlier and earlier["kind"] == "accepted" and message["kind"] == "accepted":
            assert earlier.get("number") == message.get("number"), f"{self.name}: {earlier} and then {message}"
            return
        self.answers[answered] = message

    # What is known

    def events(self, incident: str, kind: str | None = None) -> list[Message]:
        return [event for event in self._follow(incident).events if kind is None or event["kind"] == kind]

    def of_kind(self, kind: str) -> list[Message]:
        return [message for message in self.others if message["kind"] == kind]


class MetadataClient:
    """A core with carriers: a WebSocket that comes back by itself, and any others that are attached to it.

    Everything runs on one event loop; `attach`, `detach` and `feed` may be called on it by whoever runs another carrier:

        channel.on("open", lambda: client.attach("channel", channel.send))
        channel.on("message", lambda text: client.feed("channel", text))
        channel.on("close", lambda: client.detach("channel"))
    """

    def __init__(
        self, base: str, token: str, incident: str | None = None, *, name: str = "client", key: str | None = None,
        sees_all: bool = False,
    ) -> None:
        self.base, self.token, self.key, self.incident = base, token, key, incident
        self.core = MetadataCore(name, sees_all=sees_all)
        #: When and why the WebSocket was closed last: `time.monotonic()`, code, reason.
        self.closed: tuple[float, int | None, str] | None = None
        self.connections = 0
        self.failure: BaseException | None = None
        self._asked = itertools.count(1)
        self._carriers: dict[str, Callable[[str], object]] = {}
        self._changed = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task | None = None

    # Carriers

    async def connect(self, *, reconnect: bool = True) -> Message:
        """Opens the WebSocket and keeps it up until `close`; the welcome. Raises `Refused` when the server says so."""
        assert self._task is None, "connected already"
        self._task = asyncio.create_task(self._keep_up(reconnect))
        await self.until(lambda: self.core.of_kind("welcome") or self._is_shut_out, "the welcome")
        if self._is_shut_out:
            await self.close()
            raise Refused(self.core.of_kind("error")[-1])
        return self.core.of_kind("welcome")[0]

    @property
    def _is_shut_out(self) -> bool:
        """Whether the server has said that it is of no use to come back."""
        return self.closed is not None and (self.closed[1] or 0) >= 4000

    def drop(self) -> None:
        """Cuts the WebSocket's connection off as a network would; it comes back by itself."""
        if self._socket:
            self._socket.transport.abort()

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._task = None

    async def __aenter__(self) -> "MetadataClient":
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def attach(self, carrier: str, send: Callable[[str], object]) -> None:
        """A carrier has come up: what is followed and what has no answer goes out on it at once."""
        self._carriers[carrier] = send
        for text in self.core.opening():
            send(text)

    def detach(self, carrier: str) -> None:
        self._carriers.pop(carrier, None)
        self.core.forget(carrier)

    def feed(self, carrier: str, text: str) -> None:
        """A message has come over a carrier."""
        try:
            self.core.take(text, carrier)
        except BaseException as failure:
            self.failure = self.failure or failure
            raise
        finally:
            self._changed.set()

    @property
    def address(self) -> str:
        query = {"token": self.token} | ({"key": self.key} if self.key else {})
        scheme, rest = self.base.split("://", 1)
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws?{urlencode(query)}"

    async def _keep_up(self, reconnect: bool) -> None:
        while True:
            with contextlib.suppress(OSError, InvalidHandshake, ConnectionClosed):
                async with connect(
                    self.address, subprotocols=[SUBPROTOCOL], proxy=None, max_size=None, close_timeout=1
                ) as socket:
                    await self._serve(socket)
            if not reconnect or self._is_shut_out:
                return
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _serve(self, socket: ClientConnection) -> None:
        self._socket, self.connections = socket, self.connections + 1
        outbox: asyncio.Queue[str] = asyncio.Queue()
        writer = asyncio.create_task(self._write(socket, outbox))
        self.attach("socket", outbox.put_nowait)
        try:
            async for text in socket:
                self.feed("socket", text)
        finally:
            self.detach("socket")
            self._socket = None
            self.closed = (time.monotonic(), socket.close_code, socket.close_reason or "")
            self._changed.set()
            writer.cancel()

    async def _write(self, socket: ClientConnection, outbox: asyncio.Queue) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send(await outbox.get())

    # Talking

    async def follow(self, incident: str | None = None) -> Message:
        """Follows an incident from the beginning, or from where it was left; the snapshot."""
        incident = incident or self.incident
        text = self.core.subscribe(incident)
        message_id = json.loads(text)["id"]
        self.core.followed[incident].snapshot = None
        self._send_on_all(text)

        def answer() -> Message | None:
            if message_id in self.core.answers:
                raise Refused(self.core.answers[message_id])
            return self.core.followed[incident].snapshot

        return await self.until(answer, f"{incident} is followed")

    async def send(
        self, kind: str, payload: Message, *, incident: str | None = None, message_id: str | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> int | None:
        """Has something happen, over every carrier that is up, and again on each that comes up, until there is an answer.

        The event's number, None for what is not stored. Raises `Refused`.
        """
        incident = incident or self.incident
        message_id, text = self.core.compose(incident, kind, payload, message_id)
        deadline = time.monotonic() + seconds
        while True:
            self._send_on_all(text)
            answer = await self.until(
                lambda: self.core.answers.get(message_id), f"an answer to {kind}", deadline - time.monotonic())
            if answer["kind"] == "accepted":
                return answer.get("number")
            if answer["code"] not in PASSING:
                raise Refused(answer)
            self.core.answers.pop(message_id, None)
            await asyncio.sleep(answer.get("retryAfter") or 0.1)

    async def ask(self, kind: str, **parts: Any) -> Message:
        """Asks something that is no event, signalling for example, on the WebSocket; the answer. Raises `Refused`."""
        message_id = f"{self.core.name}-ask-{next(self._asked)}"
        self._carriers["socket"](json.dumps({"v": 1, "id": message_id, "kind": kind} | parts))

        def answer() -> Message | None:
            if message_id in self.core.answers:
                raise Refused(self.core.answers[message_id])
            return next((each for each in self.core.others if each.get("inReplyTo") == message_id), None)

        return await self.until(answer, f"an answer to {kind}")

    async def refusal(self, kind: str, payload: Message, **options: Any) -> str:
        """Sends what has to be refused; the code."""
        try:
            number = await self.send(kind, payload, **options)
        except Refused as refused:
            return refused.code
        raise AssertionError(f"{self.core.name} may send {kind} (event {number})")

    async def expect(
        self, kind: str, predicate: Callable[[Message], bool] = lambda _: True, *, incident: str | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Message:
        """The first event of a kind whose payload is as wanted, past or to come; ephemeral ones too."""
        followed = self.core.followed[incident or self.incident]

        def find() -> Message | None:
            events = itertools.chain(followed.events, followed.ephemerals)
            return next((each for each in events if each["kind"] == kind and predicate(each["payload"])), None)

        return await self.until(find, f"{kind} as wanted", seconds)

    async def ended(self, seconds: float = ANSWER_SECONDS) -> tuple[float, int | None, str]:
        """When and why the server ended the WebSocket."""
        return await self.until(lambda: self.closed, "the end of the WebSocket", seconds)

    async def until(self, look: Callable[[], Any], what: str, seconds: float = ANSWER_SECONDS) -> Any:
        """Looks whenever a message has come; what was found."""
        deadline = time.monotonic() + seconds
        while True:
            if self.failure:
                raise self.failure
            self._changed.clear()
            found = look()
            if found:
                return found
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise AssertionError(f"{self.core.name}: {what}: not within {seconds:g} s; last: {self._latest()}")
            with contextlib.suppress(TimeoutError):
                # The event is shared by all who wait: whoever clears it has looked, the others look now and then.
                await asyncio.wait_for(self._changed.wait(), min(remaining, 0.05))

    def _latest(self) -> str:
        errors = [message for message in self.core.others if message["kind"] == "error"]
        events = [event["kind"] for followed in self.core.followed.values() for event in followed.events[-5:]]
        return f"{errors[-1:]} {events}"

    def _send_on_all(self, text: str) -> None:
        for send in list(self._carriers.values()):
            send(text)
