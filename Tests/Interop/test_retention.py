"""How long recordings are kept: policies, holds, dry runs, and that a deletion survives being killed in the middle."""

import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import journal
import metrics
import service as services
from api import Api
from archive_writer import ArchiveWriter, public
from node import Node
from waiting import wait_for

#: What the archives of the tests are sealed with; the node has a key of its own.
KEY = Ed25519PrivateKey.generate()
#: Made-up incidents of January 2025: ended longer ago than any day that is set here.
COUNT = 4
INCIDENTS = [f"25-{number:06}" for number in range(1, COUNT + 1)]


def fill(data: pathlib.Path) -> None:
    run("fill-archive", "--data", str(data), "--incidents", str(COUNT))


def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([services.binary(), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done


def record(data: pathlib.Path, incident: str, files: int = 3, salt: str = "") -> dict[str, str]:
    """Puts a sealed archive there, as a recorder would have left it; hashes by path. What was deleted before stays noted."""
    folder = data / "archive" / incident
    noted = (folder / "deletions.jsonl").read_bytes() if folder.exists() else b""
    shutil.rmtree(folder, ignore_errors=True)
    writer = ArchiveWriter(folder, KEY, incident=incident)
    writer.track("v")
    hashes = {}
    for number in range(files):
        media, still = f"media/v-{number:04}.mp4", f"stills/s-{number:04}.jpg"
        contents = {path: f"{incident} {path} {salt}".encode() * 50 for path in (media, still)}
        writer.segment(media, "v", contents[media])
        writer.file(still, "still", contents[still])
        hashes |= {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    writer.seal()
    if noted:
        (folder / "deletions.jsonl").write_bytes(noted)
    return hashes


def left(data: pathlib.Path, incident: str, kind: str) -> list[str]:
    return sorted(path.name for path in (data / "archive" / incident / kind).iterdir())


def deletions(data: pathlib.Path, incident: str) -> list[dict]:
    file = data / "archive" / incident / "deletions.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def told(api: Api, incident: str) -> list[dict]:
    return [event for event in journal.read(api, incident) if event["kind"] == "retention.deleted"]


def list_hash(files: list[dict]) -> str:
    return hashlib.sha256("".join(f"{file['sha256']}  {file['path']}\n" for file in files).encode()).hexdigest()


def ready(node: Node) -> None:
    api = Api(node.base, node.accounts["supervisor"]["token"])
    wait_for(lambda: api.get("/api/v1/archive?limit=1")["complete"], "the catalogue is read")


@pytest.fixture
def node(tmp_path: pathlib.Path) -> Iterator[Node]:
    fill(tmp_path)
    with Node(tmp_path) as node:
        ready(node)
        yield node


def person(node: Node, role: str) -> Api:
    return Api(node.base, node.accounts[role]["token"])


def test_nothing_goes_until_somebody_says_so(node: Node) -> None:
    admin = person(node, "admin")
    for incident in INCIDENTS:
        record(node.data, incident)
    assert admin.get("/api/v1/retention")["policy"] == {}
    assert admin.post("/api/v1/retention/sweep", content_type="application/json")["count"] == 0
    assert left(node.data, INCIDENTS[0], "media") == ["v-0000.mp4", "v-0001.mp4", "v-0002.mp4"]


def test_policy_hold_preview_and_sweep(node: Node) -> None:
    admin, supervisor = person(node, "admin"), person(node, "supervisor")
    hashes = {incident: record(node.data, incident) for incident in INCIDENTS}
    assert admin.ask("PUT", "/api/v1/retention", {"media": 180}).json == {"policy": {"media": 180}}
    changes = person(node, "auditor").get("/api/v1/audit?limit=1000")["events"]
    assert any(event["payload"].get("detail") == "media 180 days" for event in changes)

    held = INCIDENTS[1]
    supervisor.post(f"/api/v1/incidents/{held}/hold", {"held": True, "reason": "court order 7"})
    wait_for(lambda: supervisor.get(f"/api/v1/archive?text={held}&held=true")["count"] == 1, "the hold is in the catalogue")
    preview = admin.get("/api/v1/retention/preview")
    assert [item["incident"] for item in preview["items"]] == [each for each in INCIDENTS if each != held]
    assert preview["held"] == [held] and preview["files"] == 9
    dry = json.loads(run("retention", "--data", str(node.data), "--dry-run", "--json").stdout)
    assert dry["items"] == preview["items"] and dry["deleted"] is False and dry["policy"] == {"media": 180}
    assert all(len(left(node.data, incident, "media")) == 3 for incident in INCIDENTS), "looking deletes nothing"

    swept = admin.post("/api/v1/retention/sweep")
    assert swept["items"] == preview["items"] and swept["failures"] == []
    for incident in INCIDENTS:
        assert len(left(node.data, incident, "media")) == (3 if incident == held else 0)
        assert len(left(node.data, incident, "stills")) == 3
        events, lines = told(supervisor, incident), deletions(node.data, incident)
        assert len(events) == len(lines) == (0 if incident == held else 1)
        for event, line in zip(events, lines):
            assert event["payload"]["sha256"] == list_hash(line["files"]) and event["number"] == line["number"]
            assert {file["path"]: file["sha256"] for file in line["files"]} == {
                path: value for path, value in hashes[incident].items() if path.startswith("media/")}
    check_archives(node.data, noted=3)
    supervisor.post(f"/api/v1/incidents/{held}/hold", {"held": False, "reason": "the case is closed"})
    wait_for(lambda: admin.post("/api/v1/retention/sweep")["count"] == 1, "the hold is lifted")
    kinds = [event["kind"] for event in journal.read(supervisor, held)]
    assert kinds[-3:] == ["retention.hold", "retention.hold", "retention.deleted"]
    assert journal.read(person(node, "auditor"), held)[-1]["kind"] == "retention.deleted"


def check_archives(data: pathlib.Path, noted: int) -> None:
    """`verify` knows what was deleted by right, by the node's key, and misses it without."""
    node_key = run("archive-keys", "export", "--data", str(data)).stdout.split()[-1]
    folders = [str(data / "archive" / incident) for incident in INCIDENTS]
    reports = [
        json.loads(run("verify", folder, "--json", "--sealed", "--key", public(KEY), "--key", node_key).stdout)
        for folder in folders]
    assert all(report["whole"] for report in reports)
    assert sum(bool(report["findings"]) for report in reports) == noted
    strangers = json.loads(run("verify", folders[0], "--json", "--key", public(KEY), status=1).stdout)
    paths = {finding["path"] for finding in strangers["findings"] if finding["severity"] == "damage"}
    assert {"deletions.jsonl", "media/v-0000.mp4"} <= paths


@pytest.mark.parametrize("policy, word", [
    ({"journal": 5}, "journal"), ({"files": 5}, "files"), ({"media": 0}, "media"), ({"media": 36_501}, "media"),
    ({"media": 1.5}, "media"), ({"media": "180"}, "media"), ({"media": None}, "media"), ([], "object"),
])
def test_wrong_policies_are_refused(node: Node, policy: object, word: str) -> None:
    answer = person(node, "admin").ask("PUT", "/api/v1/retention", policy)
    assert answer.status == 400 and word in answer.json["detail"], answer.body
    assert person(node, "admin").get("/api/v1/retention")["policy"] == {}


def test_the_command(tmp_path: pathlib.Path) -> None:
    fill(tmp_path)
    # The server's keys are made at its first start.
    with Node(tmp_path):
        refused = run("retention", "--data", str(tmp_path), "--set", "media=10", status=1)
        assert "Another server uses" in refused.stderr
    for incident in INCIDENTS:
        record(tmp_path, incident)
    text = run("retention", "--data", str(tmp_path), "--set", "media=10", "--set", "stills=20").stdout
    assert "Policy: media 10 days, stills 20 days" in text and "Would go: 24 files" in text
    assert "everything is kept" not in text and len(left(tmp_path, INCIDENTS[0], "media")) == 3
    run("retention", "--data", str(tmp_path), "--set", "stills=ever")
    text = run("retention", "--data", str(tmp_path), "--sweep").stdout
    assert "Deleted: 12 files" in text
    assert left(tmp_path, INCIDENTS[0], "media") == [] and len(left(tmp_path, INCIDENTS[0], "stills")) == 3
    assert "Nothing is due" in run("retention", "--data", str(tmp_path)).stdout
    for wrong in ("journal=5", "media", "media=0", "media=x", "=5", "media=5=6"):
        assert "--set" in run("retention", "--data", str(tmp_path), "--set", wrong, status=64).stderr
    assert "no data folder" in run("retention", "--data", str(tmp_path / "nothing"), status=64).stderr
    assert not (tmp_path / "nothing").exists()
    run("journal", "verify", "--data", str(tmp_path))


def test_a_sweep_that_is_killed_is_finished_by_the_next_start(tmp_path: pathlib.Path) -> None:
    """SIGKILL at random moments of sweeps: nothing is deleted that is not told, and nothing is told twice."""
    fill(tmp_path)
    chance = random.Random(4)
    recorded: dict[str, list[str]] = {incident: [] for incident in INCIDENTS}
    with Node(tmp_path) as node:
        assert person(node, "admin").ask("PUT", "/api/v1/retention", {"media": 30}).status == 200
        for turn in range(10):
            node.kill()
            for incident in INCIDENTS:
                hashes = record(tmp_path, incident, 120, f"turn {turn}")
                recorded[incident] += [value for path, value in hashes.items() if path.startswith("media/")]
            kill_while_sweeping(node, chance.random() * 0.08)
            node.start()
            ready(node)
            sweep_until_done(person(node, "admin"))
        for incident in INCIDENTS:
            assert left(tmp_path, incident, "media") == []
            lines, events = deletions(tmp_path, incident), told(person(node, "supervisor"), incident)
            assert [line["number"] for line in lines] == [event["number"] for event in events]
            assert [list_hash(line["files"]) for line in lines] == [event["payload"]["sha256"] for event in events]
            gone = [file["sha256"] for line in lines for file in line["files"]]
            assert sorted(gone) == sorted(recorded[incident]), "each file is told once"
    check_archives(tmp_path, noted=len(INCIDENTS))
    run("journal", "verify", "--data", str(tmp_path))


def kill_while_sweeping(node: Node, seconds: float) -> None:
    """Starts the node, which sweeps by itself, and kills it so long after the first file has gone."""
    count = len(list((node.data / "archive").glob("*/media/*")))
    node.launch()
    deadline = time.monotonic() + 20
    while len(list((node.data / "archive").glob("*/media/*"))) == count:
        assert time.monotonic() < deadline, "the start does not sweep"
        time.sleep(0.002)
    time.sleep(seconds)
    node.kill()


def sweep_until_done(admin: Api) -> None:
    def is_done() -> bool:
        answer = admin.ask("POST", "/api/v1/retention/sweep")
        return answer.status == 200 and answer.json["count"] == 0
    wait_for(is_done, "everything is swept", 20)


def test_room_is_measured(tmp_path: pathlib.Path) -> None:
    fill(tmp_path)
    record(tmp_path, INCIDENTS[0])
    with Node(tmp_path, ("--archive-quota", "1M")) as node:
        size = sum(path.stat().st_size for path in (tmp_path / "archive").rglob("*") if path.is_file())
        wait_for(lambda: metrics.read(node).get("archive_bytes") == size, "the recordings are measured")
        read = metrics.read(node)
        assert read["archive_quota_bytes"] == 1 << 20
        assert 0 < read["archive_disk_free_bytes"] < read["archive_disk_bytes"]
        space = person(node, "admin").get("/api/v1/retention")["space"]
        assert space["archive"] == size and space["quota"] == 1 << 20
    refused = run("serve", "--data", str(tmp_path), "--archive-quota", "120%", status=64)
    assert "--archive-quota" in refused.stderr


def test_an_alarm_is_raised_before_there_is_no_room(tmp_path: pathlib.Path) -> None:
    fill(tmp_path)
    record(tmp_path, INCIDENTS[0], 10)
    with Node(tmp_path, ("--archive-quota", "10K")) as node:
        auditor = person(node, "auditor")

        def alarms() -> list[str]:
            events = auditor.get("/api/v1/audit?limit=1000")["events"]
            return [event["payload"]["detail"] for event in events if event["kind"] == "media.recording"]
        wait_for(alarms, "an alarm")
        assert "of their room" in alarms()[0]
