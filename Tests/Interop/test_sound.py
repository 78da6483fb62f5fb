"""Sound over links that lose packets: redundant audio from the caller's browser, and to a viewer's."""

from collections.abc import Callable

from browser import ChromiumPage, start_call, wait_for_picture
from impairment import ImpairedLink, Impairment
from metrics import Growth
from service import Service
from steering import open_steered, through
from waiting import wait_for

PHONE = (390, 844)
#: Delay and jitter, so that the browser's jitter buffer is as deep as it is on a mobile network.
LOSSY = Impairment(delay=0.04, jitter=0.02, loss=0.1)
GOOD = Impairment(delay=0.04, jitter=0.02)
SECONDS = 10
#: Share of the lost packets that are lost for good when each is repeated once, and some slack: one in ten.
MOST_LOST_AFTER_REPAIR = 0.3

SOUND = """async () => {
  const report = [...(await window.connections.at(-1).getStats()).values()];
  const stream = report.filter((entry) => entry.kind === "audio")
    .find((entry) => entry.type === "inbound-rtp" || entry.type === "outbound-rtp");
  return { ...stream, codec: report.find((entry) => entry.id === stream?.codecId)?.mimeType };
}"""
GROWING = (
    "packetsReceived", "packetsLost", "packetsDiscarded", "concealedSamples", "silentConcealedSamples",
    "totalSamplesReceived",
)


def sound(page: ChromiumPage) -> dict:
    """The page's one stream of sound, with its codec's name."""
    return page.evaluate(SOUND)


def hear(page: ChromiumPage, seconds: int) -> dict:
    """What grew while the page listened, and the share of it that the browser made up."""
    before = sound(page)
    page.page.wait_for_timeout(1_000 * seconds)
    after = sound(page)
    grown = {name: after.get(name, 0) - before.get(name, 0) for name in GROWING}
    made_up = grown["concealedSamples"] - grown["silentConcealedSamples"]
    return grown | {"codec": after["codec"], "made_up": round(made_up / max(1, grown["totalSamplesReceived"]), 4)}


def test_what_is_lost_on_the_callers_link_is_heard(
    service: Service, chromium: Callable, footage: tuple, report: Callable
) -> None:
    camera, microphone = footage
    with ImpairedLink(LOSSY, seed=3) as link:
        caller = open_steered(
            chromium, f"{service.caller}&codec=VP8", through(link), size=PHONE, camera=camera, microphone=microphone)
        start_call(caller)
        viewer = open_steered(chromium, f"{service.viewer}&slots=1", lambda answer: answer)
        wait_for_picture(viewer)
        counters = Growth(service)
        heard = hear(viewer, SECONDS)
        repaired, repeated = counters["red_recovered"], counters["red_sent"]
        report(test="sound", link="caller", repaired=repaired, **heard)
    assert heard["packetsReceived"] >= 40 * SECONDS, "sound goes on"
    assert repaired > 0, "the caller's browser sends redundant audio"
    # What the relay could not repair never came, and the viewer counts it.
    assert heard["packetsLost"] <= MOST_LOST_AFTER_REPAIR * (repaired + heard["packetsLost"]), heard
    assert repeated == 0, "what is lost before the relay says nothing about the viewer's link"


def test_a_viewer_behind_a_lossy_link_gets_redundant_sound(
    service: Service, chromium: Callable, footage: tuple, report: Callable
) -> None:
    camera, microphone = footage
    caller = open_steered(
        chromium, f"{service.caller}&codec=VP8", lambda answer: answer, size=PHONE, camera=camera, microphone=microphone)
    start_call(caller)
    with ImpairedLink(GOOD, seed=4) as link:
        viewer = open_steered(chromium, f"{service.viewer}&slots=1", through(link))
        wait_for_picture(viewer)
        counters = Growth(service)
        good = hear(viewer, 5)
        report(test="sound", link="viewer, good", **good)
        assert counters["red_sent"] == 0, "a good link gets plain sound"
        link.impairment = LOSSY
        wait_for(lambda: counters["red_sent"] > 0, "the service notices the losses", 30)
        lossy = hear(viewer, SECONDS)
        report(test="sound", link="viewer, lossy", **lossy)
        assert lossy["packetsLost"] > 0
        lost = lossy["packetsLost"] / (lossy["packetsLost"] + lossy["packetsReceived"])
        # Without repair, at least what is lost is made up, and the stretches around it as well.
        assert lossy["made_up"] <= 0.6 * lost, lossy
        assert lossy["packetsReceived"] >= 35 * SECONDS
