"""Figures out of what a page of relay_page.js has noted: rates, gaps, freezes, sound, over any stretch of time."""

from dataclasses import dataclass

#: Audio samples a second.
CLOCK = 48_000


@dataclass(frozen=True)
class Stretch:
    """What a viewer saw from one moment to another, in milliseconds since 1970."""

    seen: dict
    start: float
    end: float

    @property
    def readings(self) -> list[dict]:
        return [each for each in self.seen["readings"] if self.start <= each["at"] <= self.end]

    @property
    def frames(self) -> list[list[float]]:
        return [frame for frame in self.seen["frames"] if self.start <= frame[0] <= self.end]

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / 1000

    @property
    def heights(self) -> list[int]:
        """The pictures' heights in the order in which they came, without repetitions."""
        heights = [int(frame[3]) for frame in self.frames]
        return [height for place, height in enumerate(heights) if place == 0 or heights[place - 1] != height]

    def gaps(self, longer_than: float) -> list[tuple[float, float]]:
        """Times without a new picture that last longer than so many milliseconds; from and to the stretch's ends, too."""
        times = [self.start, *(frame[0] for frame in self.frames), self.end]
        return [(before, after) for before, after in zip(times, times[1:]) if after - before > longer_than]

    @property
    def longest_gap(self) -> float:
        """Milliseconds."""
        return max(end - start for start, end in self.gaps(-1))

    def freezes(self, beside: "Stretch", longer_than: float) -> list[tuple[float, float]]:
        """Gaps that a viewer of the same source on a better link did not have at that time, even if shorter.

        What stops both is the caller's browser, or the machine.
        """
        def is_shared(gap: tuple[float, float]) -> bool:
            return any(start < gap[1] and end > gap[0] for start, end in beside.gaps(longer_than / 2))

        return [gap for gap in self.gaps(longer_than) if not is_shared(gap)]

    @property
    def frame_rate(self) -> float:
        return len(self.frames) / self.seconds

    def grown(self, name: str, kind: str = "video") -> float:
        """How much a counter of the stream of this kind has grown."""
        values = [stream.get(name, 0) for stream in self._streams(kind)]
        return values[-1] - values[0] if values else 0

    def bitrate(self, kind: str = "video") -> float:
        """Received, bits per second, without RTP headers and padding."""
        streams = self._streams(kind)
        if len(streams) < 2:
            return 0
        duration = (streams[-1]["timestamp"] - streams[0]["timestamp"]) / 1000
        return 8 * (streams[-1]["bytesReceived"] - streams[0]["bytesReceived"]) / duration

    @property
    def concealed(self) -> float:
        """Share of the sound that had to be made up, silence without sound included."""
        total = self.grown("totalSamplesReceived", "audio")
        return self.grown("concealedSamples", "audio") / total if total else 1

    @property
    def concealed_seconds(self) -> float:
        return self.grown("concealedSamples", "audio") / CLOCK

    def summary(self) -> dict:
        """What a person who tunes the relay wants to know of the stretch."""
        emitted = self.grown("jitterBufferEmittedCount")
        return {
            "seconds": round(self.seconds, 1), "heights": self.heights, "kbps": round(self.bitrate() / 1000),
            "fps": round(self.frame_rate, 1), "longest_gap_ms": round(self.longest_gap),
            "freezes": self.grown("freezeCount"), "frozen_s": round(self.grown("totalFreezesDuration"), 2),
            "buffer_ms": round(1000 * self.grown("jitterBufferDelay") / emitted) if emitted else None,
            "lost": self.grown("packetsLost"), "nacks": self.grown("nackCount"), "plis": self.grown("pliCount"),
            "keyframes": self.grown("keyFramesDecoded"), "dropped": self.grown("framesDropped"),
            "audio_lost": self.grown("packetsLost", "audio"), "concealed": round(self.concealed, 4),
        }

    def _streams(self, kind: str) -> list[dict]:
        return [stream for reading in self.readings for stream in reading["streams"] if stream["kind"] == kind]


def by_second(seen: dict, start: float, end: float, step: float = 1000) -> list[str]:
    """One line a second (or another step), to print."""
    lines = []
    at = start
    while at < end:
        part = Stretch(seen, at, min(end, at + step)).summary()
        row = ("kbps", "fps", "longest_gap_ms", "freezes", "buffer_ms", "lost", "nacks", "plis", "audio_lost", "concealed")
        figures = " ".join(f"{name}={part[name]}" for name in row)
        lines.append(f"{(at - start) / 1000:6.1f} {'/'.join(map(str, part['heights'])) or '-':>12} {figures}")
        at += step
    return lines
