"""Staff pages in Chromium: each in a browser profile of its own, with what their console complains of."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from waiting import wait_for

PHONE = {"width": 360, "height": 740}
LAPTOP = {"width": 1440, "height": 900}
THEMES = ("dark", "light", "sunlight")
#: What Chromium says of an answer that refuses something, whatever the page makes of it.
REFUSED = "Failed to load resource: the server responded with a status of 4"


class StaffPages:
    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        #: Errors and warnings of all pages; refusals that a test provokes are not among them.
        self.complaints: list[str] = []

    def open(self, url: str, size: dict = LAPTOP, *, beside: Page | None = None, **options: object) -> Page:
        """Opens a page; `beside` another it shares that one's cookies."""
        context = beside.context if beside else self._browser.new_context(viewport=size, color_scheme="dark", **options)
        page = context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self._browser.contexts:
            context.close()

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(REFUSED):
            self.complaints.append(text)


def sign_in(page: Page, user_name: str, password: str) -> None:
    page.fill("#user-name", user_name)
    page.fill("#password", password)
    page.click("#submit")


def path_of(page: Page) -> str:
    """Where a page is, without scheme and server."""
    try:
        return page.evaluate("location.pathname + location.search + location.hash")
    except PlaywrightError:
        # It is on its way to another.
        return ""


def wait_for_path(page: Page, path: str) -> None:
    page.wait_for_url(lambda url: url.partition("://")[2].partition("/")[2] == path[1:], timeout=15_000, wait_until="domcontentloaded")


def check_access(page: Page, what: str) -> None:
    """Axe finds nothing in any theme, and nothing scrolls sideways."""
    for theme in THEMES:
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        found = Axe().run(page).response["violations"]
        assert [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]] == [], f"{what}, {theme}"
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{what} at {width}"
