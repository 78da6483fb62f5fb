"""A scene for bad input: a node with an incident, a bystander who must not notice, and WebSockets that say anything."""

import contextlib
import itertools
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bystander import Bystander
from node import Key, Node
from waiting import wait_for

ANSWER_SECONDS = 5
#: The bystander's round trips that may take longer than `MOST_SECONDS`.
SHARE, MOST_SECONDS = 0.99, 0.25
ids = (f"bad-{number}" for number in itertools.count(1))


@dataclass
class Scene:
    """A node with an incident and a caller, and a bystander in it."""

    node: Node
    incident: str
    #: An incident that the bearers of links into the other one have no business with.
    foreign: str
    caller: Key
    bystander: Bystander

    def counted(self) -> dict[str, int]:
        """What the node has refused so far, by the name of the counter with its labels."""
        with urllib.request.urlopen(f"{self.node.base}/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
        rows = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: int(value) for name, value in rows if re.search("refused|rejected|closed|4xx", name)}

    @contextlib.contextmanager
    def counts(self, name: str) -> Iterator[None]:
        """Something whose name has `name` in it has to be counted."""
        before = self.counted()
        yield
        risen = lambda: [each for each, value in self.counted().items() if value > before.get(each, 0) and name in each]  # noqa: E731
        wait_for(risen, f"{name} is counted", 3)

    def envelope(self, **members: object) -> dict:
        message = {"v": 1, "id": next(ids), "kind": "chat", "incident": self.incident, "payload": {"text": "Hello"}}
        return message | members

    def fix(self, **members: object) -> dict:
        place = {"caller": self.caller.actor, "source": "manual", "lat": 48.1, "lon": 11.5}
        return self.envelope(kind="location", payload=place | members)


class Line:
    """A WebSocket on which anything may be said."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome = json.loads(socket.recv(ANSWER_SECONDS))
        #: Events that came while something else was waited for.
        self.passed: dict[int, dict] = {}

    def say(self, message: dict | str | bytes) -> None:
        self.socket.send(json.dumps(message) if isinstance(message, dict) else message, text=True)

    def hear(self, *kinds: str) -> dict:
        """The next message of one of these kinds."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            message = json.loads(self.socket.recv(max(0, deadline - time.monotonic())))
            if message["kind"] in kinds:
                return message
            if message["kind"] == "event":
                self.passed[message["event"]["number"]] = message["event"]

    def event(self, number: int) -> dict:
        """The event of that number, which may have come before the answer that names it."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while number not in self.passed:
            assert time.monotonic() < deadline, f"event {number} does not come"
            event = self.hear("event")["event"]
            self.passed[event["number"]] = event
        return self.passed[number]

    def answer(self, message: dict | str | bytes) -> dict:
        self.say(message)
        return self.hear("accepted", "error", "subscribed")

    def ending(self) -> tuple[int, str]:
        """The code and reason with which the server closes."""
        with pytest.raises(ConnectionClosed) as closing:
            while True:
                self.socket.recv(ANSWER_SECONDS)
        return closing.value.rcvd.code, closing.value.rcvd.reason


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Node(tmp_path_factory.mktemp("bad-metadata")) as node:
        incident, foreign = node.open_incident(), node.open_incident()
        caller = node.make_link(incident, "caller", "caller")
        with Bystander(node.base, node.key("supervisor").token, incident) as bystander:
            yield Scene(node, incident, foreign, caller, bystander)


@pytest.fixture
def scene(running: Scene) -> Iterator[Scene]:
    """The scene, which must be as well after the test as before."""
    yield running
    assert running.node.process.poll() is None, "the node runs"
    bystander = running.bystander
    count = len(bystander.round_trips)
    wait_for(lambda: bystander.failure or len(bystander.round_trips) >= count + 3, "the bystander goes on", 10, 0.02)
    assert bystander.failure is None
    assert bystander.connections == 1, "the bystander is not sent away"


@pytest.fixture
def dial(scene: Scene) -> Iterator[Callable[[Key], Line]]:
    with contextlib.ExitStack() as stack:
        def open_line(key: Key) -> Line:
            address = scene.node.base.replace("http", "ws", 1) + "/ws" + (f"?key={key.page}" if key.page else "")
            socket = connect(
                address, subprotocols=["sightline.v1"], additional_headers={"Authorization": f"Bearer {key.token}"},
                compression=None, max_size=None)
            return Line(stack.enter_context(socket))

        yield open_line


@pytest.fixture
def line(scene: Scene, dial: Callable[[Key], Line]) -> Line:
    """An operator's WebSocket."""
    return dial(scene.node.key("operator"))
