"""What is left of a call on a bad link: 10 % loss and 100 ms delay, on the caller's side or on the viewer's.

Usage: Tests/Benchmarks/loss.py PROGRAM [--seconds 30] [--loss 0.1] [--delay 0.1]; `make bench-loss` runs it.

The same Chromium sends and watches the same picture over Sightline and, where Debian's package is installed, over Janus,
one after the other on the same machine. Loss and delay hold in both directions of the bad link, so that requests for lost
packets are lost, too. Prints a table and writes artifacts/benchmark-loss.json.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator

from playwright.sync_api import sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "Interop"), str(HERE)]

import janus_room  # noqa: E402
import service as services  # noqa: E402
from impairment import ImpairedLink, Impairment  # noqa: E402
from relay_figures import Stretch  # noqa: E402
from relay_page import FRAME_RATE, Browsers, Call, Exchange, RelayPage, make_footage  # noqa: E402

#: Seconds from the caller being connected until somebody watches.
START_UP = 2
#: Seconds for the encoder and the repair to find their pace before anything is measured.
WARM_UP = 6
HEIGHT = 360
PICTURE = {"width": 640, "height": HEIGHT, "encodings": [{"maxBitrate": 600_000}]}
CANDIDATE = re.compile(r"^a=candidate:.*\r\n", re.MULTILINE)
COLUMNS = (
    "system", "bad link", "frames", "delivered", "freezes", "frozen", "longest gap", "lost", "asked again", "keyframes asked",
    "sound made up",
)

Rewrite = Callable[[str], str]
Opener = Callable[[Rewrite, Rewrite], tuple[Exchange, Callable[[], Exchange]]]


def through(link: ImpairedLink) -> Rewrite:
    """Puts the link's port in the place of the first candidate of each section and drops the others."""

    def rewrite(description: str) -> str:
        fields = CANDIDATE.search(description)[0].split()
        link.server = fields[4], int(fields[5])
        only = f"a=candidate:1 1 udp 2130706431 {link.address} {link.port} typ host\r\n"
        head, *sections = re.split(r"(?=^m=)", description, flags=re.MULTILINE)
        return head + "".join(CANDIDATE.sub("", each) + (only if CANDIDATE.search(each) else "") for each in sections)

    return rewrite


@contextlib.contextmanager
def sightline(folder: pathlib.Path) -> Iterator[Opener]:
    running = services.start(folder, "--no-caller", "--no-phone", "--media-address", own_address())
    try:
        yield lambda up, down: (
            Call(running.whip, running.whip_token, up), lambda: Call(running.whep, running.whep_token, down))
    finally:
        running.stop()


@contextlib.contextmanager
def janus(folder: pathlib.Path) -> Iterator[Opener]:
    def open_room(up: Rewrite, down: Rewrite) -> tuple[Exchange, Callable[[], Exchange]]:
        publisher = janus_room.Publisher(up)
        return publisher, lambda: janus_room.Subscriber(publisher.feed, down)

    with janus_room.janus(folder, own_address()):
        yield open_room


def own_address() -> str:
    """The address that this machine would go out from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


def measure(browsers: Browsers, open_call: Opener, bad: str, impairment: Impairment, seconds: float) -> dict:
    """One call with the bad link on one side."""
    with ImpairedLink(impairment if bad == "caller" else Impairment(), seed=1, address=own_address()) as up, \
            ImpairedLink(impairment if bad == "viewer" else Impairment(), seed=2, address=own_address()) as down:
        sending, watching = open_call(through(up), through(down))
        caller = browsers.open(sending)
        caller.publish(**PICTURE)
        caller.until_connected()
        # The server's end of the handshake may come later on a bad link, and only then there is something to watch.
        caller.pause(START_UP)
        viewer = browsers.open(watching())
        (viewer.watch if isinstance(sending, Call) else viewer.watch_offered)()
        viewer.until_shown()
        viewer.pause(WARM_UP)
        start, encoded = viewer.now(), frames_encoded(caller)
        viewer.pause(seconds)
        stretch, encoded = Stretch(viewer.seen(), start, viewer.now()), frames_encoded(caller) - encoded
        caller.close()
        viewer.close()
        assert (up if bad == "caller" else down).down.lost > 0, "the bad link lost something"
    return row(stretch, encoded)


def frames_encoded(caller: RelayPage) -> int:
    streams = caller.page.evaluate("window.relayPage.readings.at(-1)")["streams"]
    return sum(stream["framesEncoded"] for stream in streams if stream["kind"] == "video")


def row(stretch: Stretch, encoded: int) -> dict:
    decoded = stretch.grown("framesDecoded")
    return {
        "framesEncoded": encoded, "framesDecoded": decoded, "deliveredShare": round(decoded / max(1, encoded), 3),
        "freezes": stretch.grown("freezeCount"),
        "frozenShare": round(stretch.grown("totalFreezesDuration") / stretch.seconds, 3),
        "longestGapMilliseconds": round(stretch.longest_gap), "packetsLost": stretch.grown("packetsLost"),
        "nacks": stretch.grown("nackCount"), "keyframeRequests": stretch.grown("pliCount"),
        "audioConcealedShare": round(stretch.concealed, 4), "bitsPerSecond": round(stretch.bitrate()),
    }


def table(rows: list[dict]) -> str:
    lines = [COLUMNS]
    for each in rows:
        lines.append((
            each["system"], each["badLink"], f"{each['framesDecoded']:.0f}", f"{each['deliveredShare']:.1%}",
            f"{each['freezes']:.0f}", f"{each['frozenShare']:.1%}", f"{each['longestGapMilliseconds']} ms",
            f"{each['packetsLost']:.0f}", f"{each['nacks']:.0f}", f"{each['keyframeRequests']:.0f}",
            f"{each['audioConcealedShare']:.1%}",
        ))
    widths = [max(len(line[place]) for line in lines) for place in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--loss", type=float, default=0.1)
    parser.add_argument("--delay", type=float, default=0.1)
    arguments = parser.parse_args()
    os.environ["SIGHTLINE_BIN"] = str(arguments.program.resolve())
    impairment = Impairment(delay=arguments.delay, loss=arguments.loss)
    systems = {"sightline": sightline}
    if shutil.which("janus"):
        systems["janus"] = janus
    rows = []
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = pathlib.Path(name)
        footage = make_footage(folder)
        for bad in ("caller", "viewer"):
            for system, start in systems.items():
                place = folder / f"{system}-{bad}"
                place.mkdir()
                browsers = Browsers(playwright, *footage)
                with contextlib.closing(browsers), start(place) as open_call:
                    figures = measure(browsers, open_call, bad, impairment, arguments.seconds)
                rows.append({"system": system, "badLink": bad, **figures})
    print(f"{arguments.loss:.0%} loss, {1000 * arguments.delay:.0f} ms each way, {arguments.seconds:g} s of {FRAME_RATE} frames/s")
    print(table(rows))
    target = HERE.parents[1] / "artifacts/benchmark-loss.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
