"""Writes an archive by the page of its format alone (Archive.docc/Format.md), with nothing of Sightline's."""

import hashlib
import json
import os
import pathlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

INCIDENT = "26-001482"
TIME = "2026-11-23T03:11:22.000000Z"
ZEROS = "0" * 64


def canonical(value: Any) -> bytes:
    """RFC 8785 for what an archive holds: ASCII names and whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


class ArchiveWriter:
    def __init__(
        self, folder: pathlib.Path, key: Ed25519PrivateKey | None = None, version: int = 1, incident: str = INCIDENT
    ) -> None:
        self.folder = folder
        self.incident = incident
        self.key = key or Ed25519PrivateKey.generate()
        self.number = 0
        self.previous = ZEROS
        self.event = 0
        self.event_hash = ZEROS
        self.lengths: dict[str, int] = {}
        folder.mkdir(parents=True)
        (folder / "manifest.jsonl").touch()
        (folder / "journal.jsonl").touch()
        (folder / "key.pub").write_text(public(self.key) + "\n")
        self.line("archive", format="sightline-archive", version=version, incident=incident, agency="metro", encrypted=False)

    def line(self, type: str, **members: Any) -> None:
        self.number += 1
        envelope = {"n": self.number, "previous": self.previous, "time": TIME, "type": type}
        data = canonical(envelope | members)
        self.previous = sha256(data)
        with (self.folder / "manifest.jsonl").open("ab") as file:
            file.write(data + b"\n")

    def append(self, path: str, data: bytes) -> dict[str, Any]:
        target = self.folder / path
        target.parent.mkdir(exist_ok=True)
        with target.open("ab") as file:
            file.write(data)
        self.lengths[path] = self.lengths.get(path, 0) + len(data)
        return {"length": len(data), "sha256": sha256(data)}

    def track(self, name: str, kind: str = "video") -> None:
        self.line("track", track=name, kind=kind, peer="c1", source="s1")

    def segment(self, path: str, track: str, header: bytes = b"header") -> None:
        self.line(
            "segment", segment=path, track=track, codec="H264", mime='video/mp4; codecs="avc1.42c01f"', width=1280,
            height=720, rotation=90, layer="h", of=3, **self.append(path, header),
        )  # fmt: skip

    def fragment(self, path: str, data: bytes | None = None) -> None:
        offset = self.lengths[path]
        self.line(
            "fragment", segment=path, offset=offset, start=TIME, duration=1_000_000, key=True, frames=30,
            **self.append(path, data or os.urandom(500)),
        )  # fmt: skip

    def file(self, path: str, purpose: str, data: bytes) -> None:
        self.line(
            "file", path=path, purpose=purpose, start=TIME, duration=0, mime="image/jpeg", note="für Anna",
            **self.append(path, data),
        )  # fmt: skip

    def journal(self, kind: str, payload: dict[str, Any]) -> None:
        self.event += 1
        content = {
            "incident": self.incident,
            "number": self.event,
            "time": TIME,
            "actor": {"id": "system", "role": "system", "name": "Sightline"},
            "kind": kind,
            "payload": payload,
            "previousHash": self.event_hash,
        }
        self.event_hash = sha256(canonical(content))
        self.append("journal.jsonl", canonical(content | {"hash": self.event_hash}) + b"\n")

    def seal(self, final: bool = True, key: Ed25519PrivateKey | None = None) -> None:
        signer = key or self.key
        mark = {"number": self.event, "hash": self.event_hash, "length": self.lengths.get("journal.jsonl", 0)}
        unsigned = {
            "n": self.number + 1, "previous": self.previous, "time": TIME, "type": "seal", "final": final,
            "journal": mark, "key": public(signer),
        }  # fmt: skip
        self.line(
            "seal", final=final, journal=mark, key=public(signer), signature=signer.sign(canonical(unsigned)).hex()
        )


def write_example(folder: pathlib.Path, sealed: bool = True, **options: Any) -> ArchiveWriter:
    """Two tracks, a still, a late upload, notes, and a journal."""
    archive = ArchiveWriter(folder, **options)
    archive.journal("incident.opened", {"text": "Brückenstraße"})
    archive.track("video")
    archive.track("audio", "audio")
    for path, track in (("media/video-0001.mp4", "video"), ("media/audio-0001.mp4", "audio")):
        archive.segment(path, track)
        for _ in range(3):
            archive.fragment(path)
        archive.seal(final=False)
    archive.journal("chat.message", {"text": "on our way"})
    archive.file("stills/s-0001.jpg", "still", os.urandom(300))
    archive.file("late/l-0001.webm", "late", os.urandom(300))
    archive.line("gap", track="video", start=TIME, end=TIME, reason="loss")
    archive.line("clock", track="video", ssrc=1, rtp=90_000, ntp="e1000000000000ff", arrival=TIME)
    archive.line("note", text="all is well")
    if sealed:
        archive.seal()
    return archive
