"""Writes archives by Format.md alone, with real media in every codec and a clock burnt into the picture.

The clock counts milliseconds from the archive's own beginning, so that whoever plays it can be held to the right moment.
"""

import functools
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import burnt_clock

FRAMES_PER_SECOND = 25
SIZE = (640, 360)
#: A keyframe every second, a fragment every half.
GROUP = 25
SECONDS = 240
ENCODERS = {
    "H264": ["-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-bf", "0", "-sc_threshold", "0"],
    "VP8": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "800k"],
    "VP9": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "800k"],
    "AV1": ["-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "pred-struct=1"],
    "opus": ["-c:a", "libopus", "-b:a", "32k"],
}
MIME = {
    "H264": 'video/mp4; codecs="avc1.42c01f"',
    "VP8": 'video/webm; codecs="vp8"',
    "VP9": 'video/mp4; codecs="vp09.00.41.08"',
    "AV1": 'video/mp4; codecs="av01.0.08M.08"',
    "opus": 'audio/mp4; codecs="opus"',
}


@dataclass(frozen=True)
class Fragment:
    data: bytes
    #: Seconds from the beginning of its file.
    start: float
    duration: float
    key: bool
    frames: int


@dataclass(frozen=True)
class Media:
    codec: str
    size: tuple[int, int]
    header: bytes
    fragments: tuple[Fragment, ...]


@functools.cache
def encode(codec: str, first: int, seconds: float, size: tuple[int, int] = SIZE) -> Media:
    """So many seconds of film whose clock begins at `first` milliseconds, or of a tone."""
    environment = os.environ | {"SVT_LOG": "1"}
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / ("film.webm" if codec == "VP8" else "film.mp4")
        command = ["ffmpeg", "-v", "error", "-y"]
        if codec == "opus":
            command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}:sample_rate=48000"]
        else:
            command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", str(FRAMES_PER_SECOND)]
            command += ["-i", "-", "-g", str(GROUP), "-keyint_min", str(GROUP), "-pix_fmt", "yuv420p"]
        command += ENCODERS[codec]
        if codec == "VP8":
            command += ["-f", "webm", "-cluster_time_limit", "480", "-cluster_size_limit", "10M"]
        else:
            command += ["-f", "mp4", "-movflags", "empty_moov+default_base_moof+frag_keyframe+skip_trailer"]
            command += ["-frag_duration", "520000", "-use_editlist", "0"]
        frames = b"" if codec == "opus" else b"".join(pictures(first, seconds, size))
        subprocess.run([*command, str(target)], input=frames, check=True, timeout=SECONDS, env=environment)
        data = target.read_bytes()
    header, fragments = (cut_webm if codec == "VP8" else cut_mp4)(data, codec)
    return Media(codec, (0, 0) if codec == "opus" else size, header, tuple(fragments))


def pictures(first: int, seconds: float, size: tuple[int, int]) -> Iterator[bytes]:
    """Frames with the clock, and stripes that move."""
    width, height = size
    stripes = (np.arange(width * 2) // 20 % 2 * 90 + 70).astype(np.uint8)
    chroma = np.full(width * height // 2, 128, np.uint8).tobytes()
    for index in range(round(seconds * FRAMES_PER_SECOND)):
        luma = np.tile(stripes[index * 4 % 40 :][:width], (height, 1))
        burnt_clock.draw(luma, first + index * 1000 // FRAMES_PER_SECOND)
        yield luma.tobytes() + chroma


# Cutting files into a header and fragments


def cut_mp4(data: bytes, codec: str) -> tuple[bytes, list[Fragment]]:
    boxes = list(children(data, 0, len(data)))
    start = next(offset for kind, offset, _ in boxes if kind == b"moof")
    scale = timescale(data)
    fragments = []
    for index, (kind, offset, length) in enumerate(boxes):
        if kind != b"moof":
            continue
        following, mdat, mdat_length = boxes[index + 1]
        assert following == b"mdat"
        time, count, ticks = run_of(data, offset, length)
        duration = ticks / scale if codec == "opus" else count / FRAMES_PER_SECOND
        first = time / scale
        key = codec == "opus" or round(first * FRAMES_PER_SECOND) % GROUP == 0
        fragments.append(Fragment(data[offset : mdat + mdat_length], first, duration, key, count))
    return data[:start], fragments


def children(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start < end:
        length = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + 8], start, length
        start += length


def find(data: bytes, start: int, length: int, *path: bytes) -> tuple[int, int]:
    for name in path:
        start, length = next((at, size) for kind, at, size in children(data, start + 8, start + length) if kind == name)
    return start, length


def timescale(data: bytes) -> int:
    moov = next((at, size) for kind, at, size in children(data, 0, len(data)) if kind == b"moov")
    at, _ = find(data, *moov, b"trak", b"mdia", b"mdhd")
    offset = at + (28 if data[at + 8] else 20)
    return int.from_bytes(data[offset : offset + 4], "big")


def run_of(data: bytes, moof: int, length: int) -> tuple[int, int, int]:
    """The first decoding time of a fragment, its number of frames, and their ticks together."""
    at, _ = find(data, moof, length, b"traf", b"tfdt")
    time = int.from_bytes(data[at + 12 : at + (20 if data[at + 8] else 16)], "big")
    at, _ = find(data, moof, length, b"traf", b"tfhd")
    flags, cursor = int.from_bytes(data[at + 9 : at + 12], "big"), at + 16
    cursor += (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
    standard = int.from_bytes(data[cursor : cursor + 4], "big") if flags & 8 else 0
    at, _ = find(data, moof, length, b"traf", b"trun")
    flags, count = int.from_bytes(data[at + 9 : at + 12], "big"), int.from_bytes(data[at + 12 : at + 16], "big")
    cursor, ticks = at + 16 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0), 0
    width = sum(4 for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit)
    for index in range(count):
        each = cursor + index * width
        ticks += int.from_bytes(data[each : each + 4], "big") if flags & 0x100 else standard
    return time, count, ticks


def element(data: bytes, at: int) -> tuple[int, int, int | None]:
    """An EBML element's identifier, where its content begins, and its length; None for an unknown one."""
    width = 9 - data[at].bit_length()
    name = int.from_bytes(data[at : at + width], "big")
    at += width
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return name, at + width, None if value == (1 << 7 * width) - 1 else value


def cut_webm(data: bytes, codec: str) -> tuple[bytes, list[Fragment]]:
    _, at, length = element(data, 0)
    segment = at + length
    name, at, _ = element(data, segment)
    assert name == 0x18538067
    # A file that grows has no length yet.
    data = data[: segment + 4] + b"\x01" + b"\xff" * 7 + data[at:]
    assert at == segment + 12
    first, fragments = None, []
    while at < len(data):
        name, content, length = element(data, at)
        if name == 0x1F43B675:
            first = at if first is None else first
            fragments.append(cluster(data, at, content, content + length))
        at = content + length
    return data[:first], fragments


def cluster(data: bytes, start: int, at: int, end: int) -> Fragment:
    time, flags = 0, []
    while at < end:
        name, content, length = element(data, at)
        if name == 0xE7:
            time = int.from_bytes(data[content : content + length], "big")
        if name == 0xA3:
            flags.append(data[content + 3])
        if name == 0xA0:  # a group: ffmpeg ends a film with one
            flags.append(0)
        at = content + length
    return Fragment(data[start:end], time / 1000, len(flags) / FRAMES_PER_SECOND, bool(flags[0] & 0x80), len(flags))


# Writing


@dataclass
class Archive:
    """An archive that is being written."""

    folder: pathlib.Path
    incident: str
    #: When it begins; the clock in the picture counts from here.
    start: datetime
    agency: str = "agency"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    number: int = 0
    previous: str = "0" * 64
    files: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "media").mkdir(parents=True)
        (self.folder / "key.pub").write_text(self.public_key + "\n")
        members = {"format": "sightline-archive", "version": 1, "incident": self.incident, "agency": self.agency}
        self.line("archive", **members, encrypted=False)

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    @property
    def manifest(self) -> pathlib.Path:
        return self.folder / "manifest.jsonl"

    def at(self, seconds: float) -> str:
        return (self.start + timedelta(microseconds=round(seconds * 1e6))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def envelope(self, entry: str, members: dict) -> dict:
        self.number += 1
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"n": self.number, "previous": self.previous, "time": now, "type": entry} | members

    def line(self, entry: str, /, **members: object) -> None:
        self.append(self.envelope(entry, members))

    def append(self, members: dict) -> None:
        data = canonical(members)
        self.previous = hashlib.sha256(data).hexdigest()
        with self.manifest.open("ab") as file:
            file.write(data + b"\n")

    def track(self, name: str, kind: str, peer: str = "peer-1") -> str:
        self.line("track", track=name, kind=kind, peer=peer, source=name)
        return name

    def add(self, track: str, media: Media, at: float, *, rotation: int = 0, without: range = range(0)) -> str:
        """A file that begins `at` seconds; the fragments of `without` are lost. Its name."""
        path = self.begin(track, media, rotation)
        for index, fragment in enumerate(media.fragments):
            if index not in without:
                self.fragment(path, fragment, at)
        return path

    def begin(self, track: str, media: Media, rotation: int = 0, path: str = "") -> str:
        serial = sum(1 for name in self.files if name.startswith(f"media/{track}-"))
        path = path or f"media/{track}-{serial:04d}.{'webm' if media.codec == 'VP8' else 'mp4'}"
        (self.folder / path).write_bytes(media.header)
        self.files[path] = len(media.header)
        self.line(
            "segment", segment=path, track=track, codec=media.codec, mime=MIME[media.codec], width=media.size[0],
            height=media.size[1], rotation=rotation, length=len(media.header), sha256=sha256(media.header))
        return path

    def fragment(self, path: str, fragment: Fragment, at: float) -> None:
        with (self.folder / path).open("ab") as file:
            file.write(fragment.data)
        self.line(
            "fragment", segment=path, offset=self.files[path], length=len(fragment.data), sha256=sha256(fragment.data),
            start=self.at(at + fragment.start), duration=round(fragment.duration * 1e6), key=fragment.key,
            frames=fragment.frames)
        self.files[path] += len(fragment.data)

    def gap(self, track: str, start: float, end: float, reason: str = "loss") -> None:
        self.line("gap", track=track, start=self.at(start), end=self.at(end), reason=reason)

    def file(self, path: str, data: bytes, purpose: str, mime: str, at: float = 0, duration: float = 0) -> None:
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_bytes(data)
        self.line(
            "file", path=path, length=len(data), sha256=sha256(data), purpose=purpose, mime=mime, start=self.at(at),
            duration=round(duration * 1e6))

    def seal(self, final: bool = True) -> None:
        mark = {"number": 0, "hash": "0" * 64, "length": 0}
        members = self.envelope("seal", {"final": final, "key": self.public_key, "journal": mark})
        self.append(members | {"signature": self.key.sign(canonical(members)).hex()})


def canonical(members: dict) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def data_folder(service: object) -> pathlib.Path:
    """Where a running service keeps its data."""
    arguments = service.process.args
    return pathlib.Path(arguments[arguments.index("--data") + 1])


def write_everything(folder: pathlib.Path, incident: str, start: datetime, seconds: int = 12) -> Archive:
    """A sealed archive with a track a codec, and sound: each film in two files, with a gap in the first track."""
    archive = Archive(folder, incident, start)
    half = seconds // 2
    for codec in ("H264", "VP8", "VP9", "AV1", "opus"):
        name = f"{codec.lower()}-1"
        archive.track(name, "audio" if codec == "opus" else "video", peer=f"peer-{codec.lower()}")
        lost = range(4, 8) if codec == "H264" else range(0)
        archive.add(name, encode(codec, 0, half), 0, without=lost)
        if lost:
            archive.gap(name, 2, 4)
        archive.add(name, encode(codec, half * 1000, half), half)
    archive.seal()
    return archive
