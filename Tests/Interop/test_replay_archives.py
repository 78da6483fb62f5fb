"""The replay's HTTP interface on archives that are written by the format's description alone: who gets what, by ranges,
by playlist, by HLS, and what is said of archives that are not what they should be."""

import json
import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

import archives
import service as services
from api import Answer, Api
from archives import Archive
from service import Service

REASON = {"reason": "complaint 26/7"}
MICROSECONDS = 1_000_000


@dataclass
class Room:
    """A service, its people, and incidents with archives."""

    service: Service
    folder: pathlib.Path

    def person(self, role: str) -> Api:
        return Api(self.service.base, self.service.accounts[role].token)

    def open(self, exercise: bool = False) -> tuple[str, datetime]:
        """A new incident, and when it was opened."""
        operator = self.person("operator")
        incident = operator.post("/api/v1/incidents", {"priority": "P2", "exercise": exercise})["id"]
        opened = operator.get(f"/api/v1/incidents/{incident}")["openedAt"]
        return incident, datetime.fromisoformat(opened.replace("Z", "+00:00"))

    def archive(self, exercise: bool = False) -> Archive:
        """An archive that begins two seconds after its incident."""
        incident, opened = self.open(exercise)
        return Archive(self.folder / "archive" / incident, incident, opened + timedelta(seconds=2))

    def everything(self, seconds: int = 12) -> Archive:
        incident, opened = self.open()
        folder = self.folder / "archive" / incident
        return archives.write_everything(folder, incident, opened + timedelta(seconds=2), seconds)

    def look(self, incident: str, role: str = "supervisor", wish: dict = REASON) -> "Look":
        person = self.person(role)
        path = f"/api/v1/incidents/{incident}/replays"
        return Look(person, f"{path}/{person.post(path, wish)['replay']}")

    def events(self, incident: str, kind: str) -> list[dict]:
        found = self.person("operator").get(f"/api/v1/incidents/{incident}/events?limit=1000")["events"]
        return [event for event in found if event["kind"] == kind]


@dataclass
class Look:
    person: Api
    path: str

    def get(self, path: str) -> dict:
        return self.person.get(f"{self.path}/{path}")

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        return self.person.ask(method, f"{self.path}/{path}", **headers)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("replay")
    running = services.start(folder, "--no-caller")
    yield Room(running, folder)
    assert running.stop() == 0, "the service ends cleanly on SIGTERM"


@pytest.fixture
def film(room: Room) -> Archive:
    """A sealed archive with one H.264 film."""
    archive = room.archive()
    archive.add(archive.track("h264-1", "video"), archives.encode("H264", 0, 6), 0)
    archive.seal()
    return archive


# Who may look, and why


def test_reason_is_asked_for_and_kept(room: Room, film: Archive) -> None:
    person, path = room.person("supervisor"), f"/api/v1/incidents/{film.incident}/replays"
    for body in ({}, {"reason": ""}, {"reason": "  a "}, {"live": False}):
        answer = person.ask("POST", path, body)
        assert (answer.status, answer.code) == (400, "badPayload"), body
        assert "why you look" in answer.json["detail"]
    assert person.ask("POST", path, {"reason": "x" * 501}).status == 400
    assert room.events(film.incident, "replay.opened") == []
    answer = person.ask("POST", path, {"reason": "complaint  26/7 "})
    assert answer.status == 201
    assert answer.headers["Location"] == f"{path}/{answer.json['replay']}"
    [event] = room.events(film.incident, "replay.opened")
    account = room.service.accounts["supervisor"].id
    assert event["payload"] == {
        "replay": answer.json["replay"], "account": account, "role": "supervisor", "reason": "complaint 26/7",
        "live": True}
    assert event["actor"]["id"] == account


def test_a_look_is_its_owners_alone(room: Room, film: Archive) -> None:
    look = room.look(film.incident)
    other = room.person("custodian").ask("GET", f"{look.path}/playlist.json")
    assert (other.status, other.code) == (404, "notFound")
    elsewhere = room.archive().incident
    assert look.person.ask("GET", look.path.replace(film.incident, elsewhere) + "/playlist.json").status == 404
    assert look.ask("playlist.json").status == 200
    assert Api(room.service.base).ask("GET", f"{look.path}/playlist.json").status == 401
    assert "There is no such replay" in room.person("custodian").ask("GET", f"{look.path}/seal").json["detail"]


def test_looking_back_is_in_the_journal_once_a_person(room: Room, film: Archive) -> None:
    looks = {room.look(film.incident, "operator", {"live": True}).path for _ in range(3)}
    assert len(looks) == 1
    room.look(film.incident, "supervisor", {"live": True})
    reasons = [(event["payload"]["role"], event["payload"]["live"]) for event in room.events(film.incident, "replay.opened")]
    assert reasons == [("operator", True), ("supervisor", True)]


def test_looking_back_ends_with_the_incident(room: Room, film: Archive) -> None:
    look = room.look(film.incident, "operator", {"live": True})
    assert look.get("playlist.json")["live"] is True
    room.person("operator").post(
        f"/api/v1/incidents/{film.incident}/events",
        {"kind": "incident.state", "payload": {"state": "ended", "outcome": "handled"}})
    answer = look.ask("playlist.json")
    assert (answer.status, answer.code) == (409, "wrongState") and "over" in answer.json["detail"]
    assert room.person("operator").ask("POST", look.path.rsplit("/", 1)[0], {"live": True}).status == 409
    # Whoever may replay still may.
    assert room.look(film.incident).get("playlist.json")["live"] is False


def test_a_look_ends_with_its_account(room: Room, film: Archive) -> None:
    admin = room.person("admin")
    account = admin.post("/api/v1/accounts", {
        "userName": "short", "displayName": "Short", "role": "supervisor", "password": "a long password"})
    visitor = Api(room.service.base)
    cookie = visitor.ask("POST", "/api/v1/sign-in", {"userName": "short", "password": "a long password"})
    visitor.headers |= {
        "Cookie": cookie.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": cookie.json["csrfToken"]}
    path = f"/api/v1/incidents/{film.incident}/replays"
    look = Look(visitor, f"{path}/{visitor.post(path, REASON)['replay']}")
    media = "media/h264-1-0000.mp4"
    assert look.ask(media).status == 200
    admin.ask("PATCH", f"/api/v1/accounts/{account['id']}", {"role": "auditor"})
    assert look.ask(media).status in (401, 403)
    admin.ask("PATCH", f"/api/v1/accounts/{account['id']}", {"suspended": True})
    assert look.ask(media).status == 401


# Playlists


def test_playlist_is_on_the_incidents_clock(room: Room) -> None:
    archive = room.everything()
    playlist = room.look(archive.incident).get("playlist.json")
    assert playlist["state"] == "sealed" and playlist["seal"]["key"] == archive.public_key
    tracks = {track["id"]: track for track in playlist["tracks"]}
    assert list(tracks) == ["h264-1", "vp8-1", "vp9-1", "av1-1", "opus-1"]
    assert tracks["h264-1"]["gaps"] == [{"start": 4 * MICROSECONDS, "end": 6 * MICROSECONDS, "reason": "loss"}]
    for track in tracks.values():
        first, second = track["segments"]
        assert (first["start"], second["start"]) == (2 * MICROSECONDS, 8 * MICROSECONDS), track["id"]
        path = archive.folder / "media" / second["name"]
        assert second["fragments"][0][0] == second["header"]
        assert sum(fragment[1] for fragment in second["fragments"]) + second["header"] == path.stat().st_size
    assert playlist["start"] == 2 * MICROSECONDS and abs(playlist["end"] - 14 * MICROSECONDS) < MICROSECONDS / 10


def test_growing_archive_is_told_by_its_news(room: Room) -> None:
    archive = room.archive()
    media = archives.encode("VP9", 0, 6)
    track = archive.track("vp9-1", "video")
    path = archive.begin(track, media)
    for fragment in media.fragments[:4]:
        archive.fragment(path, fragment, 0)
    look = room.look(archive.incident, "operator", {"live": True})
    playlist = look.get("playlist.json")
    assert playlist["state"] == "live" and len(playlist["tracks"][0]["segments"][0]["fragments"]) == 4
    name = path.removeprefix("media/")
    before = look.ask(f"media/{name}")
    # A line that is being written is none yet, and bytes that no line names are nobody's.
    with archive.manifest.open("ab") as file:
        file.write(b'{"duration":')
    with (archive.folder / path).open("ab") as file:
        file.write(b"half a fragment")
    news = look.get(f"playlist.json?after={playlist['line']}")
    assert news["tracks"] == [] and news["problem" if "problem" in news else "line"] == playlist["line"]
    assert look.ask(f"media/{name}").body == before.body
    os.truncate(archive.manifest, archive.manifest.stat().st_size - len(b'{"duration":'))
    os.truncate(archive.folder / path, archive.files[path])
    archive.fragment(path, media.fragments[4], 0)
    news = look.get(f"playlist.json?after={playlist['line']}")
    [segment] = news["tracks"][0]["segments"]
    assert segment["from"] == 4 and len(segment["fragments"]) == 1
    after = look.ask(f"media/{name}")
    assert after.body.startswith(before.body) and after.headers["ETag"] != before.headers["ETag"]
    archive.seal()
    assert look.get("playlist.json")["state"] == "sealed"


def test_nothing_recorded_is_no_error(room: Room) -> None:
    incident, _ = room.open()
    look = room.look(incident)
    playlist = look.get("playlist.json")
    assert (playlist["state"], playlist["tracks"]) == ("none", [])
    assert look.get("seal") == {"state": "none"}
    assert look.ask("hls/master.m3u8").status == 404
    assert [cue["text"] for cue in look.get("timeline.json")["cues"]][0] == "Incident opened, P2"


# Files by ranges


def test_ranges(room: Room, film: Archive) -> None:
    look = room.look(film.incident)
    content = (film.folder / "media/h264-1-0000.mp4").read_bytes()
    length = len(content)
    media = "media/h264-1-0000.mp4"
    whole = look.ask(media)
    assert (whole.status, whole.body) == (200, content)
    assert whole.headers["Accept-Ranges"] == "bytes" and whole.headers["Content-Type"].startswith("video/mp4")
    assert whole.headers["Cache-Control"] == "private, no-store"
    for asked, expected in {
        "bytes=0-0": (0, 1), "bytes=10-1000": (10, 1001), f"bytes={length - 5}-": (length - 5, length),
        "bytes=-7": (length - 7, length), f"bytes=0-{length * 9}": (0, length), f"bytes=-{length * 9}": (0, length),
        "bytes=700-20000": (700, 20001), "BYTES = 3-4": (3, 5), f"bytes=5-{'9' * 40}": (5, length),
    }.items():
        answer = look.ask(media, Range=asked)
        assert (answer.status, answer.body) == (206, content[slice(*expected)]), asked
        assert answer.headers["Content-Range"] == f"bytes {expected[0]}-{expected[1] - 1}/{length}"
    for asked in (f"bytes={length}-", "bytes=-0", "bytes=0-1,5-6", f"bytes={'9' * 40}-"):
        answer = look.ask(media, Range=asked)
        assert (answer.status, answer.code) == (416, "rangeNotSatisfiable"), asked
        assert answer.headers["Content-Range"] == f"bytes */{length}"
    for asked in ("bytes=5-4", "bytes=a-b", "bytes=--1", "lines=0-1", "bytes", "bytes="):
        assert look.ask(media, Range=asked).status == 200, asked
    tag = whole.headers["ETag"]
    assert look.ask(media, Range="bytes=0-9", If_Range=tag).status == 206
    assert look.ask(media, Range="bytes=0-9", If_Range='"another"').status == 200
    assert look.ask(media, If_None_Match=tag).status == 304
    head = look.ask(media, "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(length))
    assert look.ask(media, "HEAD", Range="bytes=0-9").headers["Content-Length"] == "10"


def test_stills_and_late_uploads_are_files_too(room: Room) -> None:
    archive = room.archive()
    archive.file("stills/one.jpg", b"\xff\xd8picture", "still", "image/jpeg", at=1)
    archive.file("late/two.webm", b"film", "late", "video/webm", at=2, duration=1)
    look = room.look(archive.incident)
    assert [(file["folder"], file["name"]) for file in look.get("playlist.json")["files"]] == [
        ("stills", "one.jpg"), ("late", "two.webm")]
    still = look.ask("stills/one.jpg")
    assert (still.body, still.headers["Content-Type"]) == (b"\xff\xd8picture", "image/jpeg")
    assert look.ask("late/two.webm", Range="bytes=1-2").body == b"il"
    assert look.ask("media/one.jpg").status == 404


def test_nothing_leads_out_of_the_archive(room: Room, film: Archive) -> None:
    look = room.look(film.incident)
    secret = room.folder / "secret.txt"
    secret.write_text("secret")
    (film.folder / "media/secret.mp4").write_text("no line names it")
    for name in (
        "..", "../manifest.jsonl", "%2e%2e%2fmanifest.jsonl", "..%2f..%2f..%2fsecret.txt", "%2fetc%2fpasswd", ".hidden",
        "h264-1-0000.mp4%00", "manifest.jsonl", "secret.mp4", "%", "%c0%ae%c0%ae", "x" * 5000,
        "h264-1-0000.mp4%2f..%2fsecret.mp4",
    ):
        answer = look.ask(f"media/{name}")
        assert answer.status in (400, 404, 414), (name, answer.status)
        assert b"secret" not in answer.body or b"problem" in answer.headers["Content-Type"].encode()
    for incident in ("..", "%2e%2e", "_audit", "../archive/" + film.incident):
        assert look.person.ask("POST", f"/api/v1/incidents/{incident}/replays", REASON).status in (400, 404, 405)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_plain_file_is_not_read(room: Room, kind: str) -> None:
    archive = room.archive()
    path = archive.folder / archive.add(archive.track("h264-1", "video"), archives.encode("H264", 0, 6), 0)
    content = path.read_bytes()
    path.unlink()
    if kind == "link":
        (room.folder / "elsewhere.mp4").write_bytes(content)
        path.symlink_to(room.folder / "elsewhere.mp4")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    answer = room.look(archive.incident).ask(f"media/{path.name}")
    assert (answer.status, answer.code) == (409, "damaged") and "link or no plain file" in answer.json["detail"]


def test_a_linked_folder_is_no_archive(room: Room, film: Archive) -> None:
    incident, _ = room.open()
    (room.folder / "archive" / incident).symlink_to(film.folder)
    answer = room.look(incident).ask("playlist.json")
    assert (answer.status, answer.code) == (409, "damaged")


# Archives that are not what they should be


def change_line(archive: Archive, number: int, change: Callable[[bytes], bytes]) -> None:
    lines = archive.manifest.read_bytes().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    archive.manifest.write_bytes(b"".join(lines))


def test_what_came_before_the_damage_is_shown(room: Room, film: Archive) -> None:
    change_line(film, 8, lambda line: line.replace(b'"frames":1', b'"frames":2'))
    look = room.look(film.incident)
    playlist = look.get("playlist.json")
    assert "damaged from line" in playlist["problem"]
    assert 0 < len(playlist["tracks"][0]["segments"][0]["fragments"]) < 12
    assert look.ask("media/h264-1-0000.mp4").status == 200
    assert "damaged" in look.get("seal")["problem"]


@pytest.mark.parametrize("change, words", [
    (lambda line: line.replace(b'"version":1', b'"version":2'), "use a newer one"),
    (lambda line: b"\xff\xfe\n", "no JSON"),
    (lambda line: line.replace(b"sightline-archive", b"other-archive"), "format is not"),
    (lambda line: b"x" * 100_000 + b"\n", "64 KiB"),
])
def test_an_archive_that_cannot_be_read_says_why(
    room: Room, film: Archive, change: Callable[[bytes], bytes], words: str
) -> None:
    change_line(film, 1, change)
    before = {path: path.read_bytes() for path in film.folder.rglob("*") if path.is_file()}
    look = room.look(film.incident)
    for path in ("playlist.json", "hls/master.m3u8", "media/h264-1-0000.mp4", "seal"):
        answer = look.ask(path)
        assert (answer.status, answer.code) == (409, "damaged"), path
        assert words in answer.json["detail"], answer.json
    assert look.ask("timeline.json").status == 200
    assert before == {path: path.read_bytes() for path in film.folder.rglob("*") if path.is_file()}


def test_missing_and_cut_off_files_are_named(room: Room) -> None:
    archive = room.archive()
    track = archive.track("h264-1", "video")
    gone, cut = (archive.folder / archive.add(track, archives.encode("H264", 0, 6), at) for at in (0, 6))
    gone.unlink()
    os.truncate(cut, cut.stat().st_size - 1)
    look = room.look(archive.incident)
    answer = look.ask(f"media/{gone.name}")
    assert (answer.status, answer.code) == (404, "notFound") and f"media/{gone.name} is missing" in answer.json["detail"]
    answer = look.ask(f"media/{cut.name}")
    assert (answer.status, answer.code) == (409, "damaged") and "was cut off" in answer.json["detail"]


def test_archive_of_another_incident_is_not_shown(room: Room, film: Archive) -> None:
    incident, _ = room.open()
    film.folder.rename(room.folder / "archive" / incident)
    answer = room.look(incident).ask("playlist.json")
    assert (answer.status, answer.code) == (409, "damaged") and "another incident" in answer.json["detail"]


def test_a_manifest_that_was_replaced_is_read_anew(room: Room) -> None:
    archive = room.archive()
    archive.track("one", "video")
    look = room.look(archive.incident)
    assert [track["id"] for track in look.get("playlist.json")["tracks"]] == ["one"]
    other = Archive(room.folder / "elsewhere" / archive.incident, archive.incident, archive.start)
    other.track("two", "video")
    os.replace(other.manifest, archive.manifest)
    assert [track["id"] for track in look.get("playlist.json")["tracks"]] == ["two"]


# The timeline


def test_timeline_tells_everyone_what_is_for_them(room: Room, film: Archive) -> None:
    operator, path = room.person("operator"), f"/api/v1/incidents/{film.incident}/events"
    link = operator.post(f"/api/v1/incidents/{film.incident}/links", {"role": "guest"})
    for text, to in (("for all", "everyone"), ("for the <team>", "team")):
        operator.post(path, {"kind": "chat", "payload": {"text": text, "to": to}})
    operator.post(path, {"kind": "note", "payload": {"text": "a note"}})
    guest = Api(room.service.base, link["token"], **{"Sightline-Key": "page-1"})
    replays = f"/api/v1/incidents/{film.incident}/replays"
    assert guest.ask("POST", replays, {"live": True}).status == 403, "a link shows what is, not what was"
    look = room.look(film.incident)
    timeline = look.get("timeline.json")
    texts = [cue["text"] for cue in timeline["cues"] if cue["kind"] in ("chat", "note")]
    assert texts == ["for all", "for the <team>", "a note"]
    assert look.get(f"timeline.json?after={timeline['next']}")["cues"] == []
    subtitles = look.ask("timeline.vtt")
    assert subtitles.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert "<c.chat>for the &lt;team&gt;</c>" in subtitles.body.decode()
    target = room.folder / "timeline.vtt"
    target.write_bytes(subtitles.body)
    assert probe(target, "-show_entries", "packet=pts", "-select_streams", "s")["packets"]


# HLS, with FFmpeg as the foreign client


def probe(source: object, *options: str) -> dict:
    command = ["ffprobe", "-v", "error", "-of", "json", *options, str(source)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def test_hls_is_played_by_a_foreign_client(room: Room) -> None:
    archive = room.everything()
    look = room.look(archive.incident)
    token = room.service.accounts["supervisor"].token
    base = room.service.base.rstrip("/") + look.path
    master = look.ask("hls/master.m3u8")
    assert master.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert "vp8-1 is left out" in master.body.decode()
    streams = probe(f"{base}/hls/master.m3u8?token={token}", "-show_streams")["streams"]
    assert {stream["codec_name"] for stream in streams} == {"h264", "vp9", "av1", "opus"}
    # FFmpeg 5 gives a file that begins at 0 again as it is, and its decoder then drops some: its packets are counted.
    for track, frames in (("vp9-1", 300), ("av1-1", 300), ("h264-1", 250)):
        address = f"{base}/hls/{track}.m3u8?token={token}"
        command = ["ffmpeg", "-v", "warning", "-i", address, "-c", "copy", "-f", "framecrc", "-"]
        played = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        lines = [line for line in played.stdout.splitlines() if not line.startswith("#")]
        assert len(lines) == frames, (track, len(lines), played.stderr)
    assert look.ask("hls/none.m3u8").status == 404
    assert look.ask("hls/vp8-1.m3u8").status == 404
    assert look.ask("hls/vp9-1").status == 404
