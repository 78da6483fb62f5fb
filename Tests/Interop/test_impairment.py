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
#: The networks, and the share of the service's requests for lost packets that lead to one. A request or its answer is
#: lost one time in ten, and some are made twice. Where packets overtake each other, many that are asked for come by
#: themselves.
NETWORKS = {
    "queues": (Impairment(delay=0.05, jitter=0.02, loss=0.05), 0.5),
    "overtaking": (Impairment(delay=0.05, jitter=0.02, loss=0.05, keeps_order=False), 0.1),
}
SECONDS = 12
#: Frames a second that are still a moving picture; how many there are is up to the caller's encoder, which slows down
#: when the loss makes it careful, so that what is decoded is also held against what was encoded. Of several sizes that is the
#: busiest, which need not be the one that is seen: the share only tells a picture that runs from one that does not.
ENOUGH_FRAMES = 6
SHARE_OF_FRAMES = 0.5
#: Share of the time that the picture may stand still, by WebRTC's own definition of a freeze: 0.03 to 0.23 by itself, up to
#: 0.33 where a busy machine makes the caller send half as many pictures. Whether repairs work is counted beside it.
MOST_FROZEN = 0.4
REPAIRS = ("nacks_sent", "rtx_received", "nacks_received", "rtx_sent")


def watch(pages: list[ChromiumPage], seconds: int) -> list[dict]:
    """Reads each page's video once a second; a summary of each."""
    readings: list[list[dict]] = [[] for _ in pages]
    for _ in range(seconds + 1):
        for page, taken in zip(pages, readings):
            taken.append(video(page))
        pages[0].page.wait_for_timeout(1000)
    return [summary(taken) for taken in readings]


def summary(readings: list[dict]) -> dict:
    """Frame rate (median over seconds) of what was encoded or decoded, and what a receiver had to repair."""
    first, last = readings[0], readings[-1]
    frames = "framesDecoded" if first["type"] == "inbound-rtp" else "framesEncoded"
    rates = [
        1000 * (after[frames] - before[frames]) / (after["timestamp"] - before["timestamp"])
        for before, after in zip(readings, readings[1:])
    ]
    row = {"frames_per_second": round(median(rates), 1), "size": f"{last['frameWidth']}x{last['frameHeight']}"}
    if frames == "framesEncoded":
        return row | {"limited_by": last["qualityLimitationReason"], "target_kbps": round(last["targetBitrate"] / 1000)}
    grown = lambda name: last.get(name, 0) - first.get(name, 0)  # noqa: E731
    frozen = 1000 * grown("totalFreezesDuration") / (last["timestamp"] - first["timestamp"])
    return row | {
        "frozen": round(frozen, 3), "nacks": grown("nackCount"), "lost": grown("packetsLost"),
        "repaired": grown("retransmittedPacketsReceived"),
    }


@pytest.fixture
def links(network: str) -> Iterator[list[ImpairedLink]]:
    """A bad network for the caller and another for a viewer."""
    impairment, _ = NETWORKS[network]
    with ImpairedLink(impairment, seed=1) as first, ImpairedLink(impairment, seed=2) as second:
        yield [first, second]


@pytest.mark.parametrize("network", list(NETWORKS))
def test_picture_runs_on_through_loss_and_jitter(
    service: Service, chromium: Callable, footage: tuple, report: Callable, links: list[ImpairedLink], network: str
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
    sent, *seen = watch([caller, direct, impaired], SECONDS)
    grown = counters.all()
    report(test="impairment", network=network, caller="impaired", **sent)
    for name, row in zip(("direct", "impaired"), seen):
        report(test="impairment", network=network, viewer=name, **row)
    report(test="impairment", network=network, **{name: grown.get(name, 0) for name in (*REPAIRS, "rtx_missed")})
    for link in links:
        assert link.up.lost > 0 and link.down.lost > 0
    assert_repair(grown, NETWORKS[network][1])
    for row in seen:
        assert row["frames_per_second"] >= max(ENOUGH_FRAMES, SHARE_OF_FRAMES * sent["frames_per_second"]), (sent, seen)
        assert row["frozen"] <= MOST_FROZEN, seen
    # What the caller repaired is whole again for everyone: the viewer with a good line loses next to nothing.
    assert seen[0]["lost"] <= 0.01 * grown["rtp_forwarded"], seen


def assert_repair(grown: dict[str, int], useful: float) -> None:
    """Both ways of repair work: the service asks the caller, and answers the viewer."""
    for name in REPAIRS:
        assert grown.get(name, 0) > 0, f"{name} did not grow: {grown}"
    assert grown["rtx_received"] >= useful * grown["nacks_sent"], grown
    # Both viewers also ask for what the service itself is still waiting for; nothing else may be missed.
    assert grown.get("rtx_missed", 0) <= 3 * grown["nacks_sent"], grown
    assert grown["rtx_sent"] + grown.get("rtx_missed", 0) >= 0.9 * grown["nacks_received"], grown
