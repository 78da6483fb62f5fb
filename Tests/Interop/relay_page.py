"""Chromium as the relay's client without the product's own pages: it sends simulcast or watches, and notes what it sees."""

import json
import pathlib
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Playwright

from browser import CHROMIUM
from make_fake_camera import CLIP

HERE = pathlib.Path(__file__).resolve().parent
SCRIPT = (HERE / "relay_page.js").read_text()
#: Never asked for: the page comes from the test. Browsers give out cameras on localhost.
ADDRESS = "http://localhost/relay"
#: Pictures a second of the camera; three encoders and two decoders share two cores in the tests.
FRAME_RATE = 20
CAMERA_SECONDS = 4
FLAGS = (
    "--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns",
)
#: Three encodings of a 720p camera, poorest first, as a careful caller's page sends them.
SIMULCAST = [
    {"rid": "q", "scaleResolutionDownBy": 4, "maxBitrate": 120_000, "scalabilityMode": "L1T3"},
    {"rid": "h", "scaleResolutionDownBy": 2, "maxBitrate": 400_000, "scalabilityMode": "L1T3"},
    {"rid": "f", "scaleResolutionDownBy": 1, "maxBitrate": 1_500_000, "scalabilityMode": "L1T3"},
]
#: Heights of the encodings.
LOW, MIDDLE, HIGH = 180, 360, 720

Rewrite = Callable[[str], str]


class Exchange(Protocol):
    """What brings a page's offer to a server, and the answer back."""

    def post(self, offer: str) -> str: ...


@dataclass
class Call:
    """Where a page sends its offer, and what it does with the answer."""

    url: str
    token: str
    rewrite: Rewrite = lambda answer: answer
    session: str = ""
    answer: str = ""

    def post(self, offer: str) -> str:
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.url, data=offer.encode(), headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as response:
            self.session = urllib.request.urljoin(self.url, response.headers["Location"])
            self.answer = self.rewrite(response.read().decode())
        return self.answer

    def slots(self) -> dict:
        """What the service says is on the session's slots."""
        request = urllib.request.Request(f"{self.session}/slots", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)["slots"]


class RelayPage:
    """One page with one connection."""

    def __init__(self, browser: Browser, call: Exchange) -> None:
        self.call = call
        self.page = browser.new_context().new_page()
        self.page.route("**/*", lambda route: route.fulfill(
            content_type="text/html", body="<!doctype html><meta charset=utf-8><video muted autoplay width=640></video>"))
        self.page.expose_function("post", call.post)
        self.page.goto(ADDRESS)
        self.page.evaluate(SCRIPT)

    def publish(self, **options: object) -> None:
        self.page.evaluate("(options) => window.relayPage.publish(options)", {"frameRate": FRAME_RATE, **options})

    def watch(self, **options: object) -> None:
        self.page.evaluate("(options) => window.relayPage.watch(options)", options)

    def watch_offered(self) -> None:
        """Watches at a server that makes the offer."""
        self.page.evaluate("window.relayPage.watchOffered()")

    def send_only(self, *names: str) -> None:
        """Has the encodings with these names sent, and no others."""
        self.page.evaluate("(names) => window.relayPage.sendOnly(names)", list(names))

    def pause(self, seconds: float) -> None:
        """Lets time pass; the pages' requests go on being handled."""
        self.page.wait_for_timeout(1000 * seconds)

    def until(self, expression: str, what: str, seconds: float = 15) -> object:
        """Waits until the page finds something true; the answer."""
        deadline = time.monotonic() + seconds
        while not (answer := self.page.evaluate(expression)):
            if time.monotonic() > deadline:
                last = self.page.evaluate("window.relayPage.readings.at(-1)")
                raise AssertionError(f"{what}: not within {seconds:g} s (last reading: {json.dumps(last)})")
            self.pause(0.1)
        return answer

    def until_connected(self) -> float:
        """When the connection was there, milliseconds since 1970."""
        return self.until("window.relayPage.connectedAt", "the page is connected")

    def until_sending(self, height: int = HIGH, seconds: float = 30) -> None:
        """Waits until the encoding of this height goes out, steadily: the browser starts with the poorest."""
        self.until(
            f"""window.relayPage.readings.slice(-10).filter(({{ streams }}) => streams.some((stream) =>
              stream.kind === "video" && stream.frameHeight === {height} && stream.framesPerSecond > {FRAME_RATE} / 2
            )).length === 10""", f"the caller sends {height} lines", seconds)

    def until_shown(self, height: int = 1, seconds: float = 15) -> float:
        """Waits until a frame of at least this height is shown; when the first one was, milliseconds since 1970."""
        find = f"(window.relayPage.frames.find((frame) => frame[3] >= {height}) ?? [0])[0]"
        return self.until(find, f"a picture of {height} lines", seconds)

    def now(self) -> float:
        """Milliseconds since 1970 by the page's clock."""
        return self.page.evaluate("performance.timeOrigin + performance.now()")

    def close(self) -> None:
        self.page.context.close()

    def seen(self) -> dict:
        """Everything that the page has noted: `readings` and `frames`."""
        return self.page.evaluate("(({ readings, frames }) => ({ readings, frames }))(window.relayPage)")


class Browsers:
    """Opens pages, those on one link in one Chromium."""

    def __init__(self, playwright: Playwright, camera: pathlib.Path, microphone: pathlib.Path) -> None:
        self._playwright = playwright
        self._files = camera, microphone
        self._running: dict[str, Browser] = {}

    def open(self, call: Exchange, program: pathlib.Path | str = CHROMIUM) -> RelayPage:
        """A page in the Chromium that `program` starts."""
        browser = self._running.get(str(program))
        if browser is None:
            camera, microphone = self._files
            flags = [*FLAGS, f"--use-file-for-fake-video-capture={camera}", f"--use-file-for-fake-audio-capture={microphone}"]
            browser = self._playwright.chromium.launch(executable_path=program, headless=True, args=flags)
            self._running[str(program)] = browser
        return RelayPage(browser, call)

    def close(self) -> None:
        for browser in self._running.values():
            browser.close()


@pytest.fixture(scope="session")
def relay_footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, pathlib.Path]:
    return make_footage(tmp_path_factory.mktemp("relay-footage"))


def make_footage(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The street clip's first seconds as raw pictures, which cost the browser nothing to read, and its sound."""
    camera, microphone = folder / "camera.y4m", folder / "microphone.wav"
    ffmpeg = ["ffmpeg", "-v", "error", "-y", "-i", str(CLIP)]
    picture = ["-an", "-t", str(CAMERA_SECONDS), "-r", str(FRAME_RATE), "-s", "1280x720", "-pix_fmt", "yuv420p", str(camera)]
    subprocess.run([*ffmpeg, *picture], check=True, timeout=60)
    subprocess.run([*ffmpeg, "-vn", "-ac", "2", "-ar", "48000", str(microphone)], check=True, timeout=60)
    return camera, microphone


@pytest.fixture
def browsers(playwright: Playwright, relay_footage: tuple[pathlib.Path, pathlib.Path]) -> Iterator[Browsers]:
    opened = Browsers(playwright, *relay_footage)
    yield opened
    opened.close()
