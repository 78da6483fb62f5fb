"""A video room of Janus with one publisher and one subscriber, over its HTTP API, for pages of relay_page.js."""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator

HERE = pathlib.Path(__file__).resolve().parent
#: As janus_config.sh writes it.
SERVER = "http://127.0.0.1:18088/janus"
ROOM = 1234
START_SECONDS = 10
#: Events of others that may come before the awaited one.
MOST_FOREIGN_EVENTS = 20

Rewrite = Callable[[str], str]


def ask(address: str, **body: object) -> dict:
    """One request; what it is answered with at once."""
    body = {"transaction": uuid.uuid4().hex, **body}
    request = urllib.request.Request(
        address, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=10) as response:
        reply = json.load(response)
    if "error" in reply:
        raise RuntimeError(f"Janus: {reply['error']}")
    return reply


class JanusHandle:
    """One handle of the video room plugin, in a session of its own."""

    def __init__(self) -> None:
        self._session = f"{SERVER}/{ask(SERVER, janus='create')['data']['id']}"
        handle = ask(self._session, janus="attach", plugin="janus.plugin.videoroom")["data"]["id"]
        self._handle = f"{self._session}/{handle}"

    def now(self, **body: object) -> dict:
        """A request that is answered at once."""
        return ask(self._handle, janus="message", body=body)["plugindata"]["data"]

    def later(self, jsep: dict | None = None, **body: object) -> dict:
        """A request whose answer comes as an event."""
        transaction = uuid.uuid4().hex
        more = {"jsep": jsep} if jsep else {}
        ask(self._handle, janus="message", body=body, transaction=transaction, **more)
        for _ in range(MOST_FOREIGN_EVENTS):
            with urllib.request.urlopen(f"{self._session}?maxev=1", timeout=40) as response:
                event = json.load(response)
            if event.get("transaction") == transaction and event["janus"] == "event":
                if "error" in event["plugindata"]["data"]:
                    raise RuntimeError(f"Janus: {event['plugindata']['data']['error']}")
                return event
        raise RuntimeError(f"Janus did not answer {body}")

    def end_candidates(self) -> None:
        ask(self._handle, janus="trickle", candidate={"completed": True})


class Publisher:
    """Takes a page's offer into the room. `rewrite` changes the answer's candidates."""

    def __init__(self, rewrite: Rewrite) -> None:
        self._rewrite = rewrite
        self._handle = JanusHandle()
        self._handle.now(request="create", room=ROOM, publishers=1, videocodec="vp8", audiocodec="opus", bitrate=0)
        self.feed = self._handle.later(request="join", ptype="publisher", room=ROOM)["plugindata"]["data"]["id"]

    def post(self, offer: str) -> str:
        jsep = {"type": "offer", "sdp": only_peer_reflexive(offer)}
        event = self._handle.later(jsep, request="configure", audio=True, video=True)
        self._handle.end_candidates()
        return self._rewrite(event["jsep"]["sdp"])


class Subscriber:
    """Brings a page the room's offer, and takes the answer."""

    def __init__(self, feed: int, rewrite: Rewrite) -> None:
        self._feed, self._rewrite = feed, rewrite
        self._handle = JanusHandle()

    def post(self, answer: str) -> str:
        if not answer:
            event = self._handle.later(
                request="join", ptype="subscriber", room=ROOM, streams=[{"feed": self._feed}])
            return self._rewrite(event["jsep"]["sdp"])
        self._handle.later({"type": "answer", "sdp": only_peer_reflexive(answer)}, request="start")
        self._handle.end_candidates()
        return ""


def only_peer_reflexive(description: str) -> str:
    """A description that lets Janus find the page only by the way that the page takes.

    One candidate has to be there, or libnice does not begin: it leads to the port that swallows everything (RFC 863).
    """
    without = re.sub(r"a=(candidate:|end-of-candidates).*\r\n", "", description)
    nowhere = "a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"
    return re.sub(r"(a=ice-ufrag:.*\r\n)", rf"{nowhere}\1", without, count=1)


@contextlib.contextmanager
def janus(folder: pathlib.Path, address: str) -> Iterator[None]:
    """Janus with its media on `address`; libnice gathers no loopback."""
    subprocess.run([HERE / "janus_config.sh", str(folder), address], check=True, timeout=20)
    with (folder / "janus.log").open("wb") as log:
        server = subprocess.Popen(
            ["janus", f"--configs-folder={folder}", "--disable-colors"], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(server)
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_ready(server: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{SERVER}/info", timeout=1):
            return
        time.sleep(0.1)
    sys.exit(f"Janus was not ready within {START_SECONDS} s")
