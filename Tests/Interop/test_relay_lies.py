"""Whoever lies to the relay changes nothing for anyone else, and is counted."""

from collections.abc import Callable

import pytest

from lying_viewer import LIES, RATE, LyingViewer
from metrics import Growth
from relay_figures import Stretch, by_second
from relay_page import FRAME_RATE, Browsers, Call, RelayPage, browsers, relay_footage  # noqa: F401
from service import Service

SECONDS = 2
#: Milliseconds without a picture that a busy machine may cause; what a lie could cause would be longer.
STALL = 700
#: Pictures a second of the demo's caller that an honest viewer always gets.
ENOUGH = 0.7
#: Keyframes that the caller is asked for, a second, however often a viewer asks.
MOST_KEYFRAMES = 1
#: Three encodings of the smallest camera that browsers send three of.
SIMULCAST = {
    "width": 960, "height": 540, "encodings": [
        {"rid": "q", "scaleResolutionDownBy": 4, "maxBitrate": 60_000},
        {"rid": "h", "scaleResolutionDownBy": 2, "maxBitrate": 150_000},
        {"rid": "f", "scaleResolutionDownBy": 1, "maxBitrate": 500_000},
    ],
}
WORST, BEST = 135, 540
#: Seconds until a viewer has been given another layer, and until it has the best again.
FALL_SECONDS, RISE_SECONDS = 3, 12
#: The counter in which each lie shows.
COUNTERS = {
    "remb of nothing": None,
    "remb of 10^18": None,
    "absurd transport feedback": "rtcp_malformed",
    "absurd reports": None,
    "nack flood": "nacks_received",
    "pli flood": "keyframe_requests_received",
}


def test_lies_change_nothing_for_others(service: Service, browsers: Browsers, report: Callable) -> None:  # noqa: F811
    caller = browsers.open(Call(service.whip, service.whip_token))
    caller.publish(width=640, height=360, encodings=[{"maxBitrate": 600_000}])
    caller.until_sending(360)
    honest = browsers.open(Call(service.whep, service.whep_token))
    honest.watch()
    honest.until_shown(360)
    with LyingViewer(service.whep, service.whep_token) as liar:
        liar.connect()
        honest.pause(1)
        spans: dict[str, tuple[float, float]] = {}
        grown: dict[str, dict[str, int]] = {}
        for name, lie in LIES.items():
            counters, start = Growth(service), honest.now()
            liar.lie(lie, SECONDS * RATE)
            honest.pause(0.5)
            spans[name], grown[name] = (start, honest.now()), counters.all()
        liar_frames = liar.received.video_frames
    seen = honest.seen()
    first, last = next(iter(spans.values()))[0], honest.now()
    print("\n".join(by_second(seen, first, last)))
    for name, span in spans.items():
        stretch = Stretch(seen, *span)
        report(test="relay lies", lie=name, liar_frames=liar_frames, **stretch.summary(), counted=grown[name])
    for name, span in spans.items():
        assert_unaffected(name, Stretch(seen, *span))
    # A second request waits for the first one's keyframe, and for a while after it.
    for name, counted in grown.items():
        assert counted.get("keyframes_requested", 0) <= 1 + MOST_KEYFRAMES * (SECONDS + 1), name
        if COUNTERS[name]:
            assert counted.get(COUNTERS[name], 0) > 0, f"{name} is not counted: {counted}"


def assert_unaffected(name: str, stretch: Stretch) -> None:
    assert stretch.longest_gap <= STALL, name
    assert stretch.frame_rate >= ENOUGH * FRAME_RATE, name
    assert stretch.grown("packetsLost") == 0, name
    assert set(stretch.heights) == {360}, name


def test_layers_that_vanish_leave_a_picture(
    service: Service, browsers: Browsers, report: Callable  # noqa: F811
) -> None:
    caller = browsers.open(Call(service.whip, service.whip_token))
    caller.publish(**SIMULCAST)
    caller.until_sending(BEST)
    viewer = browsers.open(Call(service.whep, service.whep_token))
    viewer.watch()
    viewer.until_shown(BEST, 20)
    viewer.pause(1)
    moments = [viewer.now()]
    for wanted in (["q"], ["q", "h", "f"]):
        caller.send_only(*wanted)
        viewer.pause(FALL_SECONDS if wanted == ["q"] else RISE_SECONDS)
        moments.append(viewer.now())
    seen = viewer.seen()
    print("\n".join(by_second(seen, moments[0] - 1000, moments[-1])))
    gone, back = (Stretch(seen, start, end) for start, end in zip(moments, moments[1:]))
    report(test="relay lies", lie="layers vanish", **gone.summary())
    report(test="relay lies", lie="layers come back", **back.summary())
    assert gone.heights[-1] == WORST, "what is left is shown"
    assert gone.longest_gap <= 2 * STALL
    assert back.heights[-1] == BEST, "the best is shown again"
    assert back.longest_gap <= STALL
