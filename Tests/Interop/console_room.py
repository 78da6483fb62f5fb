"""The control room in a test: its service over HTTP, its people's pages, and how to look at them."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

from api import Api
from browser import CHROMIUM
from service import Service
from waiting import wait_for

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}
PLACE = {"latitude": 53.5503, "longitude": 9.9928, "accuracy": 12}
NUMBER = "+4915123456789"
FLAGS = [
    "--no-sandbox", "--use-fake-device-for-media-stream=fps=30", "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


class Room:
    """The service as its staff use it over HTTP, and their pages."""

    def __init__(self, running: Service, browser: Browser) -> None:
        self.service = running
        self.base = running.base.rstrip("/")
        self.complaints: list[str] = []
        self._browser = browser
        self._apis: dict[str, Api] = {}

    def api(self, role: str = "operator") -> Api:
        return self._apis.setdefault(role, Api(self.base, self.service.accounts[role].token))

    # What is in the journal

    def open_incident(self, priority: str = "P2", **more: object) -> str:
        return self.api().post("/api/v1/incidents", {"priority": priority, **more})["id"]

    def link(self, incident: str, **more: object) -> dict:
        wish = {"role": "caller", "name": "Caller 6789", "phone": NUMBER, "send": "shown", **more}
        return self.api().post(f"/api/v1/incidents/{incident}/links", wish)

    def submit(self, incident: str, kind: str, *, by: str = "operator", **payload: object) -> None:
        self.api(by).post(f"/api/v1/incidents/{incident}/events", {"kind": kind, "payload": payload})

    def report(self, link: dict, stage: str, **more: object) -> None:
        """How far the page of a caller's link says that it has come."""
        self.tell(link, "caller.stage", stage=stage, **more)

    def tell(self, link: dict, kind: str, **payload: object) -> None:
        """What the page of a caller's link says of itself."""
        with Api(self.base, link["token"], **{"Sightline-Key": "0123456789abcdef"}) as caller:
            incident = link["url"].split("/call/")[1].split("?")[0]
            wish = {"kind": kind, "payload": {"caller": link["link"], **payload}}
            caller.post(f"/api/v1/incidents/{incident}/events", wish)

    def events(self, incident: str, kind: str) -> list[dict]:
        events = self.api().get(f"/api/v1/incidents/{incident}/events?limit=1000")["events"]
        return [event for event in events if event["kind"] == kind]

    def payloads(self, incident: str, kind: str) -> list[dict]:
        return [event["payload"] for event in self.events(incident, kind)]

    def state(self, incident: str) -> dict:
        return self.api().get(f"/api/v1/incidents/{incident}")

    def until(self, incident: str, kind: str, expected: dict) -> None:
        """Waits until the journal has an event with these members."""
        wait_for(
            lambda: any(expected.items() <= payload.items() for payload in self.payloads(incident, kind)),
            f"{kind} with {expected}")

    # Pages

    def page(self, url: str, size: dict = DESK) -> Page:
        context = self._browser.new_context(
            viewport=size, geolocation=PLACE, permissions=["geolocation", "camera", "microphone"], color_scheme="dark",
            locale="de-DE")
        page = context.new_page()
        page.on("console", self._on_message)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        wait_for(lambda: page.evaluate("window.sightline !== undefined || Boolean(document.body.dataset.refused)"), "the page's script")
        return page

    def _on_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} {message.location['url']}")

    def console(self, path: str = "/console", role: str = "operator", size: dict = DESK) -> Page:
        page = self.page(f"{self.base}{path}?token={self.service.accounts[role].token}", size)
        if path != "/console":
            loaded(page)
        else:
            wait_for(lambda: page.evaluate("window.sightline?.isConnected"), "the queue")
        return page


@pytest.fixture(scope="module")
def chromium_browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def room(service: Service, chromium_browser: Browser) -> Iterator[Room]:
    """A service whose own first incident is over, and whose queue is empty therefore."""
    room = Room(service, chromium_browser)
    room.submit(service.incident, "incident.state", state="cancelled")
    yield room
    for context in chromium_browser.contexts:
        context.close()
    assert [each for each in room.complaints if not is_expected(each)] == []


def is_expected(complaint: str) -> bool:
    """Axe tries inline styles; and a line that is let go of while it is made may be told of a candidate too late."""
    return "Applying inline style" in complaint or ("404" in complaint and "/whip/" in complaint)


def loaded(page: Page) -> None:
    wait_for(lambda: page.evaluate("window.sightline?.isLoaded"), "the incident is read")


def look(page: Page, expression: str, expected: object, what: str) -> None:
    wait_for(lambda: page.evaluate(f"JSON.stringify({expression}) === JSON.stringify({js(expected)})"), what)


def js(value: object) -> str:
    return {True: "true", False: "false", None: "undefined"}[value] if isinstance(value, bool | None) else repr(value)


def text(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text()


def says(page: Page, selector: str, words: str) -> None:
    wait_for(lambda: words in (page.locator(selector).first.text_content() or ""), f"{selector} says: {words}")


def press(page: Page, *keys: str) -> None:
    """Keys with the focus on nothing, as after a click beside."""
    page.evaluate("document.activeElement.blur()")
    for key in keys:
        page.keyboard.press(key)


def rows(page: Page) -> list[str]:
    return page.locator(".queue-row").evaluate_all("all => all.map((row) => row.dataset.key)")


def violations(page: Page) -> list[str]:
    """What axe finds. It tries inline styles, of which the page's policy complains; it need not fetch styles."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def steps(page: Page) -> dict[str, str]:
    """The stages of the caller's link as they are shown: what each is called, and how it stands."""
    return dict(page.locator(".step").evaluate_all("all => all.map(({ dataset }) => [dataset.name, dataset.state])"))
