"""A caller whose only way out is a TURN server, with the time-limited credentials that the service hands out."""

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

import turn_server
from browser import start_call, wait_for_picture
from conftest import run_service
from service import Service
from steering import open_steered, statistics, video
from turn_server import TURNServer
from waiting import wait_for

PHONE = (390, 844)


@dataclass(frozen=True)
class Relayed:
    service: Service
    turn: TURNServer


@pytest.fixture
def relayed(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[Relayed]:
    """A service that hands out a TURN server over one transport; parameters are the transport and the service's secret."""
    transport, secret = request.param
    with turn_server.running(tmp_path) as turn:
        turn.secret_file.write_text(secret)
        for service in run_service(tmp_path, "--no-caller", *turn.options(transport)):
            yield Relayed(service, turn)


@pytest.mark.parametrize(
    ("relayed", "transport"), [((each, turn_server.SECRET), each) for each in ("udp", "tcp")], indirect=["relayed"])
def test_call_through_turn_only(
    relayed: Relayed, transport: str, chromium: Callable, footage: tuple, report: Callable
) -> None:
    camera, microphone = footage
    caller = open_steered(
        chromium, f"{relayed.service.caller}&ice=relay&codec=VP8", lambda answer: answer, size=PHONE, camera=camera,
        microphone=microphone)
    start_call(caller)
    viewer = open_steered(chromium, f"{relayed.service.viewer}&slots=1", lambda answer: answer)
    wait_for_picture(viewer)
    before = video(viewer)["framesDecoded"]
    wait_for(lambda: video(viewer)["framesDecoded"] > before + 60, "frames flow", 20)
    local = statistics(caller)["local"]
    assert local["candidateType"] == "relay" and local["relayProtocol"] == transport, local
    assert local["url"] == relayed.turn.url(transport)
    report(test="TURN", transport=transport, round_trip_ms=caller.evaluate("window.sightline.stats.roundTripMilliseconds"))


@pytest.mark.parametrize("relayed", [("udp", "not the secret that coturn has")], indirect=True)
def test_wrong_secret_opens_nothing(relayed: Relayed, chromium: Callable) -> None:
    caller = chromium(f"{relayed.service.caller}&ice=relay", size=PHONE)
    caller.click("start-video")
    wait_for(lambda: "Cannot find credentials" in relayed.turn.log.read_text(), "coturn refuses the credentials", 15)
    assert caller.evaluate("window.sightline.state") != "connected"
