"""Reads an incident's archive by its format alone (Sources/Archive/Archive.docc/Format.md): nothing of the service's own code.

`Recording.read` takes the manifest apart and checks its chain; `check_bytes`, `check_journal` and `check_seal` check the
rest. Times are microseconds since 1970 on the server's clock.
"""

import hashlib
import json
import pathlib
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import journal

GENESIS = "00" * 32
MAXIMUM_LINE = 64 << 10
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)
TOOL_SECONDS = 60


def microseconds(text: str) -> int:
    """A time as the manifest writes it."""
    assert text.endswith("Z"), f"{text} is no time in UTC"
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


@dataclass(frozen=True)
class Span:
    """Some time of a track: of which there is a fragment, or a gap with its reason."""

    start: int
    end: int
    reason: str = ""

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Fragment(Span):
    offset: int = 0
    size: int = 0
    digest: str = ""
    begins_with_keyframe: bool = False
    frames: int = 0


@dataclass
class Segment:
    """One media file of a track."""

    path: str
    codec: str
    size: tuple[int, int]
    header: int
    header_digest: str
    origin: int | None
    fragments: list[Fragment] = field(default_factory=list)

    @property
    def start(self) -> int:
        """Where the file's own time is 0."""
        return self.fragments[0].start if self.origin is None else self.origin

    @property
    def end(self) -> int:
        return self.fragments[-1].end

    @property
    def length(self) -> int:
        """Bytes that the manifest knows of."""
        return self.header + sum(fragment.size for fragment in self.fragments)


@dataclass
class Track:
    name: str
    kind: str
    peer: str
    source: str
    segments: list[Segment] = field(default_factory=list)
    gaps: list[Span] = field(default_factory=list)
    clocks: list[dict] = field(default_factory=list)

    @property
    def fragments(self) -> list[Fragment]:
        return [fragment for segment in self.segments for fragment in segment.fragments]

    @property
    def frames(self) -> int:
        return sum(fragment.frames for fragment in self.fragments)

    @property
    def start(self) -> int:
        return self.fragments[0].start

    @property
    def end(self) -> int:
        return self.fragments[-1].end

    def unexplained(self) -> list[Span]:
        """Time between the first and the last fragment that neither a fragment nor a gap covers.

        A gap may lie inside a fragment: that lasts from its first frame to the end of its last.
        """
        return uncovered(Span(self.start, self.end), [*self.fragments, *self.gaps])


@dataclass
class Recording:
    """An archive as its manifest describes it."""

    folder: pathlib.Path
    lines: list[dict]
    #: Bytes behind the last whole line: what was being written when the server died.
    torn: int
    tracks: dict[str, Track] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    files: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seals: list[dict] = field(default_factory=list)

    @classmethod
    def read(cls, folder: pathlib.Path) -> "Recording":
        """Takes the manifest apart; fails where its chain or its form is broken."""
        *whole, rest = (folder / "manifest.jsonl").read_bytes().split(b"\n")
        recording = cls(folder, [], len(rest))
        previous, time = GENESIS, ""
        for number, text in enumerate(whole, 1):
            assert len(text) <= MAXIMUM_LINE, f"line {number} is too long"
            line = json.loads(text)
            assert journal.canonical(line).encode() == text, f"line {number} is not in canonical form"
            assert line["n"] == number and line["previous"] == previous, f"line {number} is not chained to the one before"
            assert line["time"] >= time, f"line {number} is from before the one before"
            previous, time = hashlib.sha256(text).hexdigest(), line["time"]
            recording._add(line)
        return recording

    def of_kind(self, kind: str) -> list[Track]:
        return [track for track in self.tracks.values() if track.kind == kind]

    @property
    def is_sealed(self) -> bool:
        return bool(self.lines) and self.lines[-1]["type"] == "seal" and self.lines[-1]["final"] and not self.torn

    def _add(self, line: dict) -> None:
        assert (not self.lines) == (line["type"] == "archive"), "the first line says what this is, and only that"
        self.lines.append(line)
        match line["type"]:
            case "archive":
                assert (line["format"], line["version"]) == ("sightline-archive", 1)
            case "track":
                self.tracks[line["track"]] = Track(line["track"], line["kind"], line["peer"], line["source"])
            case "segment":
                self._add_segment(line)
            case "fragment":
                self._add_fragment(line)
            case "gap":
                gap = Span(microseconds(line["start"]), microseconds(line["end"]), line["reason"])
                assert gap.length > 0, f"a gap of {gap.length} µs"
                self.tracks[line["track"]].gaps.append(gap)
            case "clock":
                self.tracks[line["track"]].clocks.append(line)
            case "file":
                self.files.append(line)
            case "note":
                self.notes.append(line["text"])
            case "seal":
                self.seals.append(line)
            case other:
                raise AssertionError(f"no line is of type {other}")

    def _add_segment(self, line: dict) -> None:
        path, origin = line["segment"], line.get("origin")
        assert path not in self.segments, f"{path} begins twice"
        segment = Segment(
            path, line["codec"], (line["width"], line["height"]), line["length"], line["sha256"],
            microseconds(origin) if origin else None)
        self.segments[path] = segment
        self.tracks[line["track"]].segments.append(segment)

    def _add_fragment(self, line: dict) -> None:
        segment, start = self.segments[line["segment"]], microseconds(line["start"])
        assert line["offset"] == segment.length, f"{segment.path}: bytes between two fragments"
        segment.fragments.append(Fragment(
            start, start + line["duration"], offset=line["offset"], size=line["length"], digest=line["sha256"],
            begins_with_keyframe=line["key"], frames=line["frames"]))

    def path(self, segment: Segment) -> pathlib.Path:
        return self.folder / segment.path

    def check_bytes(self) -> int:
        """Every byte that a line names is what was hashed, and no file is unknown; the bytes at ends that no line names."""
        unnamed = 0
        for segment in self.segments.values():
            held = self.path(segment).read_bytes()
            assert len(held) >= segment.length, f"{segment.path} is shorter than its fragments"
            assert digest(held[: segment.header]) == segment.header_digest, f"{segment.path}: its header is another"
            for fragment in segment.fragments:
                part = held[fragment.offset : fragment.offset + fragment.size]
                assert digest(part) == fragment.digest, f"{segment.path}: the fragment at {fragment.offset} is another"
            unnamed += len(held) - segment.length
        for file in self.files:
            held = (self.folder / file["path"]).read_bytes()
            assert (len(held), digest(held)) == (file["length"], file["sha256"]), f"{file['path']} is another"
        unknown = {each for each in self._held() if each not in self.segments} - {file["path"] for file in self.files}
        return unnamed + sum((self.folder / path).stat().st_size for path in unknown)

    def _held(self) -> list[str]:
        folders = [self.folder / name for name in ("media", "stills", "late")]
        return [str(each.relative_to(self.folder)) for folder in folders if folder.exists() for each in folder.iterdir()]

    def check_seal(self, key: str | None = None) -> dict:
        """The last line is a final seal and its signature holds for `key`, or for the one that it names; the seal."""
        assert self.is_sealed, f"the last line is no final seal: {self.lines[-1:]}"
        for seal in self.seals:
            signed = {name: value for name, value in seal.items() if name != "signature"}
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key or seal["key"]))
            public.verify(bytes.fromhex(seal["signature"]), journal.canonical(signed).encode())
        return self.seals[-1]

    def check_journal(self) -> list[dict]:
        """The copy of the journal is chained, and each seal names its event and place; its events.

        What lies behind the last seal may end within a line.
        """
        held = (self.folder / "journal.jsonl").read_bytes()
        whole = held[: held.rfind(b"\n") + 1]
        assert whole == held or not self.is_sealed, "the journal's copy ends with a whole line"
        events = [json.loads(line) for line in whole.splitlines()]
        journal.check_chain(events)
        for mark in (seal["journal"] for seal in self.seals):
            sealed = held[: mark["length"]].splitlines()
            assert len(sealed) == mark["number"] and held[: mark["length"]].endswith(b"\n")
            assert events[mark["number"] - 1]["hash"] == mark["hash"], "the seal's event is the journal's"
        return events


def uncovered(whole: Span, spans: list[Span]) -> list[Span]:
    """What of `whole` none of the spans covers."""
    holes, reached = [], whole.start
    for span in sorted(spans, key=lambda span: span.start):
        if span.start > reached:
            holes.append(Span(reached, min(span.start, whole.end)))
        reached = max(reached, span.end)
        if reached >= whole.end:
            return holes
    return [*holes, Span(reached, whole.end)]


def digest(held: bytes) -> str:
    return hashlib.sha256(held).hexdigest()


def probe(path: pathlib.Path) -> dict:
    """What ffprobe sees: the stream's facts, and each packet with its time; fails if it complains."""
    shown = run("ffprobe", "-show_streams", "-show_packets", "-of", "json", str(path))
    facts = json.loads(shown)
    (stream,) = facts["streams"]
    return stream | {"packets": facts["packets"]}


def decode(path: pathlib.Path) -> None:
    """Decodes all of it with ffmpeg; fails if that complains of anything."""
    # Frames keep their own times: ffmpeg would force them onto a frame rate that it guesses, and complain of those that meet.
    run("ffmpeg", "-xerror", "-i", str(path), "-fps_mode", "passthrough", "-enc_time_base", "1:1000000", "-f", "null", "-")


def run(tool: str, *arguments: str) -> str:
    done = subprocess.run([tool, "-v", "error", *arguments], capture_output=True, text=True, timeout=TOOL_SECONDS)
    assert done.returncode == 0 and not done.stderr, f"{tool} {' '.join(arguments)}: {done.stderr[:2000]}"
    return done.stdout
