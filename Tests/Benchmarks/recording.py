"""What recording costs the relay on this machine: 100 calls of 1.5 Mbit/s, recorded, not recorded, and with a disk that stands.

Usage: Tests/Benchmarks/recording.py PROGRAM [--seconds 20] [--callers 100] [--rounds 3] ... ; `make bench-recording` runs it.

The server is on core 0, `sightline load` on core 1. Each round runs every variant on a node and a folder of its own, one
after the other, so that what else the machine does meets all of them; the figures are medians over the rounds. The
third variant records onto a file system of its own, which is frozen (`fsfreeze`) as soon as everybody is there and thawed
at the end; it needs root and loop devices, and is left out, in words, where there are none. Prints a table and
writes artifacts/benchmark-recording.json.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Interop"))

from node import Node  # noqa: E402
from recordings import Recording  # noqa: E402

CLIP = HERE.parents[1] / "fixtures/media/street.webm"
THREADS = ("media-0", "recorder", "recorder-disk")
NOT_RECORDED, RECORDED, STALLED = "not recorded", "recorded", "disk stands"
SECOND = 1_000_000
#: Sessions started a second, and how much longer than that everybody needs to be there.
RAMP, JOINING_SECONDS = 25, 4
#: Bytes of the file system that is frozen; the file has holes where nothing was written.
IMAGE_BYTES = 4 << 30
#: How long what waited for the frozen disk may take.
STILL_SECONDS = 120
#: Mounts the image where the archives go, in a mount namespace that ends with the server.
MOUNTING = """#!/bin/sh
exec unshare --mount sh -c 'mount --make-rprivate / && mount -o loop {image} {archive} && exec {program} "$@"' sightline "$@"
"""


def make_clip(folder: pathlib.Path, bitrate: int) -> pathlib.Path:
    """The street clip with so many bits per second."""
    clip = folder / "clip.webm"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(CLIP), "-c:v", "libvpx", "-b:v", str(bitrate), "-minrate", str(bitrate),
               "-maxrate", str(bitrate), "-deadline", "realtime", "-cpu-used", "8", "-g", "60", "-c:a", "copy", str(clip)]
    subprocess.run(command, check=True, timeout=300)
    return clip


class Disk:
    """A file system in a file, under the archives of one node."""

    def __init__(self, folder: pathlib.Path, program: pathlib.Path) -> None:
        self.folder, self.program = folder, program
        self.image, self.archive = folder / "disk.ext4", folder / "data/archive"

    def make(self) -> pathlib.Path:
        """Makes the file system; a program that mounts it and becomes the server."""
        with self.image.open("wb") as image:
            image.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", str(self.image)], check=True, timeout=60)
        self.archive.mkdir(parents=True, exist_ok=True)
        starter = self.folder / "start"
        quoted = {"image": self.image, "archive": self.archive, "program": self.program}
        starter.write_text(MOUNTING.format(**{name: shlex.quote(str(path)) for name, path in quoted.items()}))
        starter.chmod(0o755)
        return starter

    def freeze(self, node: Node) -> None:
        self._inside(node, "--freeze")

    def thaw(self, node: Node) -> None:
        self._inside(node, "--unfreeze")

    def _inside(self, node: Node, option: str) -> None:
        command = ["nsenter", "--target", str(node.process.pid), "--mount", "fsfreeze", option, str(self.archive)]
        subprocess.run(command, check=True, timeout=60)

    def wait_until_still(self, node: Node) -> None:
        """Until what waited for the disk has been written."""
        # Only the server's namespace shows what is mounted there.
        seen = pathlib.Path(f"/proc/{node.process.pid}/root{self.archive}")
        size, deadline = -1, time.monotonic() + STILL_SECONDS
        while size != (size := sum(each.stat().st_size for each in seen.glob("*/manifest.jsonl"))):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the recorder goes on writing {STILL_SECONDS} s after its disk was thawed")
            time.sleep(2)

    def take_manifests(self) -> pathlib.Path:
        """Copies the manifests out, once the server and with it the mount has gone; their folder."""
        target = self.folder / "taken"
        target.mkdir()
        script = (f"mount --make-rprivate / && mount -o loop,ro {shlex.quote(str(self.image))} {shlex.quote(str(self.archive))}"
                  f" && cd {shlex.quote(str(self.archive))} && cp --parents */manifest.jsonl {shlex.quote(str(target))}")
        subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, timeout=60)
        return target


def why_no_stall(folder: pathlib.Path) -> str | None:
    """Why a file system cannot be frozen here; None where it can."""
    for tool in ("unshare", "nsenter", "mkfs.ext4", "fsfreeze"):
        if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"):
            return f"{tool} is missing"
    probe = folder / "probe"
    probe.mkdir()
    starter = Disk(probe, pathlib.Path(shutil.which("true") or "/bin/true")).make()
    done = subprocess.run([str(starter)], capture_output=True, text=True, timeout=20)
    shutil.rmtree(probe)
    return None if done.returncode == 0 else done.stderr.strip()


@contextlib.contextmanager
def running(data: pathlib.Path, program: pathlib.Path, arguments: tuple[str, ...], is_pinned: bool) -> Iterator[Node]:
    os.environ["SIGHTLINE_BIN"] = str(program)
    with Node(data, arguments) as node:
        if is_pinned:
            for thread in pathlib.Path(f"/proc/{node.process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {0})
        yield node


@contextlib.contextmanager
def load(node: Node, clip: pathlib.Path, options: argparse.Namespace) -> Iterator[subprocess.Popen]:
    command = [str(options.program), "load", "--target", node.base, "--data", str(node.data), "--callers", str(options.callers),
               "--viewers", str(options.viewers), "--duration", str(options.seconds), "--ramp", str(RAMP), "--clip", str(clip),
               "--pid", str(node.process.pid), "--json", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def measure(variant: str, folder: pathlib.Path, clip: pathlib.Path, options: argparse.Namespace) -> dict:
    """One run of one variant."""
    data = folder / "data"
    data.mkdir()
    disk = Disk(folder, options.program) if variant == STALLED else None
    program = disk.make() if disk else options.program
    arguments = ("--no-recording",) if variant == NOT_RECORDED else ()
    with running(data, program, arguments, options.is_pinned) as node, load(node, clip, options) as generator:
        with frozen(disk, node, options) if disk else contextlib.nullcontext():
            printed, _ = generator.communicate(timeout=options.seconds + 120)
    found = relay_figures(json.loads(printed))
    if variant == RECORDED:
        found |= archive_figures(data / "archive", options.callers)
    if disk:
        found |= archive_figures(disk.take_manifests(), options.callers)
    return found


@contextlib.contextmanager
def frozen(disk: Disk, node: Node, options: argparse.Namespace) -> Iterator[None]:
    """The disk stands still from when everybody is there, as long as the load lasts."""
    time.sleep(options.callers * (1 + options.viewers) / RAMP + JOINING_SECONDS)
    disk.freeze(node)
    try:
        yield
    finally:
        disk.thaw(node)
        disk.wait_until_still(node)


def relay_figures(result: dict) -> dict:
    threads: Counter = Counter()
    for thread in result["server"]["threads"]:
        threads[thread["name"]] += thread["cpuPercent"]
    return {
        "p50": result["delay"]["p50"], "p99": result["delay"]["p99"], "p999": result["delay"]["p999"],
        "lostPackets": result["traffic"]["lostPackets"], "lostShare": result["traffic"]["lostShare"],
        "receivedMegabits": result["traffic"]["bitsPerSecond"] / 1e6, "clipMegabits": result["clip"]["bitrate"] / 1e6,
        "failed": result["sessions"]["failed"] + result["sessions"]["lost"],
        "serverCPU": result["server"]["cpuPercent"], "generatorCPU": result["generator"]["busiestThreadPercent"],
        **{name: threads[name] for name in THREADS},
    }


def archive_figures(archive: pathlib.Path, callers: int) -> dict:
    """What the manifests say: all that came was written, or what was not is in a gap."""
    recordings = [Recording.read(folder) for folder in sorted(archive.iterdir()) if (folder / "manifest.jsonl").exists()]
    tracks = [track for recording in recordings for track in recording.tracks.values() if track.fragments]
    fragments = [fragment for track in tracks for fragment in track.fragments]
    seconds = (max(track.end for track in tracks) - min(track.start for track in tracks)) / SECOND
    gaps: Counter = Counter()
    for track in tracks:
        for gap in track.gaps:
            gaps[gap.reason] += gap.length / SECOND
    return {
        "archives": len(recordings), "missingArchives": callers - len(recordings),
        "sealed": sum(recording.is_sealed for recording in recordings),
        "megabytesPerSecond": sum(fragment.size for fragment in fragments) / seconds / 1e6,
        "fragmentsPerSecond": len(fragments) / seconds,
        "gapSeconds": {reason: round(length, 2) for reason, length in gaps.items()},
        # What the ring or the way to the disk had no room for.
        "droppedSeconds": gaps["overload"] + gaps["disk"],
    }


def medians(runs: list[dict]) -> dict:
    return {name: median(run[name] for run in runs) for name, value in runs[0].items() if isinstance(value, int | float)}


def run(options: argparse.Namespace, folder: pathlib.Path) -> dict:
    reason = why_no_stall(folder)
    variants = [NOT_RECORDED, RECORDED] + ([STALLED] if reason is None else [])
    clip = make_clip(folder, options.bitrate)
    runs: dict[str, list[dict]] = {variant: [] for variant in variants}
    for number in range(options.rounds):
        for variant in variants:
            place = folder / f"{number}-{variants.index(variant)}"
            place.mkdir()
            runs[variant].append(measure(variant, place, clip, options))
            shutil.rmtree(place)
            latest = runs[variant][-1]
            print(f"round {number + 1}, {variant}: p99 {latest['p99']:.3f} ms, {latest['lostPackets']} lost", file=sys.stderr)
    return {
        "callers": options.callers, "viewersPerCaller": options.viewers, "seconds": options.seconds, "rounds": options.rounds,
        "pinned": options.is_pinned, "stallLeftOut": reason, "medians": {name: medians(each) for name, each in runs.items()},
        "runs": runs,
    }


def table(result: dict) -> str:
    columns = list(result["medians"].values())
    cells = lambda name, form: [form.format(column[name]) if name in column else "" for column in columns]  # noqa: E731
    rows = [
        (f"{result['callers']} callers of {columns[0]['clipMegabits']:.2f} Mbit/s, {result['viewersPerCaller']} viewers each",
         list(result["medians"])),
        ("forwarding delay p50, ms", cells("p50", "{:.3f}")),
        ("forwarding delay p99, ms", cells("p99", "{:.3f}")),
        ("forwarding delay p99.9, ms", cells("p999", "{:.3f}")),
        ("packets lost, share", cells("lostShare", "{:.4%}")),
        ("received by viewers, Mbit/s", cells("receivedMegabits", "{:.0f}")),
        ("server, of one core", cells("serverCPU", "{:.0f} %")),
        *((f"  thread {name}", cells(name, "{:.1f} %")) for name in THREADS),
        ("generator's busiest thread, of one core", cells("generatorCPU", "{:.0f} %")),
        ("written, MB a second", cells("megabytesPerSecond", "{:.1f}")),
        ("fragments a second", cells("fragmentsPerSecond", "{:.0f}")),
        ("archives, of them sealed", [f"{column['archives']:.0f}, {column['sealed']:.0f}" if "archives" in column else ""
                                      for column in columns]),
        ("given up (gaps overload, disk), seconds of media", cells("droppedSeconds", "{:.1f}")),
    ]
    widths = [max(len(row[0]) for row in rows)] + [max(len(row[1][place]) for row in rows) for place in range(len(columns))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1], widths[1:]))]) for row in rows]
    if result["stallLeftOut"]:
        lines.append(f"The disk that stands still is left out: {result['stallLeftOut']}")
    return "\n".join(line.rstrip() for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=20, help="how long each run is measured")
    parser.add_argument("--callers", type=int, default=100)
    parser.add_argument("--viewers", type=int, default=1, help="of each caller")
    parser.add_argument("--bitrate", type=int, default=1_500_000, help="of each caller's picture, bits per second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--report", type=pathlib.Path, default=pathlib.Path("artifacts/benchmark-recording.json"))
    options = parser.parse_args()
    options.program = options.program.resolve()
    options.is_pinned = len(os.sched_getaffinity(0)) > 1
    if options.is_pinned:
        os.sched_setaffinity(0, {1})
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    # Beside the report and not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(dir=options.report.parent) as folder:
        result = run(options, pathlib.Path(folder).resolve())
    print(table(result))
    options.report.write_text(json.dumps(result, indent=2) + "\n")
    print(f"Figures: {options.report}")


if __name__ == "__main__":
    main()
