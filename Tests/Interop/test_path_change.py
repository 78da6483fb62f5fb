"""The network under a call goes away and another one comes: media is back fast, and nobody else notices a new stream."""

from collections.abc import Callable, Iterator

import pytest

from browser import ChromiumPage, start_call, wait_for_picture
from impairment import ImpairedLink
from service import Service
from steering import open_steered, statistics, through, video
from waiting import wait_for

PHONE = (390, 844)
#: From the request for an ICE restart to the first frame that arrived after it (the issue's own figure).
MAXIMUM_RECOVERY_MILLISECONDS = 2000
NOTE_FRAMES = """
window.frameTimes = [];
const picture = document.getElementById("picture");
const note = (now) => {
  window.frameTimes.push(performance.timeOrigin + now);
  picture.requestVideoFrameCallback(note);
};
picture.requestVideoFrameCallback(note);
"""


@pytest.fixture
def links() -> Iterator[tuple[ImpairedLink, ImpairedLink]]:
    """The network at the start, and the one after it."""
    with ImpairedLink(seed=1) as before, ImpairedLink(seed=2) as after:
        yield before, after


def pause(page: ChromiumPage, milliseconds: int) -> None:
    """Waits while the browsers' requests go on being handled."""
    page.page.wait_for_timeout(milliseconds)


def change_network(page: ChromiumPage, links: tuple[ImpairedLink, ImpairedLink]) -> None:
    before, after = links
    before.cut()
    page.steering.rewrite = through(after)


def identity(viewer: ChromiumPage) -> dict:
    """What stays the same for a viewer to whom nothing has happened but a pause."""
    return {
        "connections": viewer.evaluate("window.connections.length"),
        "transceivers": viewer.evaluate(
            "window.connections[0].getTransceivers()"
            ".map((each) => [each.mid, each.currentDirection, each.receiver.track.id])"),
        "ssrc": video(viewer)["ssrc"],
        "track": video(viewer)["trackIdentifier"],
    }


def requests(page: ChromiumPage, method: str) -> list[dict]:
    return [each for each in page.evaluate("window.requests") if each["method"] == method]


def restarts(page: ChromiumPage) -> list[dict]:
    return [each for each in requests(page, "PATCH") if each["condition"] == "*"]


def wait_for_stillness(viewer: ChromiumPage) -> None:
    """Until what had already arrived has been shown."""
    count = -1
    while count != (count := viewer.evaluate("window.frameTimes.length")):
        pause(viewer, 500)


def first_frame_after(viewer: ChromiumPage, moment: float, seconds: float = 10) -> float:
    """Milliseconds from the moment to the first frame that was shown after it."""
    find = f"window.frameTimes.find((at) => at > {moment}) ?? 0"
    for _ in range(int(seconds * 20)):
        found = viewer.evaluate(find)
        if found:
            return found - moment
        pause(viewer, 50)
    raise AssertionError(f"no frame within {seconds:g} s")


def wait_for_restart(page: ChromiumPage, seconds: float) -> float:
    """When the page asked for its first restart."""
    for _ in range(int(seconds * 20)):
        if asked := restarts(page):
            return asked[0]["at"]
        pause(page, 50)
    raise AssertionError(f"no restart within {seconds:g} s")


def remote_port(page: ChromiumPage) -> int:
    return statistics(page)["remote"]["port"]


@pytest.mark.parametrize("cause", ["online", "noticed"])
def test_caller_changes_network(
    service: Service, chromium: Callable, footage: tuple, report: Callable, links: tuple, cause: str
) -> None:
    camera, microphone = footage
    caller = open_steered(
        chromium, f"{service.caller}&codec=VP8", through(links[0]), size=PHONE, camera=camera, microphone=microphone)
    start_call(caller)
    viewer = open_steered(chromium, f"{service.viewer}&slots=1", lambda answer: answer)
    wait_for_picture(viewer)
    assert remote_port(caller) == links[0].port
    viewer.run(NOTE_FRAMES)
    pause(viewer, 1000)
    before = identity(viewer)
    change_network(caller, links)
    wait_for_stillness(viewer)
    if cause == "online":
        caller.run("window.dispatchEvent(new Event('online'));")
    recovery = first_frame_after(viewer, wait_for_restart(caller, 20))
    report(test="path change", who="caller", cause=cause, recovery_ms=round(recovery))
    assert recovery <= MAXIMUM_RECOVERY_MILLISECONDS
    assert_new_path(caller, links)
    assert identity(viewer) == before
    assert not restarts(viewer) and len(requests(viewer, "POST")) == 1, "nothing was negotiated with the viewer"
    assert_frames_go_on(viewer)


@pytest.mark.parametrize("cause", ["online", "noticed"])
def test_viewer_changes_network(demo: Service, chromium: Callable, report: Callable, links: tuple, cause: str) -> None:
    viewer = open_steered(chromium, f"{demo.viewer}&slots=1", through(links[0]))
    wait_for_picture(viewer)
    assert remote_port(viewer) == links[0].port
    viewer.run(NOTE_FRAMES)
    pause(viewer, 1000)
    before = identity(viewer)
    change_network(viewer, links)
    wait_for_stillness(viewer)
    if cause == "online":
        viewer.run("window.dispatchEvent(new Event('online'));")
    recovery = first_frame_after(viewer, wait_for_restart(viewer, 20))
    report(test="path change", who="viewer", cause=cause, recovery_ms=round(recovery))
    assert recovery <= MAXIMUM_RECOVERY_MILLISECONDS
    assert_new_path(viewer, links)
    assert identity(viewer) == before
    assert_frames_go_on(viewer)


def assert_new_path(page: ChromiumPage, links: tuple[ImpairedLink, ImpairedLink]) -> None:
    """The same session on the new network, by one restart."""
    wait_for(lambda: remote_port(page) == links[1].port, "the new path is in use", 5)
    assert page.evaluate("window.sightline.counters") == {"restarts": 1, "sessions": 1}
    assert links[1].up.forwarded > 0 and links[1].down.forwarded > 0


def assert_frames_go_on(viewer: ChromiumPage) -> None:
    before = video(viewer)["framesDecoded"]
    wait_for(lambda: video(viewer)["framesDecoded"] > before + 60, "frames go on", 10)
