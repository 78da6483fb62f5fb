"""ICE-TCP (RFC 6544): a caller, and a viewer, whose network lets no UDP through."""

from collections.abc import Callable

from browser import ChromiumPage, start_call, wait_for_picture
from metrics import read
from service import Service
from steering import keep_candidates, open_steered, statistics, video
from waiting import wait_for

PHONE = (390, 844)
tcp_only = keep_candidates(lambda fields: fields[2].lower() == "tcp")


def assert_over_tcp(page: ChromiumPage) -> None:
    pair = statistics(page)
    assert pair["remote"]["protocol"] == "tcp" and pair["local"]["protocol"] == "tcp", pair


def assert_frames_flow(viewer: ChromiumPage) -> None:
    before = video(viewer)["framesDecoded"]
    wait_for(lambda: video(viewer)["framesDecoded"] > before + 60, "frames flow", 20)


def test_caller_over_tcp(service: Service, chromium: Callable, footage: tuple) -> None:
    camera, microphone = footage
    caller = open_steered(
        chromium, f"{service.caller}&codec=VP8", tcp_only, size=PHONE, camera=camera, microphone=microphone)
    start_call(caller)
    viewer = chromium_viewer(service, chromium, lambda answer: answer)
    assert_frames_flow(viewer)
    assert_over_tcp(caller)
    assert read(service)["tcp_connections"] >= 1


def test_viewer_over_tcp(demo: Service, chromium: Callable) -> None:
    viewer = chromium_viewer(demo, chromium, tcp_only)
    assert_frames_flow(viewer)
    assert_over_tcp(viewer)
    assert read(demo)["tcp_frames_dropped"] == 0


def chromium_viewer(service: Service, chromium: Callable, rewrite: Callable[[str], str]) -> ChromiumPage:
    viewer = open_steered(chromium, f"{service.viewer}&slots=1", rewrite)
    wait_for_picture(viewer)
    return viewer
