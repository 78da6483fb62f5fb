"""Pictures out of a recording while the call goes on: snapshots that are evidence, and thumbnails for a timeline."""

import hashlib
import pathlib

from api import Answer, Api
from recordings import probe, verify
from service import Service
from waiting import wait_for


def snapshot(operator: Api, incident: str, **wish: str) -> dict:
    """Waits until a picture is recorded."""
    def ask() -> Answer | None:
        answer = operator.ask("POST", f"/api/v1/incidents/{incident}/snapshots", wish)
        return None if answer.code == "wrongState" else answer

    answer = wait_for(ask, "a recorded picture", 20, every=0.2)
    assert answer.status == 201, answer
    return answer.json


def test_a_snapshot_is_kept_hashed_and_in_the_journal(demo: Service, tmp_path: pathlib.Path) -> None:
    operator = Api(demo.base, demo.accounts["operator"].token)
    taken = snapshot(operator, demo.incident)
    assert (taken["width"], taken["height"]) == (1280, 720)
    path = f"/api/v1/incidents/{demo.incident}"
    content = operator.ask("GET", f"{path}/files/{taken['file']}").body
    picture = tmp_path / "still.jpg"
    picture.write_bytes(content)
    stream = probe(picture)
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("mjpeg", 1280, 720)
    events = operator.get(f"{path}/events?limit=1000")["events"]
    kept = [event["payload"] for event in events if event["kind"] == "snapshot.taken"]
    assert kept == [{"file": taken["file"], "source": taken["source"]}]

    supervisor = Api(demo.base, demo.accounts["supervisor"].token)
    look = supervisor.post(f"{path}/replays", {"reason": "to see the snapshot"})["replay"]
    name = taken["path"].removeprefix("stills/")
    archived = supervisor.ask("GET", f"{path}/replays/{look}/stills/{name}")
    assert archived.status == 200 and archived.body == content
    assert hashlib.sha256(content).hexdigest() == taken["sha256"]

    track = supervisor.get(f"{path}/replays/{look}/playlist.json")["tracks"]
    video = next(each["id"] for each in track if each["kind"] == "video")
    thumbnail = supervisor.ask("GET", f"{path}/replays/{look}/thumbnails/{video}?at={taken['time']}")
    assert thumbnail.status == 200 and thumbnail.headers["Content-Type"] == "image/jpeg"
    small = tmp_path / "small.jpg"
    small.write_bytes(thumbnail.body)
    assert probe(small)["width"] == 320

    assert demo.stop() == 0
    found = verify(archive_of(demo, tmp_path))
    assert found["state"] == "sealed"


def archive_of(demo: Service, folder: pathlib.Path) -> pathlib.Path:
    return next(folder.glob(f"**/archive/{demo.incident}"))


def test_what_cannot_be_taken_is_said(service: Service) -> None:
    path = f"/api/v1/incidents/{service.incident}/snapshots"
    for role, status in (("operator", 409), ("auditor", 403), ("responder", 404)):
        answer = Api(service.base, service.accounts[role].token).ask("POST", path, {})
        assert answer.status == status, (role, answer)
