"""What pages send in several sizes, what they say when they are shown less than there is, and how much they ask for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from api import Api
from browser import Page, start_call, wait_for_picture
from service import Service
from waiting import wait_for

PHONE = (390, 844)


def sent(page: Page) -> dict[str, int]:
    """Frames that were sent of each size so far."""
    sizes = page.evaluate("window.sightline.stats.video?.sizes ?? {}")
    return {name: figures.get("frames") or 0 for name, figures in sizes.items()}


def growing(page: Page, before: dict[str, int], more: int = 10) -> set[str]:
    return {name for name, frames in sent(page).items() if frames >= before.get(name, 0) + more}


@pytest.mark.parametrize(("browser", "codec"), [("chromium", "VP8"), ("chromium", "H264"), ("firefox", "VP8")])
def test_a_caller_sends_three_sizes(service: Service, request: pytest.FixtureRequest, browser: str, codec: str) -> None:
    page = request.getfixturevalue(browser)(f"{service.caller}&codec={codec}", size=PHONE)
    start_call(page)
    wait_for(lambda: growing(page, {}) == {"l", "m", "h"}, "all three go out", 30)
    sizes = page.evaluate("window.sightline.stats.video.sizes")
    heights = [sizes[name]["height"] for name in ("l", "m", "h")]
    assert heights[0] * 3 < heights[2] and heights[0] < heights[1] < heights[2], heights
    assert page.evaluate("window.sightline.stats.video.height") == heights[2], "the page's own figures are of the largest"


def test_a_thin_line_carries_the_small_sizes_only(service: Service, chromium: Callable) -> None:
    page = chromium(f"{service.caller}&codec=VP8", size=PHONE)
    start_call(page)
    wait_for(lambda: growing(page, {}) == {"l", "m", "h"}, "all three go out", 30)
    operator = Api(service.base, service.accounts["operator"].token)
    events = f"/api/v1/incidents/{service.incident}/events"
    [caller] = operator.get(f"/api/v1/incidents/{service.incident}")["callers"]
    for quality, names in [("low", {"l"}), ("medium", {"l", "m"}), ("high", {"l", "m", "h"})]:
        payload = {"caller": caller["id"], "command": "quality", "argument": quality}
        operator.post(events, {"kind": "command", "payload": payload})
        wait_for(lambda: page.evaluate("window.sightline?.quality") == quality, f"the page is asked for {quality}")
        # What was on its way when the page was asked may still be counted.
        before = sent(page)
        wait_for(lambda: growing(page, before) >= names, f"{quality} goes out", 20)
        settled = sent(page)
        wait_for(lambda: growing(page, settled, 20) >= names, f"{quality} goes on", 20)
        assert {name for name, frames in sent(page).items() if frames > settled[name]} == names


def test_a_unit_sees_the_largest_size(service: Service, chromium: Callable) -> None:
    caller = chromium(f"{service.caller}&codec=H264", size=PHONE)
    start_call(caller)
    wait_for(lambda: growing(caller, {}) == {"l", "m", "h"}, "all three go out", 30)
    viewer = chromium(service.viewer)
    wait_for_picture(viewer)
    height = caller.evaluate("window.sightline.stats.video.sizes.h.height")
    wait_for(lambda: viewer.evaluate("window.sightline?.stats.video.height") == height, "the largest arrives", 20)
    views = wait_for(lambda: [view for view in viewer.evaluate("window.sightline?.views") if view], "the service's word")
    assert views[0]["kind"] == "video" and "source" in views[0]


# Words and wishes: the pages' own functions, in a page.


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, playwright: Any) -> Any:
    import service as services
    from browser import ChromiumPage

    running = services.start(tmp_path_factory.mktemp("words"), "--no-caller", "--no-phone")
    page = ChromiumPage(playwright, running.viewer)
    yield page
    page.close()
    assert running.stop() == 0


def call(page: Page, module: str, function: str, *arguments: Any) -> Any:
    """A function of a page's module; None goes in and comes out for undefined."""
    given = ", ".join("undefined" if each is None else json.dumps(each) for each in arguments)
    return page.evaluate(f"import('/assets/shared/{module}.js').then((it) => it.{function}({given}))")


@pytest.mark.parametrize(("shows", "reason", "words"), [
    ("layer", "link", "Your connection is too weak for the full picture"),
    ("stills", "link", "Your connection is too weak for a moving picture: still picture every few seconds"),
    ("audioOnly", "link", "Your connection is too weak for a picture: sound goes on"),
    ("layer", "overload", "Another, more urgent call comes first: smaller picture"),
    ("stills", "overload", "Another, more urgent call comes first: still picture every few seconds"),
    ("audioOnly", "overload", "Another, more urgent call comes first: no picture, sound goes on"),
    ("layer", "wanted", ""), ("all", None, ""), ("layer", "something new", ""),
])
def test_why_a_picture_is_reduced(page: Page, shows: str, reason: str | None, words: str) -> None:
    view = {"source": "s1", "kind": "video", "shows": shows} | ({"reason": reason} if reason else {})
    assert call(page, "quality", "reductionWords", view) == words
    assert (call(page, "quality", "shortReduction", view) != "") == (words != "")
    figures = {"video": {"width": 320, "height": 180, "bitsPerSecond": 90_000, "lossRatio": 0}}
    measured = call(page, "quality", "qualityWords", figures, view)
    assert measured == (words or ("" if reason == "wanted" else "Low quality: 90 kbit/s"))


@pytest.mark.parametrize(("lines", "heights", "limit", "wanted"), [
    (100, [180, 360, 720], None, 180), (190, [180, 360, 720], None, 360), (170, [180, 360, 720], None, 180),
    (300, [180, 360, 720], None, 360), (700, [180, 360, 720], None, None), (2000, [180, 360, 720], 180, None),
    (300, [180, 360, 720], 180, 360), (190, [180, 360, 720], 360, 360), (190, [180, 360, 720], 180, 180),
    (100, [720], None, None), (100, [None, None], None, None), (100, [180, 180, 180, 720, 720], None, 180),
    (100, [], 180, None),
])
def test_no_more_is_asked_for_than_the_screen_shows(
    page: Page, lines: int, heights: list, limit: int | None, wanted: int | None
) -> None:
    assert call(page, "fitting", "limitFor", lines, heights, limit) == wanted


def test_a_small_picture_asks_for_less_and_a_large_one_for_all(page: Page) -> None:
    """The service is a list of what it was asked; the clock is the page's own."""
    page.run("""
      window.trial = (async () => {
        const { SlotService } = await import("/assets/shared/slotservice.js");
        const asked = [];
        const slot = { mids: { video: "0", audio: "1" }, view: { source: "s1", kind: "video", shows: "all" }, linesOnScreen: 100 };
        const service = new SlotService(() => "/whep/x/y", "token", [slot]);
        service.put = async (mid, wish) => asked.push([mid, wish.height]);
        const sources = new Map([["s1", { layers: [180, 360, 720].map((height) => ({ height })) }]]);
        const clock = performance.now;
        let now = 0;
        performance.now = () => now;
        const at = (time, lines) => {
          now = time;
          slot.linesOnScreen = lines;
          service.fit(sources);
        };
        try {
          at(0, 100); at(1900, 100);
          const early = asked.length;
          at(2000, 100); at(3000, 100);
          at(3500, undefined); at(4000, 700); at(4500, 700);
          at(5000, 100); at(6000, 700); at(7500, 100); at(8000, 100);
          return { early, asked };
        } finally {
          performance.now = clock;
        }
      })();
    """)
    assert page.evaluate("window.trial") == {"early": 0, "asked": [["0", 180], ["0", None]]}
