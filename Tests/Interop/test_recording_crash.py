"""The server is killed with SIGKILL at random instants while it records ten calls: what is in the archives holds, up to the
last second.

`SIGHTLINE_RECORDING_CRASHES` says how often (100 take about ten minutes), `SIGHTLINE_SEED` repeats a run.
"""

import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import service as services
from node import Node
from recordings import Recording, Segment, probe
from waiting import wait_for

CRASHES = int(os.environ.get("SIGHTLINE_RECORDING_CRASHES", "6"))
SEED = int(os.environ.get("SIGHTLINE_SEED", "20260101"))
CALLS = 10
#: How long the calls are recorded before a kill, once all of them are, seconds.
RECORDED = (0.1, 2.5)
SECOND = 1_000_000
#: Share of kills that do not wait for that, and how long after the calls began they come, seconds.
EARLY, EARLY_SECONDS = 0.25, (0.1, 1.2)
#: Media that a kill may cost (the issue's own figure), microseconds.
MOST_LOST = SECOND
#: Bytes that no line names: less than a second of a track, and a header.
MOST_UNNAMED = 2 << 20


@contextlib.contextmanager
def calls(node: Node) -> Iterator[None]:
    """Ten callers, each in an incident of its own, who go on until this ends."""
    command = [
        services.binary(), "load", "--target", node.base, "--data", str(node.data), "--callers", str(CALLS),
        "--viewers", "0", "--duration", "600", "--quiet",
    ]
    with (node.data / "load.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=services.ROOT, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def folders(node: Node) -> list[pathlib.Path]:
    """The archives that were begun: a folder without a manifest is none yet."""
    return sorted(manifest.parent for manifest in (node.data / "archive").glob("*/manifest.jsonl")
                  if ".aside" not in manifest.parent.name)


def recorded(node: Node) -> bool:
    """Whether each call has fragments of its picture and its sound on the disk."""
    texts = [(folder / "manifest.jsonl").read_bytes() for folder in folders(node)]
    return len(texts) == CALLS and all(
        all(b'"segment":"media/' + kind in text.rpartition(b"\n")[0] for kind in (b"a-", b"v-")) for text in texts)


@dataclass(frozen=True)
class Crash:
    """What a kill left behind."""

    #: Microseconds from the end of what is recorded to the kill, of each track.
    lost: list[int]
    unnamed: int
    torn: int
    fragments: int


def crash(node: Node, chance: random.Random) -> Crash:
    is_early = chance.random() < EARLY
    with calls(node):
        if not is_early:
            wait_for(lambda: recorded(node), f"{CALLS} calls are recorded", 30)
        time.sleep(chance.uniform(*EARLY_SECONDS if is_early else RECORDED))
        killed = time.time_ns() // 1000
        node.kill()
    recordings = [Recording.read(folder) for folder in folders(node)]
    assert is_early or len(recordings) == CALLS
    unnamed = 0
    for recording in recordings:
        assert not recording.is_sealed
        left = recording.check_bytes()
        assert left <= MOST_UNNAMED, f"{recording.folder.name}: {left} bytes have no line"
        unnamed += left
        recording.check_journal()
    if recordings:
        check_media(chance.choice(recordings), node.data)
    # A track that has nothing yet has nothing to lose: its first fragment is made when it has lasted a while.
    tracks = [track for recording in recordings for track in recording.tracks.values() if track.fragments]
    return Crash(
        lost=[killed - track.end for track in tracks], unnamed=unnamed,
        torn=sum(recording.torn > 0 for recording in recordings), fragments=sum(len(track.fragments) for track in tracks))


def check_media(recording: Recording, scratch: pathlib.Path) -> None:
    """The bytes that lines name are a file that plays, with all its frames."""
    for segment in recording.segments.values():
        named = named_part(recording, segment, scratch)
        assert len(probe(named)["packets"]) == sum(fragment.frames for fragment in segment.fragments)


def named_part(recording: Recording, segment: Segment, scratch: pathlib.Path) -> pathlib.Path:
    part = scratch / pathlib.Path(segment.path).name
    part.write_bytes(recording.path(segment).read_bytes()[: segment.length])
    return part


def check_recovered(node: Node) -> None:
    """The next start has made every archive whole, sealed it and said so."""
    node.start()
    wait_for(lambda: all(Recording.read(each).is_sealed for each in folders(node)), "all archives are sealed", 20)
    for folder in folders(node):
        recording = Recording.read(folder)
        assert recording.check_bytes() == 0, f"{folder.name}: no byte is without a line"
        recording.check_seal()
        recording.check_journal()
        assert any("recover" in note.lower() for note in recording.notes), f"{folder.name} says: {recording.notes}"


def test_kills_cost_a_second_at_most(tmp_path: pathlib.Path, report: Callable[..., None]) -> None:
    chance = random.Random(SEED)
    crashes: list[Crash] = []
    for number in range(CRASHES):
        data = tmp_path / f"data-{number}"
        data.mkdir()
        with Node(data) as node:
            crashes.append(crash(node, chance))
            check_recovered(node)
        shutil.rmtree(data)
    lost = sorted(each for crash in crashes for each in crash.lost)
    report(
        test="recording crash", kills=CRASHES, tracks=len(lost), fragments=sum(crash.fragments for crash in crashes),
        median_lost_ms=lost[len(lost) // 2] // 1000, most_lost_ms=lost[-1] // 1000,
        archives_with_torn_lines=sum(crash.torn for crash in crashes), unnamed_bytes=sum(crash.unnamed for crash in crashes))
    assert lost[-1] <= MOST_LOST, f"a kill cost {lost[-1] / SECOND:.2f} s"
