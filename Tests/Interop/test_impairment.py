"""Calls over a bad network: 50 ms delay, 20 ms jitter and 5 % loss in both directions. The picture keeps running."""

from collections.abc import Callable, Iterator
from statistics import median

import pytest

from browser import ChromiumPage, start_call, wait_for_picture
from impairment import ImpairedLink, Impairment
from metrics import Growth
from service import Service
from steering import open_steered, through, video

PHONE = (390, 844)
BAD_NETWORK = Impairment(delay=0.05, jitter=0.02, loss=0.05)
SECONDS = 12
#: Frames a second, as the median of one-second readings.
ENOUGH_FRAMES = 20
#: Share of the time that the picture may stand still, by WebRTC's own definition of a freeze.
MOST_FROZEN = 0.1


@pytest.fixture
def links() -> Iterator[list[ImpairedLink]]:
    """A bad network for the caller and another for a viewer."""
    with ImpairedLink(BAD_NETWORK, seed=1) as first, ImpairedLink(BAD_NETWORK, seed=2) as second:
        yield [first, second]


def watch(pages: list[ChromiumPage], seconds: int) -> list[dict]:
    """Looks at each page's video once a second; frame rate and share of freezing of each."""
    readings: list[list[dict]] = [[] for _ in pages]
    for _ in range(seconds + 1):
        for page, taken in zip(pages, readings):
            taken.append(video(page))
        pages[0].page.wait_for_timeout(1000)
    return [summary(taken) for taken in readings]


def summary(readings: list[dict]) -> dict:
    rates = [
        1000 * (after["framesDecoded"] - before["framesDecoded"]) / (after["timestamp"] - before["timestamp"])
        for before, after in zip(readings, readings[1:])
    ]
    first, last = readings[0], readings[-1]
    grown = lambda name: last.get(name, 0) - first.get(name, 0)  # noqa: E731
    return {
        "frames_per_second": round(median(rates), 1),
        "frozen": round(1000 * grown("totalFreezesDuration") / (last["timestamp"] - first["timestamp"]), 3),
        "nacks": grown("nackCount"),
        "repaired": grown("retransmittedPacketsReceived"),
        "lost": grown("packetsLost"),
        "size": f"{last['frameWidth']}x{last['frameHeight']}",
    }


def test_picture_runs_on_through_loss_and_jitter(
    service: Service, chromium: Callable, footage: tuple, report: Callable, links: list[ImpairedLink]
) -> None:
    camera, microphone = footage
    caller = open_steered(
        chromium, f"{service.caller}&codec=VP8", through(links[0]), size=PHONE, camera=camera, microphone=microphone)
    start_call(caller)
    direct = open_steered(chromium, f"{service.viewer}&slots=1", lambda answer: answer)
    impaired = open_steered(chromium, f"{service.viewer}&slots=1", through(links[1]))
    for viewer in (direct, impaired):
        wait_for_picture(viewer)
    counters = Growth(service)
    figures = watch([direct, impaired], SECONDS)
    grown = counters.all()
    print(grown)
    print({k: v for k, v in video(caller).items() if k in ("framesEncoded","framesSent","framesPerSecond","qualityLimitationReason","qualityLimitationDurations","targetBitrate","nackCount","pliCount","retransmittedPacketsSent","packetsSent","totalEncodeTime","frameWidth","frameHeight")})
    for name, row in zip(("direct", "impaired"), figures):
        report(test="impairment", viewer=name, **row)
    report(test="impairment", **{name: grown.get(name, 0) for name in ("nacks_sent", "rtx_received", "nacks_received", "rtx_sent")})
    for link in links:
        assert link.up.lost > 0 and link.down.lost > 0
    assert_repair(grown)
    for row in figures:
        assert row["frames_per_second"] >= ENOUGH_FRAMES, figures
        assert row["frozen"] <= MOST_FROZEN, figures
    # What the caller repaired is whole again for everyone: the viewer with a good line loses next to nothing.
    assert figures[0]["lost"] <= 0.01 * grown["rtp_forwarded"], figures


def assert_repair(grown: dict[str, int]) -> None:
    """Both ways repair works: the service asks the caller, and answers the viewer."""
    for name in ("nacks_sent", "rtx_received", "nacks_received", "rtx_sent"):
        assert grown.get(name, 0) > 0, f"{name} did not grow: {grown}"
    # At 5 % loss each way a repair is lost as easily as anything else: most come at the first try.
    assert grown["rtx_received"] >= 0.5 * grown["nacks_sent"], grown
    assert grown["rtx_sent"] >= 0.5 * grown["nacks_received"], grown
    assert grown.get("rtx_missed", 0) <= 0.1 * grown["nacks_received"], grown
