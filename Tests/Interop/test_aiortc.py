"""aiortc, an independent implementation, as caller and as viewer."""

from collections.abc import Callable

import pytest

from aiortc_peer import AiortcPeer
from browser import start_call, wait_for_picture
from service import Service
from waiting import wait_for

SILENCE = 300  # of 32,767


def assert_media(viewer: AiortcPeer) -> None:
    wait_for(lambda: viewer.received.video_frames >= 60, "aiortc decodes 60 frames", 20)
    wait_for(lambda: viewer.received.audio_frames >= 100, "aiortc decodes 2 s of sound", 20)
    wait_for(lambda: viewer.received.loudest > SILENCE, "aiortc hears something", 15)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_whip_in_whep_out(service: Service, report: Callable, codec: str) -> None:
    with AiortcPeer(service.whip, service.whip_token) as caller, AiortcPeer(service.whep, service.whep_token) as viewer:
        caller.publish(codec)
        caller.connect()
        viewer.watch()
        viewer.connect()
        assert_media(viewer)
        assert viewer.received.sizes == {(640, 360)}
        delays = sorted(viewer.received.delays)
        assert len(delays) > 30, "the burnt-in clock can be read"
        report(caller="aiortc", viewer="aiortc", codec=codec, median_ms=delays[len(delays) // 2])


def test_watches_the_simulated_caller(demo: Service) -> None:
    with AiortcPeer(demo.whep, demo.whep_token) as viewer:
        viewer.watch()
        viewer.connect()
        assert_media(viewer)
        assert viewer.received.sizes == {(1280, 720)}


def test_calls_to_a_browser(service: Service, chromium: Callable) -> None:
    with AiortcPeer(service.whip, service.whip_token) as caller:
        caller.publish()
        caller.connect()
        viewer = chromium(service.viewer)
        figures = wait_for_picture(viewer)
        assert figures["video"]["width"] == 640


def test_watches_a_browser(service: Service, chromium: Callable) -> None:
    caller = chromium(f"{service.caller}&codec=VP8", size=(390, 844))
    start_call(caller)
    with AiortcPeer(service.whep, service.whep_token) as viewer:
        viewer.watch()
        viewer.connect()
        wait_for(lambda: viewer.received.video_frames >= 60, "aiortc decodes 60 frames", 20)


def test_late_viewer_gets_a_picture_at_once(service: Service, report: Callable) -> None:
    with AiortcPeer(service.whip, service.whip_token) as caller:
        caller.publish()
        caller.connect()
        for _ in range(3):
            with AiortcPeer(service.whep, service.whep_token) as viewer:
                viewer.watch()
                viewer.connect()
                wait_for(lambda: viewer.received.video_frames > 0, "the first picture", 2, every=0.01)
