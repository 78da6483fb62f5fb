"""A viewer on a narrow link beside one on a wide one: each gets what its link bears, and neither notices the other."""

import json
import os
import pathlib
from collections.abc import Callable, Iterator

import pytest

import service as services
from narrow_link import NarrowLink
from browser import CHROMIUM
from relay_figures import Stretch, by_second
from relay_page import HIGH, LOW, MIDDLE, SIMULCAST, Browsers, Call, RelayPage, browsers, relay_footage  # noqa: F401
from service import Service

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces")

#: The issue's own figures: kbit/s, and seconds until the picture fits.
NARROW, WIDER, NARROWEST = 600, 3000, 150
SETTLE_SECONDS = 5
RISE_SECONDS = 10
#: Milliseconds without a new picture that are a freeze to a person.
FREEZE = 500
#: Milliseconds that this machine may stand still, with three encoders and two decoders on two cores.
MACHINE_STALL = 800
#: Seconds watched after the link has changed and the picture has settled.
STEADY_SECONDS = 10
#: Seconds in which a link that has become 20 times narrower may garble sound: the queue before it is full of picture.
ALARM_SECONDS = 1
#: Share of sound that may be made up; the browser conceals some now and then to keep its buffer short.
MOST_CONCEALED = 0.02


@pytest.fixture
def link() -> Iterator[NarrowLink]:
    with NarrowLink() as link:
        yield link


@pytest.fixture
def node(tmp_path: pathlib.Path, link: NarrowLink) -> Iterator[Service]:
    """A service that the far end of the link can reach."""
    addresses = ["--media-address", "127.0.0.1", "--media-address", link.server_address]
    running = services.start(tmp_path, "--no-caller", "--no-phone", *addresses)
    yield running
    assert running.stop() == 0


class Watched:
    """The two viewers through the phases of the link."""

    def __init__(self, slow: RelayPage, fast: RelayPage, artifacts: pathlib.Path) -> None:
        self.slow, self.fast = slow, fast
        self._artifacts = artifacts
        self._phases: list[tuple[str, float]] = []

    def enter(self, phase: str) -> float:
        self._phases.append((phase, self.slow.now()))
        return self._phases[-1][1]

    def stretches(self) -> dict[str, tuple[Stretch, Stretch]]:
        """By phase: what the slow and the fast viewer saw; all of it goes to the artifacts, too."""
        end = self.slow.now()
        pages = self.slow.seen(), self.fast.seen()
        for name, seen in zip(("slow", "fast"), pages):
            (self._artifacts / f"relay-links-{name}.json").write_text(json.dumps(seen))
            print(f"--- {name}, from {self._phases[0][0]}")
            print("\n".join(by_second(seen, self._phases[0][1], end)))
        ends = [at for _, at in self._phases[1:]] + [end]
        return {
            phase: tuple(Stretch(seen, start, until) for seen in pages)
            for (phase, start), until in zip(self._phases, ends)
        }


def test_each_viewer_gets_what_its_link_bears(
    link: NarrowLink, node: Service, browsers: Browsers, tmp_path: pathlib.Path, artifacts: pathlib.Path,  # noqa: F811
    report: Callable,
) -> None:
    caller = browsers.open(Call(node.whip, node.whip_token))
    caller.publish(encodings=SIMULCAST)
    caller.until_sending(HIGH)
    fast = browsers.open(Call(node.whep, node.whep_token))
    fast.watch()
    fast.until_shown(HIGH)
    link.limit(NARROW)
    slow = browsers.open(Call(node.whep, node.whep_token), link.program(CHROMIUM, tmp_path))
    slow.watch()
    slow.until_shown()
    watched = Watched(slow, fast, artifacts)
    watched.enter("settling")
    slow.pause(SETTLE_SECONDS)
    watched.enter("narrow")
    slow.pause(STEADY_SECONDS)
    link.limit(WIDER)
    watched.enter("rising")
    slow.pause(RISE_SECONDS)
    watched.enter("wider")
    slow.pause(STEADY_SECONDS / 2)
    link.limit(NARROWEST)
    watched.enter("alarm")
    slow.pause(ALARM_SECONDS)
    watched.enter("narrowest")
    slow.pause(STEADY_SECONDS)
    stretches = watched.stretches()
    for phase, (of_slow, of_fast) in stretches.items():
        report(test="relay links", phase=phase, viewer="slow", **of_slow.summary())
        report(test="relay links", phase=phase, viewer="fast", **of_fast.summary())
    assert_slow(stretches)
    assert_fast_unaffected(stretches)


def assert_slow(stretches: dict[str, tuple[Stretch, Stretch]]) -> None:
    narrow, rising, wider, narrowest = (
        stretches[phase][0] for phase in ("narrow", "rising", "wider", "narrowest"))
    assert not narrow.freezes(stretches["narrow"][1], FREEZE), "no freeze once the picture has settled"
    assert narrow.bitrate() <= 1000 * NARROW
    assert narrow.heights in ([MIDDLE], [LOW]), "a layer that fits, and no change of mind"
    assert narrow.heights == [MIDDLE], "the best layer that fits"
    assert HIGH in rising.heights, f"the top layer within {RISE_SECONDS} s"
    assert wider.heights == [HIGH]
    assert not wider.freezes(stretches["wider"][1], FREEZE)
    assert narrowest.concealed <= MOST_CONCEALED, "sound goes on unbroken on the narrowest link"


def assert_fast_unaffected(stretches: dict[str, tuple[Stretch, Stretch]]) -> None:
    for phase, (_, fast) in stretches.items():
        assert fast.heights == [HIGH], phase
        assert fast.longest_gap <= MACHINE_STALL, phase
        assert fast.grown("packetsLost") == 0, phase
        assert fast.concealed <= MOST_CONCEALED, phase
