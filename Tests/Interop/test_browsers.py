"""A caller's browser to viewers' browsers, through the real pages and the real service."""

import pathlib
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from browser import Page, install_clock_camera, start_call, start_reading_clock, wait_for_picture
from service import Service
from waiting import wait_for

PHONE = (390, 844)
#: A picture older than this is no live picture. What is measured is reported: from 0.6 to 2.2 s were
#: seen where encoder and decoders wait for their turn on two busy cores.
MAXIMUM_DELAY = 3000

CASES = [
    ("chromium", "VP8"),
    ("chromium", "VP9"),
    ("chromium", "AV1"),
    ("chromium", "H264"),
    ("firefox", "VP8"),
    ("firefox", "VP9"),
    ("firefox", "AV1"),
]


def percentile(values: list[int], share: float) -> int:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def frames(page: Page) -> int:
    return page.evaluate("window.sightline.stats.video.frames")


def assert_frames_flow(page: Page, more: int = 60) -> None:
    before = frames(page)
    wait_for(lambda: frames(page) > before + more, f"{page.name} decodes {more} more frames", 20)


def assert_sound(page: Page) -> None:
    energy = "window.sightline.stats.audio?.audioEnergy ?? 0"
    wait_for(lambda: page.evaluate(energy) > 0, f"{page.name} hears something", 15)
    before = page.evaluate(energy)
    wait_for(lambda: page.evaluate(energy) > before, f"{page.name} goes on hearing", 10)


def turn_on_sound(page: Page) -> None:
    page.click("sound")
    assert page.evaluate("window.sightline.isMuted") is False


def test_call_reaches_chromium_and_firefox(
    service: Service, chromium: Callable, firefox: Callable, footage: tuple, artifacts: pathlib.Path
) -> None:
    camera, microphone = footage
    caller = chromium(service.caller, size=PHONE, camera=camera, microphone=microphone)
    caller.screenshot(artifacts / "caller-start.png")
    start_call(caller)
    viewers = [chromium(service.viewer), firefox(service.viewer)]
    for viewer in viewers:
        wait_for_picture(viewer)
        turn_on_sound(viewer)
        start_reading_clock(viewer)
    for viewer in viewers:
        assert_frames_flow(viewer)
        assert_sound(viewer)
        values = viewer.evaluate("window.interopClock.readings.values")
        backwards = [pair for pair in zip(values, values[1:]) if 0 < pair[0] - pair[1] < 5000]
        assert len(values) > 30 and not backwards, f"{viewer.name}: the clip's clock runs forward"
        viewer.screenshot(artifacts / f"viewer-{viewer.name}.png")
    caller.screenshot(artifacts / "caller-live.png")
    assert caller.evaluate("window.sightline.peers.length") >= 3


@pytest.mark.parametrize(("sender", "codec"), CASES)
def test_codec_and_delay(
    service: Service,
    chromium: Callable,
    firefox: Callable,
    report: Callable,
    artifacts: pathlib.Path,
    sender: str,
    codec: str,
) -> None:
    open_caller = chromium if sender == "chromium" else firefox
    caller = open_caller(f"{service.caller}&codec={codec}", size=PHONE)
    install_clock_camera(caller)
    start_call(caller)
    viewers = [chromium(service.viewer)]
    if codec != "H264":  # Debian's Firefox decodes none
        viewers.append(firefox(service.viewer))
    for viewer in viewers:
        wait_for_picture(viewer)
        assert_frames_flow(viewer, 30)  # the start has its own delay
        start_reading_clock(viewer)
    for viewer in viewers:
        delays = wait_for(lambda: enough_delays(viewer), f"{viewer.name} reads the clock", 30)
        figures = viewer.evaluate("window.sightline.stats.video")
        median, high = percentile(delays, 0.5), percentile(delays, 0.95)
        report(
            caller=sender, viewer=viewer.name, codec=codec, median_ms=median, p95_ms=high, frames=len(delays),
            unreadable=viewer.evaluate("window.interopClock.readings.unreadable"),
            size=f"{figures['width']}x{figures['height']}",
        )
        assert figures["codec"].upper() == codec
        assert 0 < median < MAXIMUM_DELAY
        viewer.screenshot(artifacts / f"{sender}-{codec}-{viewer.name}.png")


def enough_delays(page: Page) -> list[int] | None:
    delays = page.evaluate("window.interopClock.readings.delays")
    return delays if len(delays) >= 90 else None


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_simulated_caller_is_seen_and_heard(
    demo: Service, request: pytest.FixtureRequest, artifacts: pathlib.Path, browser: str
) -> None:
    viewer = request.getfixturevalue(browser)(demo.viewer)
    figures = wait_for_picture(viewer)
    assert (figures["video"]["width"], figures["video"]["height"]) == (1280, 720)
    turn_on_sound(viewer)
    assert_frames_flow(viewer, 90)
    assert_sound(viewer)
    viewer.screenshot(artifacts / f"demo-{browser}.png")


def test_second_caller_is_seen_beside_the_first(demo: Service, chromium: Callable, artifacts: pathlib.Path) -> None:
    caller = chromium(demo.caller, size=PHONE)
    start_call(caller)
    viewer = chromium(demo.viewer)
    wait_for(lambda: viewer.evaluate("window.sightline?.slots") == ["live", "live"], "both callers are seen", 20)
    viewer.screenshot(artifacts / "viewer-two-callers.png")
    viewer.page.click("text=Show caller 2")
    assert_frames_flow(viewer, 30)
    assert viewer.evaluate("window.sightline.state") == "live"


def test_restart_keeps_the_session(service: Service, chromium: Callable) -> None:
    caller = chromium(service.caller, size=PHONE)
    start_call(caller)
    viewer = chromium(service.viewer)
    wait_for_picture(viewer)
    caller.run("window.dispatchEvent(new Event('online'));")
    counters = wait_for(
        lambda: (found := caller.evaluate("window.sightline?.counters"))["restarts"] == 1 and found, "a restart", 5)
    assert counters["sessions"] == 1
    wait_for(lambda: caller.evaluate("window.sightline?.state") == "connected", "the caller is connected again", 5)
    assert_frames_flow(viewer, 60)
    assert [entry["kind"] for entry in viewer.evaluate("window.sightline.history")] == ["waiting", "live"]


def test_lost_session_is_opened_anew(service: Service, chromium: Callable) -> None:
    caller = chromium(service.caller, size=PHONE)
    # The session's address is only known to the page: note it as it goes by.
    caller.run(
        "const send = window.fetch; window.fetch = async (...request) => { const response = await send(...request);"
        " window.sessionAddress ??= response.headers.get('Location'); return response; };")
    start_call(caller)
    # A session belongs to the token that opened it.
    token = parse_qs(urlsplit(service.caller).query)["token"][0]
    caller.run(
        f"fetch(window.sessionAddress, {{method: 'DELETE', headers: {{Authorization: 'Bearer {token}'}}}})"
        ".then(() => window.dispatchEvent(new Event('online')));")
    wait_for(lambda: caller.evaluate("window.sightline?.counters.sessions") == 2, "a second session", 10)
    wait_for(lambda: caller.evaluate("window.sightline?.state") == "connected", "the caller is connected again", 10)
    viewer = chromium(service.viewer)
    wait_for_picture(viewer)


def test_viewer_says_when_the_caller_ended(service: Service, chromium: Callable, artifacts: pathlib.Path) -> None:
    viewer = chromium(service.viewer)
    wait_for(lambda: viewer.evaluate("window.sightline?.picture?.text") == "Waiting for the caller", "the viewer waits")
    viewer.screenshot(artifacts / "viewer-waiting.png")
    caller = chromium(service.caller, size=PHONE)
    start_call(caller)
    wait_for_picture(viewer)
    caller.click("stop")
    wait_for(lambda: viewer.evaluate("window.sightline?.picture.text") == "Caller ended", "the viewer knows of the end")
    caller.screenshot(artifacts / "caller-ended.png")
    viewer.screenshot(artifacts / "viewer-ended.png")


def test_refused_camera_is_explained(service: Service, chromium: Callable, artifacts: pathlib.Path) -> None:
    caller = chromium(service.caller, size=PHONE, arguments=("--deny-permission-prompts",))
    caller.click("start-video")
    wait_for(lambda: caller.evaluate("window.sightline?.view") == "problem", "the page explains")
    assert caller.evaluate("window.sightline.problem") == "refused"
    assert caller.evaluate("!document.getElementById('retry').hidden")
    caller.screenshot(artifacts / "caller-refused.png")


def test_sound_only_call(service: Service, chromium: Callable) -> None:
    caller = chromium(service.caller, size=PHONE)
    caller.click("start-sound")
    wait_for(lambda: caller.evaluate("window.sightline?.state") == "connected", "the caller is connected")
    viewer = chromium(service.viewer)
    wait_for(lambda: viewer.evaluate("window.sightline?.state") == "soundOnly", "the viewer hears without a picture")


def test_unknown_token_is_refused_in_words(service: Service, chromium: Callable) -> None:
    caller = chromium(f"{service.base.rstrip('/')}/call/{service.incident}?token=nonsense", size=PHONE)
    caller.click("start-video")
    wait_for(lambda: caller.evaluate("window.sightline?.view") == "problem", "the page explains")
    words = caller.evaluate("document.getElementById('problem-text').textContent")
    assert "link" in words
