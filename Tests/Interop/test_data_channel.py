"""Data channels from aiortc and from browsers: what they say reaches the incident's WebSocket."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from websockets.sync.client import connect

from aiortc_peer import AiortcPeer
from browser import start_call
from service import Service
from waiting import wait_for


class Listener:
    """Keeps what a WebSocket says; given an incident, it follows it."""

    def __init__(self, address: str, incident: str | None = None) -> None:
        self.messages: list[dict] = []
        self._socket = connect(address, subprotocols=["sightline.v1"])
        threading.Thread(target=self._listen, daemon=True).start()
        if incident:
            self._socket.send(json.dumps({"v": 1, "kind": "subscribe", "incident": incident}))
        wait_for(lambda: self.of_kind("overview"), "the WebSocket's overview", 5)

    def of_kind(self, kind: str) -> list[dict]:
        return [message for message in self.messages if message["kind"] == kind]

    def texts(self, channel: str) -> list[str]:
        return [message["text"] for message in self.of_kind("message") if message["channel"] == channel]

    def device(self, name: str) -> object:
        """What a caller's page said last of its device."""
        events = [message["event"] for message in self.of_kind("ephemeral")]
        states = [event["payload"] for event in events if event["kind"] == "caller.device"]
        return next((state[name] for state in reversed(states) if name in state), None)

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        for text in self._socket:
            self.messages.append(json.loads(text))


@pytest.fixture
def listener(service: Service) -> Iterator[Listener]:
    listening = Listener(service.websocket)
    yield listening
    listening.close()


CHANNELS = {
    "reliable": {},
    "reliable-unordered": {"ordered": False},
    "limited-retransmits": {"ordered": True, "maxRetransmits": 2},
    "limited-lifetime": {"ordered": False, "maxPacketLifeTime": 500},
}


@pytest.mark.parametrize("label", list(CHANNELS))
def test_aiortc_messages_reach_the_incident(service: Service, listener: Listener, label: str) -> None:
    texts = [f"{number}: {'é' * (number * 7 % 300)}" for number in range(50)]
    with AiortcPeer(service.whip, service.whip_token) as caller:
        channel = caller.open_channel(label, **CHANNELS[label])
        caller.publish()
        caller.connect()
        caller.send(channel, *texts)
        wait_for(lambda: len(listener.texts(label)) == len(texts), f"all messages on {label}", 10)
    received = listener.texts(label)
    assert (received if CHANNELS[label].get("ordered", True) else sorted(received, key=texts.index)) == texts


def test_large_message_arrives_whole(service: Service, listener: Listener) -> None:
    text = json.dumps({"v": 1, "kind": "note", "text": "x" * 12_000})
    with AiortcPeer(service.whip, service.whip_token) as caller:
        channel = caller.open_channel("notes")
        caller.publish()
        caller.connect()
        caller.send(channel, text)
        wait_for(lambda: listener.texts("notes") == [text], "the large message", 10)


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_caller_page_reports_camera_and_microphone(
    service: Service, request: pytest.FixtureRequest, browser: str
) -> None:
    """What the page says of the device over its data channel reaches staff, who follow the incident over a WebSocket."""
    operator = Listener(service.websocket_as(service.accounts["operator"].token), service.incident)
    open_page: Callable = request.getfixturevalue(browser)
    caller = open_page(service.caller, size=(390, 844))
    start_call(caller)
    wait_for(lambda: operator.device("muted") is False, "the microphone is reported on")
    assert operator.device("camera") in {"front", "back"}
    caller.click("microphone")
    wait_for(lambda: operator.device("muted") is True, "the microphone is reported off")
    operator.close()
