"""GStreamer's webrtcbin, an independent implementation, as caller and as viewer."""

import json
import pathlib
import subprocess

import pytest

from service import Service

PEER = pathlib.Path(__file__).resolve().parent / "gstreamer_peer.py"
PYTHON = "/usr/bin/python3"  # Debian's, which has the bindings


def begin(part: str, url: str, token: str, seconds: float, codec: str = "VP8") -> subprocess.Popen:
    command = [PYTHON, str(PEER), part, url, token, "--seconds", str(seconds), "--codec", codec]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result(peer: subprocess.Popen) -> dict:
    output, _ = peer.communicate(timeout=40)
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_whip_in_whep_out(service: Service, codec: str) -> None:
    caller = begin("publish", service.whip, service.whip_token, 14, codec)
    viewer = begin("watch", service.whep, service.whep_token, 12, codec)
    seen, sent = result(viewer), result(caller)
    assert sent["error"] is None and sent["state"] == "connected"
    assert seen["error"] is None and seen["state"] == "connected"
    assert seen["frames"]["video"] >= 120, seen
    assert seen["frames"]["audio"] >= 200, seen


def test_watches_the_simulated_caller(demo: Service) -> None:
    found = [result(begin("watch", demo.whep, demo.whep_token, 8, codec)) for codec in ("VP8", "H264")]
    assert any(each["frames"]["video"] >= 90 for each in found), found
