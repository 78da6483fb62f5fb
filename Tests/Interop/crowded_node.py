"""A node with incidents of every priority and people watching them, whose line is too narrow for all."""

import contextlib
import json
import pathlib
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from websockets.sync.client import connect

import service as services
import tokens
from api import Api
from metrics import read
from relay_page import Browsers, Call, RelayPage
from service import Service

PRIORITIES = ("P1", "P2", "P3", "P4")
#: Two encodings, which is what browsers send of so small a camera; the better one needs ten times as much.
PICTURE = {
    "width": 640, "height": 360, "frameRate": 15, "encodings": [
        {"rid": "q", "scaleResolutionDownBy": 2, "maxBitrate": 100_000},
        {"rid": "f", "scaleResolutionDownBy": 1, "maxBitrate": 1_300_000},
    ],
}
HEIGHT = 360
#: Where the system allows no real time, the measuring is preferred at least.
BEFORE_ALL_ELSE = ["chrt", "--rr", "1"] if subprocess.run(["chrt", "--rr", "1", "true"], check=False).returncode == 0 else [
    "nice", "-n", "-10"]
#: How much of a picture is shown, from nothing to all.
SHOWN = ("audioOnly", "stills", "layer", "all")


@dataclass
class View:
    """What one viewer is told that it sees."""

    shows: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.shows} ({self.reason})" if self.reason else self.shows

    @property
    def rank(self) -> int:
        return SHOWN.index(self.shows if self.reason or self.shows in SHOWN[:2] else "all")


@dataclass
class Scene:
    """One incident, its caller and its viewers."""

    incident: str
    caller: RelayPage | None = None
    viewers: list[RelayPage] = field(default_factory=list)

    def views(self) -> list[View]:
        """What the service says of each viewer's picture."""
        slots = [next(slot for slot in each.call.slots().values() if slot["kind"] == "video") for each in self.viewers]
        return [View(slot["shows"], slot.get("reason")) for slot in slots]


class CrowdedNode:
    """The service, its scenes by the priority that they began with, and what the control room hears of views."""

    def __init__(self, running: Service, data: pathlib.Path, browsers: Browsers) -> None:
        self.service = running
        self._key = tokens.load_key(data)
        self._browsers = browsers
        self._open = contextlib.ExitStack()
        self._operator = Api(running.base, running.accounts["operator"].token)
        self.scenes = {
            priority: Scene(self._operator.post("/api/v1/incidents", {"priority": priority})["id"]) for priority in PRIORITIES
        }
        self.news: list[dict] = []
        self._listen()

    def token(self, scene: Scene, direction: str) -> str:
        kind = {"publish": "device", "subscribe": "viewer"}[direction]
        return tokens.sign(self._key, incident=scene.incident, direction=[direction], kind=kind)

    def call(self, scene: Scene, direction: str) -> Call:
        endpoint = {"publish": "whip", "subscribe": "whep"}[direction]
        return Call(f"{self.service.base.rstrip('/')}/{endpoint}/{scene.incident}", self.token(scene, direction))

    def start_caller(self, priority: str) -> None:
        scene = self.scenes[priority]
        scene.caller = self._browsers.open(self.call(scene, "publish"))
        scene.caller.publish(**PICTURE)

    def add_viewer(self, priority: str) -> RelayPage:
        scene = self.scenes[priority]
        viewer = self._browsers.open(self.call(scene, "subscribe"))
        viewer.watch()
        scene.viewers.append(viewer)
        return viewer

    def classify(self, scene: Scene, priority: str) -> None:
        wish = {"kind": "incident.classified", "payload": {"priority": priority}}
        self._operator.post(f"/api/v1/incidents/{scene.incident}/events", wish)

    def views(self) -> dict[str, list[View]]:
        return {priority: scene.views() for priority, scene in self.scenes.items() if scene.viewers}

    def start_urgent_call(self, seconds: float) -> subprocess.Popen:
        """A caller with one viewer in the P1 incident, who measure every packet; `figures` has what they found."""
        scene = self.scenes["P1"]
        up, down = self.call(scene, "publish"), self.call(scene, "subscribe")
        return subprocess.Popen(
            # The measuring must not wait for the browsers, which take all that the machine has.
            [*BEFORE_ALL_ELSE, services.binary(), "load", "--whip", up.url, "--whip-token", up.token, "--whep", down.url,
             "--whep-token", down.token, "--viewers", "1", "--duration", str(seconds), "--json", "--quiet"],
            stdout=subprocess.PIPE, text=True)

    @staticmethod
    def figures(urgent: subprocess.Popen) -> dict:
        """Once the call is over."""
        out, _ = urgent.communicate(timeout=30)
        assert urgent.returncode == 0, out
        return json.loads(out)

    def sent_bits(self) -> int:
        return 8 * read(self.service)["bytes_sent"]

    def close(self) -> None:
        self._open.close()

    def _listen(self) -> None:
        token = self.service.accounts["operator"].token
        address = self.service.base.rstrip("/").replace("http", "ws", 1) + f"/ws?token={token}"
        self._socket = self._open.enter_context(connect(address, subprotocols=["sightline.v1"]))
        for number, scene in enumerate(self.scenes.values()):
            self._socket.send(json.dumps({"v": 1, "id": str(number), "kind": "subscribe", "incident": scene.incident}))

        def listen() -> None:
            for text in self._socket:
                message = json.loads(text)
                if message["kind"] == "view" and message["media"] == "video":
                    self.news.append(message | {"heard": time.time()})

        threading.Thread(target=listen, daemon=True).start()


@contextlib.contextmanager
def open_node(folder: pathlib.Path, browsers: Browsers, megabits: float) -> Iterator[CrowdedNode]:
    """A node that may send `megabits` a second."""
    options = ["--no-caller", "--no-phone", "--no-recording", "--media-address", "127.0.0.1", "--realtime"]
    running = services.start(folder, *options, "--egress-limit", str(megabits))
    try:
        node = CrowdedNode(running, folder, browsers)
        try:
            yield node
        finally:
            node.close()
    finally:
        assert running.stop() == 0
