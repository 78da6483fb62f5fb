"""The stage of the operator's scene in a test: one node with one incident, and pages of staff and callers in real browsers."""

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright

from api import Api
from browser import CHROMIUM
from node import Node
from waiting import wait_for

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
COUNT = itertools.count()
PLACE = {"latitude": 53.5503, "longitude": 9.9928, "accuracy": 12}
FLAGS = [
    "--no-sandbox", "--use-fake-device-for-media-stream=fps=20", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--auto-select-desktop-capture-source=Entire screen",
]
SCENE = "document.getElementById('scene')?.sightline"


class Stage:
    """One node with one incident; pages of staff and callers, each in a profile of its own."""

    def __init__(self, node: Node, browser: Browser) -> None:
        self.node, self._browser = node, browser
        self.incident = node.open_incident()
        # Each somewhere else, so that no two seem to be the same event.
        self.place = {**PLACE, "latitude": PLACE["latitude"] - next(COUNT) / 10}
        self.operator = Api(node.base, node.accounts["operator"]["token"])
        self.complaints: list[str] = []

    def _open(self, url: str, size: dict, script: str = "") -> Page:
        context = self._browser.new_context(
            viewport=size, geolocation=self.place, permissions=["geolocation", "camera", "microphone"], color_scheme="dark")
        page = context.new_page()
        page.add_init_script(script)
        page.on("console", lambda message: message.type in {"error", "warning"} and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        return page

    def staff(self, role: str = "operator", script: str = "") -> Page:
        token = self.node.accounts[role]["token"]
        page = self._open(f"{self.node.base}/console/{self.incident}?token={token}", DESK, script)
        wait_for(lambda: page.evaluate(f"{SCENE} !== undefined"), "the scene")
        # The queue's keys must not hold the focus in a field.
        page.evaluate("document.activeElement?.blur()")
        return page

    def caller(self, name: str = "Ada", script: str = "") -> Page:
        """A caller who has started the video; `page.caller` is who they are in the journal."""
        link = self.operator.post(f"/api/v1/incidents/{self.incident}/links", {"role": "caller", "name": name})
        page = self._open(f"{self.node.base}/call/{self.incident}?token={link['token']}", PHONE, script)
        page.click("#start-video")
        wait_for(lambda: page.evaluate("window.sightline?.state") == "connected", f"{name} is connected", 20)
        page.caller = link["link"]
        return page

    def events(self, kind: str) -> list[dict]:
        found = self.operator.get(f"/api/v1/incidents/{self.incident}/events?limit=1000")["events"]
        return [event for event in found if event["kind"] == kind]

    def payloads(self, kind: str) -> list[dict]:
        return [event["payload"] for event in self.events(kind)]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("scene")) as running:
        yield running


@pytest.fixture
def stage(node: Node, playwright: Playwright) -> Iterator[Stage]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
    scene = Stage(node, browser)
    yield scene
    browser.close()
    scene.operator.close()


def see(page: Page, facts: str, wanted: object = True, what: str = "", seconds: float = 20) -> None:
    """Waits until the scene says so of itself."""
    wait_for(lambda: page.evaluate(f"{SCENE}.{facts}") == wanted, what or facts, seconds)


def live(page: Page) -> None:
    see(page, "state.kind", "live", "the picture is live")
