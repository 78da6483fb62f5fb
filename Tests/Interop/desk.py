"""An operator's hand on a service, and pages in browsers of their own: what tests of the caller's page have in common."""

import json
import pathlib
import threading
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright
from websockets.sync.client import connect

import service as services
from browser import CHROMIUM
from service import Service
from waiting import wait_for

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
PLACE = {"latitude": 53.5503, "longitude": 9.9928, "accuracy": 12}
FLAGS = [
    "--no-sandbox", "--use-fake-device-for-media-stream=fps=30", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns",
]


class Desk:
    """A service with its accounts: what the operator does and sees."""

    def __init__(self, running: Service, token: str) -> None:
        self.service = running
        self.token = token
        self.base = running.base.rstrip("/")

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, method=method, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.loads(response.read() or b"{}")

    def events(self, kind: str) -> list[dict]:
        found = self.call("GET", f"/api/v1/incidents/{self.service.incident}/events?limit=1000")["events"]
        return [event for event in found if event["kind"] == kind]

    def submit(self, kind: str, **payload: object) -> int:
        path = f"/api/v1/incidents/{self.service.incident}/events"
        return self.call("POST", path, {"kind": kind, "payload": payload})["number"]

    @property
    def caller(self) -> str:
        return self.events("caller.added")[0]["payload"]["caller"]

    def stages(self) -> list[str]:
        return [event["payload"]["stage"] for event in self.events("caller.stage")]

    def command(self, command: str, argument: str | None = None) -> dict:
        """Asks the caller's page for something; its answer."""
        more = {} if argument is None else {"argument": argument}
        number = self.submit("command", caller=self.caller, command=command, **more)
        return wait_for(lambda: self.answer(number), f"an answer to {command}", 10)

    def answer(self, number: int) -> dict | None:
        found = [event["payload"] for event in self.events("command.result")]
        return next((payload for payload in found if payload["command"] == number), None)


class Ephemera:
    """Keeps what the operator's WebSocket says and nobody stores."""

    def __init__(self, desk: Desk) -> None:
        self.events: list[dict] = []
        address = desk.base.replace("http", "ws", 1) + f"/ws?token={desk.token}"
        self._socket = connect(address, subprotocols=["sightline.v1"])
        subscribe = {"v": 1, "id": "1", "kind": "subscribe", "incident": desk.service.incident}
        self._socket.send(json.dumps(subscribe))
        threading.Thread(target=self._listen, daemon=True).start()

    def of_kind(self, kind: str) -> list[dict]:
        return [event["payload"] for event in self.events if event["kind"] == kind]

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        for text in self._socket:
            message = json.loads(text)
            if message["kind"] == "ephemeral":
                self.events.append(message["event"])


class Pages:
    """Opens pages, each in a browser profile of its own, and keeps what they complain of."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.complaints: list[str] = []

    def open(self, url: str, size: dict = PHONE, permissions: tuple[str, ...] = ("geolocation", "camera", "microphone")) -> Page:
        context = self.browser.new_context(
            viewport=size, geolocation=PLACE, permissions=list(permissions), color_scheme="dark")
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        wait_for(lambda: page.evaluate("window.sightline !== undefined") or "/docs" in url, "the page's script")
        return page


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    running, facts = start_with_accounts(tmp_path)
    yield Desk(running, facts["accounts"]["operator"]["token"])
    assert running.stop() == 0


def start_with_accounts(folder: pathlib.Path) -> tuple[Service, dict]:
    """A service and the whole line that it said of itself."""
    lines: list[str] = []
    first_line = services.first_line

    def keep(process: object) -> str:
        lines.append(first_line(process))
        return lines[0]

    services.first_line = keep
    try:
        running = services.start(folder, "--no-caller", "--no-phone")
    finally:
        services.first_line = first_line
    return running, json.loads(lines[0])


@pytest.fixture
def pages(playwright: Playwright) -> Iterator[Pages]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
    yield Pages(browser)
    browser.close()


def look(page: Page, expression: str, wanted: object, what: str, seconds: float = 15) -> None:
    wait_for(lambda: page.evaluate(expression) == wanted, what, seconds)


def start_call(page: Page) -> None:
    page.click("#start-video")
    look(page, "window.sightline?.state", "connected", "the call is connected")
    look(page, "window.sightline?.metadata.carriers.length", 2, "both carriers are up")


def text(page: Page, element_id: str) -> str:
    return page.locator(f"#{element_id}").inner_text()
