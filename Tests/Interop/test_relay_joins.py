"""Who joins sees the picture at once, from the relay's cache, and even a crowd costs the caller next to nothing."""

import json
import pathlib
import subprocess
from collections.abc import Callable, Iterator

import pytest

import service as services
from conftest import run_service
from impairment import ImpairedLink, Impairment
from metrics import Growth
from relay_page import Browsers, Call, RelayPage, browsers, relay_footage  # noqa: F401
from service import Service
from steering import through

#: One way between caller and service: a fresh keyframe takes at least twice that, a cached one does not.
CALLER_DELAY = 0.6
#: One way between a far viewer and the service.
VIEWER_DELAY = 0.1
#: Milliseconds for decoding and showing a picture on a machine that does much else.
DECODING = 500
VIEWERS = 200
#: What 200 viewers who join within a second may cost (the issue's own figure).
MOST_KEYFRAME_REQUESTS = 2
SMALL = {"width": 640, "height": 360}


def publish(browsers: Browsers, call: Call) -> RelayPage:  # noqa: F811
    caller = browsers.open(call)
    caller.publish(**SMALL)
    caller.until_sending(SMALL["height"])
    return caller


def first_picture(browsers: Browsers, call: Call) -> tuple[float, list]:  # noqa: F811
    """Milliseconds from being connected to the first picture, and the frames until a fresh keyframe can have come."""
    viewer = browsers.open(call)
    viewer.watch()
    connected = viewer.until_connected()
    shown = viewer.until_shown()
    viewer.pause(2 * CALLER_DELAY + 1)
    frames = viewer.seen()["frames"]
    viewer.close()
    return shown - connected, frames


def test_first_picture_comes_from_the_cache(service: Service, browsers: Browsers, report: Callable) -> None:  # noqa: F811
    with ImpairedLink(Impairment(delay=CALLER_DELAY)) as far_caller, ImpairedLink(Impairment(delay=VIEWER_DELAY)) as far:
        publish(browsers, Call(service.whip, service.whip_token, through(far_caller)))
        for name, rewrite, round_trip in (
            ("near", lambda answer: answer, 0), ("near", lambda answer: answer, 0), ("far", through(far), 2 * VIEWER_DELAY),
        ):
            took, frames = first_picture(browsers, Call(service.whep, service.whep_token, rewrite))
            report(test="relay joins", viewer=name, round_trip_ms=1000 * round_trip, first_picture_ms=round(took))
            # A keyframe made for this viewer would have come a whole round trip to the caller later.
            assert took <= 1000 * round_trip + DECODING < 2000 * CALLER_DELAY, name
            assert len(frames) > 5, "and then it moves"


def requests(caller: RelayPage) -> dict[str, int]:
    """What the caller was asked for, and made, by its own count."""
    streams = caller.page.evaluate("window.relayPage.readings.at(-1)")["streams"]
    names = ("pliCount", "firCount", "keyFramesEncoded")
    return {name: sum(stream.get(name, 0) for stream in streams if stream["kind"] == "video") for name in names}


@pytest.fixture
def unrecorded(tmp_path: pathlib.Path) -> Iterator[Service]:
    """A service whose recorder asks for no keyframes of its own."""
    yield from run_service(tmp_path, "--no-caller", "--no-phone", "--no-recording")


def test_crowd_costs_the_caller_two_keyframes(
    unrecorded: Service, browsers: Browsers, report: Callable  # noqa: F811
) -> None:
    service = unrecorded
    caller = publish(browsers, Call(service.whip, service.whip_token))
    before, counters = requests(caller), Growth(service)
    crowd = subprocess.Popen(
        [services.binary(), "load", "--whip", service.whip, "--whip-token", service.whip_token, "--whep", service.whep,
         "--whep-token", service.whep_token, "--viewers", str(VIEWERS), "--ramp", str(VIEWERS), "--duration", "2",
         "--sample", "20", "--json", "--quiet"],
        stdout=subprocess.PIPE, text=True)
    while crowd.poll() is None:
        caller.pause(0.2)
    result = json.loads(crowd.stdout.read())
    grown = {name: value - before[name] for name, value in requests(caller).items()}
    figures = counters.all()
    report(test="relay joins", viewers=VIEWERS, **grown, setup=result["setup"], sessions=result["sessions"],
           **{name: figures.get(name, 0) for name in ("keyframes_requested", "keyframes_replayed", "keyframe_requests_received")})
    assert crowd.returncode == 0, result
    assert grown["pliCount"] + grown["firCount"] <= MOST_KEYFRAME_REQUESTS, grown
    assert result["setup"]["firstKeyframe"]["count"] == VIEWERS, "everybody got a picture"
    # Who joins in the moment that a fresh one arrives takes that.
    assert figures["keyframes_replayed"] >= VIEWERS - MOST_KEYFRAME_REQUESTS, "from the cache"
