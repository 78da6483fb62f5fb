"""`sightline verify` against archives that another program wrote by the page of the format."""

import json
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive_writer import ArchiveWriter, public, write_example
from service import binary

WHOLE, DAMAGED, CANNOT_CHECK, NOT_SEALED = 0, 1, 2, 3


def sightline(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=60)


def verify(folder: pathlib.Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    result = sightline("verify", folder, "--json", *arguments)
    return result.returncode, json.loads(result.stdout) if result.stdout else {"error": result.stderr}


def damaged(report: dict[str, Any]) -> set[str]:
    return {finding["path"] for finding in report["findings"] if finding["severity"] == "damage"}


@pytest.fixture
def archive(tmp_path: pathlib.Path) -> ArchiveWriter:
    return write_example(tmp_path / "archive")


def test_accepts_what_follows_the_format(archive: ArchiveWriter) -> None:
    status, report = verify(archive.folder, "--key", public(archive.key), "--sealed")
    assert (status, report["whole"], report["state"], report["findings"]) == (WHOLE, True, "sealed", [])
    assert report["signedLines"] == report["lines"] == archive.number
    assert report["events"] == 2 and report["fragments"] == 6 and report["files"] == 2
    assert report["head"] == archive.previous and report["keySource"] == "given"


def test_says_that_the_archives_own_key_proves_less(archive: ArchiveWriter) -> None:
    result = sightline("verify", archive.folder)
    assert result.returncode == WHOLE
    assert "not who sealed it" in result.stdout


def test_unsealed_is_whole_unless_a_seal_is_demanded(tmp_path: pathlib.Path) -> None:
    archive = write_example(tmp_path / "a", sealed=False)
    with (archive.folder / "media/video-0001.mp4").open("ab") as file:
        file.write(b"half a fragment")
    with (archive.folder / "manifest.jsonl").open("ab") as file:
        file.write(b'{"duration":10000')
    status, report = verify(archive.folder)
    assert (status, report["state"], report["whole"]) == (WHOLE, "unsealed", True)
    assert verify(archive.folder, "--sealed")[0] == NOT_SEALED


def flip(path: pathlib.Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def relink(path: pathlib.Path) -> None:
    path.rename(path.parent.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent.parent / "elsewhere")


def swap(folder: pathlib.Path) -> None:
    first, second = folder / "media/video-0001.mp4", folder / "media/audio-0001.mp4"
    first.rename(folder / "other")
    second.rename(first)
    (folder / "other").rename(second)


ATTACKS: dict[str, tuple[Callable[[pathlib.Path], object], set[str]]] = {
    "flipped segment": (lambda f: flip(f / "media/video-0001.mp4"), {"media/video-0001.mp4"}),
    "flipped still": (lambda f: flip(f / "stills/s-0001.jpg"), {"stills/s-0001.jpg"}),
    "flipped manifest": (lambda f: flip(f / "manifest.jsonl"), {"manifest.jsonl"}),
    "flipped journal": (lambda f: flip(f / "journal.jsonl"), {"journal.jsonl"}),
    "flipped key": (lambda f: flip(f / "key.pub"), {"key.pub"}),
    "removed segment": (lambda f: (f / "media/video-0001.mp4").unlink(), {"media/video-0001.mp4"}),
    "added segment": (lambda f: (f / "media/video-0002.mp4").touch(), {"media/video-0002.mp4"}),
    "swapped segments": (swap, {"media/video-0001.mp4", "media/audio-0001.mp4"}),
    "truncated segment": (lambda f: os.truncate(f / "media/video-0001.mp4", 100), {"media/video-0001.mp4"}),
    "linked segment": (lambda f: relink(f / "media/video-0001.mp4"), {"media/video-0001.mp4"}),
    "link out": (lambda f: (f / "media/x.mp4").symlink_to("/etc/passwd"), {"media/x.mp4"}),
    "linked folder": (lambda f: (f / "more").symlink_to("/etc"), {"more"}),
    "pipe": (lambda f: os.mkfifo(f / "media/pipe"), {"media/pipe"}),
    "hidden folder": (lambda f: (f / ".git").mkdir(), {".git"}),
    "no manifest": (lambda f: (f / "manifest.jsonl").unlink(), {"manifest.jsonl"}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_names_what_was_altered(archive: ArchiveWriter, name: str) -> None:
    change, paths = ATTACKS[name]
    change(archive.folder)
    for arguments in ([], ["--key", public(archive.key)]):
        status, report = verify(archive.folder, *arguments)
        assert status == DAMAGED
        assert damaged(report) >= paths, report["findings"]


def test_a_media_folder_that_is_a_link_is_not_followed(archive: ArchiveWriter) -> None:
    (archive.folder / "media").rename(archive.folder.parent / "elsewhere")
    (archive.folder / "media").symlink_to(archive.folder.parent / "elsewhere")
    status, report = verify(archive.folder)
    assert status == DAMAGED
    assert damaged(report) == {"media", "media/video-0001.mp4", "media/audio-0001.mp4"}


def test_a_wrong_key_and_a_rewritten_manifest(tmp_path: pathlib.Path) -> None:
    forged = write_example(tmp_path / "a", key=Ed25519PrivateKey.generate())
    status, report = verify(forged.folder, "--key", public(Ed25519PrivateKey.generate()))
    assert status == DAMAGED and damaged(report) == {"manifest.jsonl"}
    assert public(forged.key) in json.dumps(report["findings"])


def test_keys_that_were_rotated(tmp_path: pathlib.Path) -> None:
    archive = write_example(tmp_path / "a", sealed=False)
    successor = Ed25519PrivateKey.generate()
    archive.seal(key=successor)
    both = f"{public(archive.key)}\n{public(successor)}\n"
    (archive.folder / "key.pub").write_text(both)
    (tmp_path / "node.pub").write_text(both)
    assert verify(archive.folder, "--key", tmp_path / "node.pub")[0] == WHOLE
    assert verify(archive.folder, "--key", public(successor), "--key", public(archive.key))[0] == WHOLE
    assert verify(archive.folder, "--key", public(successor))[0] == DAMAGED


def test_a_future_version_says_what_to_do(tmp_path: pathlib.Path) -> None:
    status, report = verify(write_example(tmp_path / "a", version=2).folder)
    assert status == DAMAGED
    assert "use a newer one" in report["findings"][0]["text"]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "media/../x", "media/.x", "media/a/b", "x/y", "media/" + "a" * 200])
def test_paths_lead_nowhere(tmp_path: pathlib.Path, path: str) -> None:
    archive = ArchiveWriter(tmp_path / "a")
    archive.track("video")
    archive.line(
        "segment", segment=path, track="video", codec="H264", mime="video/mp4", width=1, height=1, rotation=0, length=0,
        sha256="0" * 64,
    )  # fmt: skip
    archive.seal()
    status, report = verify(archive.folder)
    assert status == DAMAGED
    assert any("no path in an archive" in finding["text"] for finding in report["findings"])


def test_a_folder_of_archives(tmp_path: pathlib.Path) -> None:
    first, second = write_example(tmp_path / "all/1"), write_example(tmp_path / "all/2")
    keys = ["--key", public(first.key), "--key", public(second.key)]
    result = sightline("verify", tmp_path / "all", *keys)
    assert result.returncode == WHOLE and "2 archives, 0 damaged" in result.stdout
    flip(second.folder / "media/video-0001.mp4")
    result = sightline("verify", tmp_path / "all", *keys)
    assert result.returncode == DAMAGED and "DAMAGE media/video-0001.mp4" in result.stdout
    status, reports = verify(tmp_path / "all", *keys)
    assert status == DAMAGED and [report["folder"] for report in reports] == ["1", "2"]


def test_what_cannot_be_checked(tmp_path: pathlib.Path, archive: ArchiveWriter) -> None:
    assert sightline("verify", tmp_path / "nowhere").returncode == CANNOT_CHECK
    (tmp_path / "nothing").mkdir()
    assert "no archive" in sightline("verify", tmp_path / "nothing").stderr
    (tmp_path / "bad.pub").write_text("not a key\n")
    for key in (tmp_path / "bad.pub", tmp_path / "missing.pub", "abc", "0" * 63):
        result = sightline("verify", archive.folder, "--key", key)
        assert result.returncode == CANNOT_CHECK and "is no public key" in result.stderr


def keys_of(data: pathlib.Path) -> list[dict[str, str]]:
    return json.loads(sightline("archive-keys", "list", "--data", data, "--json").stdout)


def test_keys_of_a_node(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "archive-keys"
    folder.mkdir()
    assert sightline("archive-keys", "list", "--data", tmp_path).returncode != 0
    current = folder / "current"
    current.write_text("11" * 32 + " 2026-11-23T03:11:22.000000Z\n")
    current.chmod(0o600)
    first = public(Ed25519PrivateKey.from_private_bytes(bytes([0x11] * 32)))
    assert [key["key"] for key in keys_of(tmp_path)] == [first]
    assert sightline("archive-keys", "rotate", "--data", tmp_path).returncode == 0
    keys = keys_of(tmp_path)
    assert keys[0]["key"] == first and "until" in keys[0] and "until" not in keys[1]
    assert current.stat().st_mode & 0o777 == 0o600
    assert sightline("archive-keys", "export", "--data", tmp_path).stdout == "".join(f"{k['key']}\n" for k in keys)
    assert sightline("archive-keys", "export", "--data", tmp_path, "--current").stdout == f"{keys[1]['key']}\n"


@pytest.mark.parametrize("content", ["", "11" * 31 + " 2026-11-23T03:11:22Z\n", "11" * 32 + "\n", "\xff"])
def test_an_unreadable_key_is_left_as_it_is(tmp_path: pathlib.Path, content: str) -> None:
    folder = tmp_path / "archive-keys"
    folder.mkdir()
    current = folder / "current"
    current.write_bytes(content.encode("latin-1"))
    current.chmod(0o600)
    for command in ("list", "rotate", "export"):
        result = sightline("archive-keys", command, "--data", tmp_path)
        assert result.returncode != 0 and "Nothing was changed" in result.stderr
    assert current.read_bytes() == content.encode("latin-1")
