"""The people of a story, each in a browser profile of their own, with what their pages complained of and asked for."""

import pathlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from browser import CHROMIUM
from service import Account
from waiting import wait_for

PHONE = (360, 740)
LAPTOP = (1440, 900)
CONTROL_ROOM = (1920, 1080)
PLACE = {"latitude": 53.5503, "longitude": 9.9928, "accuracy": 12}
ALLOWED = ("geolocation", "camera", "microphone", "clipboard-read", "clipboard-write")
FLAGS = (
    "--no-sandbox", "--use-fake-device-for-media-stream=fps=15", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--auto-select-desktop-capture-source=Entire screen",
)
#: What a browser says of itself and no page of ours causes.
HARMLESS = ("GPU stall due to ReadPixels", "Permissions policy violation: fullscreen")
#: How soon a page has to have its script running.
SCRIPT_SECONDS = 20


@dataclass
class Person:
    """Somebody at a page."""

    name: str
    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    #: Addresses of other servers that the page asked for something.
    strangers: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def go(self, path: str) -> "Person":
        self.page.goto(path if "://" in path else self.base + path)
        return self

    def until(self, expression: str, what: str, seconds: float = 15) -> Any:
        """Waits until a JavaScript expression is true; its value."""
        return wait_for(lambda: self.page.evaluate(expression), f"{self.name}: {what}", seconds)

    def sees(self, text: str, seconds: float = 15) -> None:
        """Waits until a text can be seen on the page."""
        wait_for(lambda: self.page.get_by_text(text).filter(visible=True).count() > 0, f"{self.name} sees “{text}”", seconds)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector: str, limit: int = 80) -> None:
        """Goes by Tab, as people without a mouse do, until the focus is on what the selector names."""
        for _ in range(limit):
            if self.page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
                return
            self.press("Tab")
        raise AssertionError(f"{self.name}: {selector} cannot be reached by Tab")

    def violations(self) -> list[str]:
        """What axe has to say against the page as it is."""
        found = Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]

    def photograph(self, path: pathlib.Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def leave(self) -> None:
        self.page.context.close()


class Cast:
    """Opens pages of one service in one browser."""

    def __init__(
        self, playwright: Playwright, base: str, accounts: dict[str, Account], flags: tuple[str, ...] = FLAGS
    ) -> None:
        self.accounts = accounts
        self.base = base.rstrip("/")
        self.people: list[Person] = []
        self.browser: Browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(flags))

    def enter(
        self, name: str, path: str | None, *, size: tuple[int, int] = LAPTOP, theme: str = "dark",
        permissions: tuple[str, ...] = ALLOWED, locale: str = "en-GB", is_phone: bool = False, **options: Any,
    ) -> Person:
        """Somebody opens a page; `permissions` are what their browser grants without asking."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, locale=locale, geolocation=PLACE,
            has_touch=is_phone, is_mobile=is_phone, **options)
        context.grant_permissions(list(permissions))
        page = context.new_page()
        person = Person(name, page, self.base)
        page.on("console", lambda message: self._note(person, message.type, message.text, message.location))
        page.on("pageerror", lambda error: person.complaints.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._check(person, request.url))
        self.people.append(person)
        if path is not None:
            person.go(path)
            person.until("window.sightline !== undefined || document.body.dataset.refused", "the page's script runs", SCRIPT_SECONDS)
        return person

    def staff(self, role: str, path: str, **options: Any) -> Person:
        """Somebody of the demo agency comes by their token."""
        separator = "&" if "?" in path else "?"
        return self.enter(role, f"{path}{separator}token={self.accounts[role].token}", **options)

    def sign_in(self, role: str, **options: Any) -> Person:
        """Somebody of the demo agency signs in as people do, on the page for it."""
        account = self.accounts[role]
        person = self.enter(role, "/sign-in", **options)
        person.page.get_by_label("User name").fill(account.userName)
        person.page.get_by_label("Password").fill(account.password)
        person.press("Enter")
        person.page.wait_for_url(lambda url: "/sign-in" not in url)
        person.until("window.sightline !== undefined", "the page's script runs", SCRIPT_SECONDS)
        return person

    @property
    def complaints(self) -> list[str]:
        return [f"{person.name}: {text}" for person in self.people for text in person.complaints]

    @property
    def strangers(self) -> list[str]:
        return [f"{person.name}: {url}" for person in self.people for url in person.strangers]

    def close(self) -> None:
        self.browser.close()

    def _note(self, person: Person, kind: str, text: str, place: dict) -> None:
        if kind in ("error", "warning") and not any(harmless in text for harmless in HARMLESS):
            person.complaints.append(f"{kind}: {text} ({place.get('url', '').partition('?')[0]})")

    def _check(self, person: Person, url: str) -> None:
        address = urlsplit(url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != urlsplit(self.base).netloc:
            person.strangers.append(url)
