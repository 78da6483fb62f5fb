"""A crowd takes more than one media thread, and whoever comes to it sees the caller like anybody else."""

import contextlib
import json
import pathlib
import re
import subprocess
from collections.abc import Callable, Iterator

import pytest

import service as services
from conftest import run_service
from metrics import Growth, read
from relay_page import Browsers, Call, RelayPage, browsers, relay_footage  # noqa: F401
from service import Service

VIEWERS = 40
#: Milliseconds from being connected to the first picture, on a machine that serves, sends and decodes at once.
FIRST_PICTURE = 1_000
#: Seconds in which somebody watches.
WATCHED = 3
#: Pictures of them at least, of the 60 that the camera makes.
FRAMES = 30
SMALL = {"width": 640, "height": 360}


@pytest.fixture
def two_threads(tmp_path: pathlib.Path) -> Iterator[Service]:
    yield from run_service(tmp_path, "--no-caller", "--no-phone", "--media-threads", "2")


def port(call: Call) -> int:
    """The media port that a peer was told: each thread has its own."""
    ports = {int(found) for found in re.findall(r"a=candidate:\S+ 1 (?i:udp) \d+ \S+ (\d+) typ host", call.answer)}
    assert len(ports) == 1, call.answer
    return ports.pop()


@contextlib.contextmanager
def crowd(service: Service) -> Iterator[subprocess.Popen]:
    """Viewers of the incident who only count packets, besides a second caller whom they may watch, too."""
    running = subprocess.Popen(
        [services.binary(), "load", "--whip", service.whip, "--whip-token", service.whip_token, "--whep", service.whep,
         "--whep-token", service.whep_token, "--viewers", str(VIEWERS), "--ramp", "100", "--duration", "14", "--json",
         "--quiet"], stdout=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(10)


def until_spread(service: Service, caller: RelayPage) -> None:
    for _ in range(100):
        if read(service).get("mirrored_sources", 0) >= 2:
            return
        caller.pause(0.1)
    pytest.fail(f"{VIEWERS} viewers are still all on one thread")


def test_browser_in_a_crowd_sees_the_caller(
    two_threads: Service, browsers: Browsers, report: Callable  # noqa: F811
) -> None:
    service = two_threads
    caller = browsers.open(Call(service.whip, service.whip_token))
    caller.publish(**SMALL)
    caller.until_sending(SMALL["height"])
    counters = Growth(service)
    with crowd(service) as load:
        until_spread(service, caller)
        seen = []
        # One after the other, until one was served by the other thread: the emptier one takes who comes.
        for _ in range(6):
            viewer = browsers.open(Call(service.whep, service.whep_token))
            viewer.watch()
            connected = viewer.until_connected()
            first = viewer.until_shown() - connected
            viewer.pause(WATCHED)
            is_distant = port(viewer.call) != port(caller.call)
            seen.append((is_distant, round(first), len(viewer.seen()["frames"])))
            if is_distant:
                break
        out, _ = load.communicate(timeout=60)
    figures = counters.all()
    report(test="crowd", viewers=VIEWERS, browsers=seen, mirrored=figures.get("mirrored", 0))
    assert load.returncode == 0, out
    assert json.loads(out)["sessions"]["receiving"] == VIEWERS, out
    assert seen[-1][0], f"no browser came to the other thread: {seen}"
    for _, first, frames in seen:
        assert first <= FIRST_PICTURE and frames >= FRAMES, seen
    assert figures.get("mirrored", 0) > 0
    assert figures.get("mirrors_dropped", 0) == 0
