"""Calls whose picture goes out in several sizes: the largest that there is at a moment is what the archive has."""

import pathlib
from collections.abc import Callable
from itertools import groupby

import pytest

from api import Api
from browser import ChromiumPage, start_call
from recordings import Recording, Track
from service import Service
from test_recording import (
    PHONE, SECOND, check_duration, check_media, check_time_line, hang_up, install_flash_camera, pictures, sealed_recording,
)
from waiting import wait_for

#: Lines of the camera: with fewer, browsers leave out a size.
LINES = 720
#: What may be missing when the sender changes its sizes twice: noticing, asking (once a second) and a keyframe.
MOST_MISSING = SECOND * 3 // 2


def ask_for(service: Service, page: ChromiumPage, quality: str) -> None:
    with Api(service.base, service.accounts["operator"].token) as operator:
        [caller] = operator.get(f"/api/v1/incidents/{service.incident}")["callers"]
        payload = {"caller": caller["id"], "command": "quality", "argument": quality}
        operator.post(f"/api/v1/incidents/{service.incident}/events", {"kind": "command", "payload": payload})
    wait_for(lambda: page.evaluate("window.sightline.quality") == quality, f"the page is asked for {quality}")


def lines_sent(page: ChromiumPage) -> int:
    return page.evaluate("window.sightline.stats.video?.height ?? 0")


def heights(track: Track) -> list[int]:
    """Of the files in their order, each once."""
    return [height for height, _ in groupby(segment.size[1] for segment in track.segments)]


@pytest.mark.parametrize("codec", ["VP8", "H264", "VP9"])
def test_largest_size_is_recorded_also_when_it_pauses(
    service: Service, chromium: Callable, report: Callable, tmp_path: pathlib.Path, codec: str
) -> None:
    caller = chromium(f"{service.caller}&codec={codec}&sizes=several", size=PHONE)
    install_flash_camera(caller, 1280, LINES)
    start_call(caller)
    wait_for(lambda: lines_sent(caller) == LINES, "the largest size goes out", 40)
    caller.page.wait_for_timeout(3000)
    ask_for(service, caller, "medium")
    caller.page.wait_for_timeout(4000)
    ask_for(service, caller, "high")
    wait_for(lambda: lines_sent(caller) == LINES, "the largest size goes out again", 40)
    caller.page.wait_for_timeout(4000)
    hang_up(caller)
    recording = sealed_recording(service, tmp_path)
    [track] = recording.of_kind("video")
    check_media(recording, track)
    check_time_line(recording, track)
    shown = pictures(recording, track)
    figures = check_duration(track, shown)
    gaps = [gap for gap in track.gaps if gap.length > SECOND // 10]
    report(
        test="recording, several sizes", codec=codec, heights=heights(track), **figures,
        gaps=[f"{gap.reason} {gap.length / SECOND:.2f} s" for gap in gaps])
    check_heights(heights(track))
    assert sum(gap.length for gap in gaps) <= MOST_MISSING, f"{gaps}"
    check_every_picture_once(recording, track)


def check_heights(seen: list[int]) -> None:
    """The largest, smaller ones for a while, and the largest again, which is the last."""
    assert seen[-1] == LINES, seen
    first = seen.index(LINES)
    between = seen[first + 1 : -1]
    assert between and max(between) < LINES, f"{seen}: it went on while the largest paused"


def check_every_picture_once(recording: Recording, track: Track) -> None:
    """A decoder shows as many pictures as the manifest has: of the layers of a picture only the largest."""
    assert len(pictures(recording, track)) == track.frames
