"""Evidence packages of real recordings: who gets one, what is inside, how it is fetched, and what can go wrong.

Everything in a package is checked with other programs: Python's zipfile, unzip, openssl, ffprobe and ffmpeg.
"""

import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

import archives
import journal
import service as services
from api import Answer, Api
from node import Node

INCIDENT = "demo"
EXPORTS = f"/api/v1/incidents/{INCIDENT}/exports"
#: Seconds of recording that the tests want, and how long it may take to come by them or to make a package.
RECORDED_SECONDS, WAIT_SECONDS = 6, 90
SPAN = {"from": "2000-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
REASON = "Request of the court, 4 Js 12/26"


class CallingNode(Node):
    """A node with a simulated caller, which is recorded."""

    #: Whether the caller calls at the next start.
    is_calling = True

    def launch(self) -> None:
        caller = "--caller" if self.is_calling else "--no-caller"
        command = [
            services.binary(), "demo", "--json", "--no-phone", caller, "--data", str(self.data), "--port",
            str(self.port), *self.arguments,
        ]
        with (self.data / "service.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=services.ROOT, stdout=subprocess.PIPE, stderr=log, text=True)

    def hang_up(self) -> None:
        """Ends the call and begins again without one: what there is of the recording is sealed."""
        self.process.terminate()
        assert self.process.wait(services.STOP_SECONDS) == 0
        self.is_calling = False
        self.start()

    def person(self, role: str) -> Api:
        return Api(self.base, self.accounts[role]["token"])

    @property
    def archive(self) -> pathlib.Path:
        return self.data / "archive" / INCIDENT

    def recorded_seconds(self) -> float:
        """As long as the track that has most."""
        manifest = self.archive / "manifest.jsonl"
        if not manifest.exists():
            return 0
        seconds: dict[str, float] = {}
        for line in map(json.loads, manifest.read_bytes().rpartition(b"\n")[0].splitlines()):
            if line["type"] == "fragment":
                seconds[line["segment"]] = seconds.get(line["segment"], 0) + line["duration"] / 1e6
        return max(seconds.values(), default=0)


def wait_until(check: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.1)
    raise TimeoutError(what)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallingNode]:
    with CallingNode(tmp_path_factory.mktemp("export")) as node:
        wait_until(lambda: node.recorded_seconds() >= RECORDED_SECONDS, "nothing was recorded")
        node.hang_up()
        yield node


def request(person: Api, **more: object) -> str:
    answer = person.ask("POST", EXPORTS, {"reason": REASON} | more)
    assert answer.status == 201, answer.body
    assert answer.headers["Location"] == f"{EXPORTS}/{answer.json['export']}"
    return answer.json["export"]


def wait_for(person: Api, export: str, state: str = "ready") -> dict:
    """Follows an export to its end; progress only grows on the way."""
    seen = [0.0]

    def look() -> dict | None:
        view = person.get(f"{EXPORTS}/{export}")
        seen.append(view.get("progress", {}).get("fraction", seen[-1]))
        return view if view["state"] in (state, "failed", "refused", "withdrawn", "deleted") else None

    view = wait_until(look, f"the export did not become {state}")
    assert view["state"] == state, view
    assert seen == sorted(seen)
    return view


def fetch(person: Api, export: str, **headers: str) -> Answer:
    return person.ask("GET", f"{EXPORTS}/{export}/package", **headers)


def told(person: Api, export: str) -> list[str]:
    """What the journal says about an export, in order."""
    events = [each for each in journal.read(person, INCIDENT) if each["payload"].get("export") == export]
    return [each["payload"].get("state") or each["payload"].get("decision") or "requested" for each in events]


def check_package(path: pathlib.Path, folder: pathlib.Path) -> dict:
    """Unpacks a package and holds everything in it against its signed list; the list."""
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        package.extractall(folder)
        names = package.namelist()
    run("unzip", "-tq", path)
    run(
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "package.json", "-sigfile",
        "package.json.sig", cwd=folder)
    listing = json.loads((folder / "package.json").read_text())
    assert sorted(names) == sorted([each["path"] for each in listing["files"]] + ["package.json", "package.json.sig"])
    for each in listing["files"]:
        content = (folder / each["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each["length"], each["sha256"]), each["path"]
    return listing


def run(*command: object, cwd: pathlib.Path | None = None) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def probe(film: pathlib.Path) -> dict:
    """What ffprobe says; every frame decodes without a word."""
    said = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", film, "-f", "null", "-"], capture_output=True, text=True, timeout=120)
    assert (said.returncode, said.stderr) == (0, ""), film
    return json.loads(run("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", film))


# Making and fetching


@pytest.mark.parametrize("goes_on", [True, False])
def test_package_of_a_recording(goes_on: bool, tmp_path: pathlib.Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with CallingNode(data) as node:
        wait_until(lambda: node.recorded_seconds() >= RECORDED_SECONDS, "nothing was recorded")
        if not goes_on:
            node.hang_up()
        check_recording(node, "unsealed" if goes_on else "sealed", tmp_path)


def check_recording(node: CallingNode, state: str, tmp_path: pathlib.Path) -> None:
    supervisor = node.person("supervisor")
    supervisor.post(
        f"/api/v1/incidents/{INCIDENT}/events", {"kind": "chat", "payload": {"text": "<b>Look</b> left, 'please'"}})
    export = request(supervisor)
    view = wait_for(supervisor, export)
    answer = fetch(supervisor, export)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/zip"
    assert hashlib.sha256(answer.body).hexdigest() == view["package"]["sha256"]
    path = tmp_path / "package.zip"
    path.write_bytes(answer.body)
    folder = tmp_path / "unpacked"
    listing = check_package(path, folder)

    assert listing["requested"]["reason"] == REASON and listing["archive"]["state"] == state
    films = sorted((folder / "joined").iterdir())
    assert films, "each stream has a film"
    for film in [*films, folder / "composite.mp4"]:
        facts = probe(film)
        assert float(facts["format"]["duration"]) > RECORDED_SECONDS - 2, film
    assert {each["codec_name"] for each in probe(folder / "composite.mp4")["streams"]} >= {"h264"}
    text = (folder / "journal.html").read_text()
    assert "&lt;b&gt;Look&lt;/b&gt; left" in text and "<b>Look" not in text
    events = json.loads((folder / "journal.json").read_text())
    assert [each["number"] for each in events] == list(range(1, len(events) + 1))
    # What VERIFY.txt tells people to do is what works.
    lines = [line.strip() for line in (folder / "VERIFY.txt").read_text().splitlines()]
    command = next(line for line in lines if line.startswith("sightline verify"))
    run(services.binary(), *command.split()[1:], cwd=folder)
    start = next(index for index, line in enumerate(lines) if line.startswith("python3 -c"))
    shell = f"{lines[start].removesuffix(chr(92))} {lines[start + 1]}"
    assert run("bash", "-c", shell, cwd=folder) == "all files are as they were signed\n"
    assert told(supervisor, export) == ["requested", "ready", "fetched"]


def test_package_by_ranges(node: CallingNode) -> None:
    supervisor = node.person("supervisor")
    export = request(supervisor)
    view = wait_for(supervisor, export)
    length, digest = view["package"]["bytes"], view["package"]["sha256"]
    half = length // 2

    head = supervisor.ask("HEAD", f"{EXPORTS}/{export}/package")
    assert head.status == 200 and int(head.headers["Content-Length"]) == length
    assert told(supervisor, export) == ["requested", "ready"], "nothing has gone out yet"

    first = fetch(supervisor, export, Range=f"bytes=0-{half - 1}")
    tag = first.headers["ETag"]
    assert first.status == 206 and first.headers["Content-Range"] == f"bytes 0-{half - 1}/{length}"
    rest = fetch(supervisor, export, Range=f"bytes={half}-", If_Range=tag)
    assert rest.status == 206
    assert hashlib.sha256(first.body + rest.body).hexdigest() == digest
    assert fetch(supervisor, export, Range="bytes=-22").body == rest.body[-22:]
    assert fetch(supervisor, export, Range=f"bytes={half}-", If_Range='"another"').status == 200
    beyond = fetch(supervisor, export, Range=f"bytes={length}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{length}")
    assert fetch(supervisor, export, Range="bytes=0-1,4-5").status == 416
    assert fetch(supervisor, export, If_None_Match=tag).status == 304
    assert told(supervisor, export) == ["requested", "ready"] + ["fetched"] * 4

    assert supervisor.ask("DELETE", f"{EXPORTS}/{export}").status == 204
    assert fetch(supervisor, export).code == "wrongState"
    assert not (node.data / f"exports/{export}.zip").exists()


def test_redacted_copies_name_their_parents(node: CallingNode, tmp_path: pathlib.Path) -> None:
    supervisor = node.person("supervisor")
    lines = [json.loads(line) for line in (node.archive / "manifest.jsonl").read_text().splitlines()[:-1]]
    video = next(each for each in lines if each["type"] == "track" and each["kind"] == "video")["track"]
    span = {"track": video} | SPAN
    export = request(supervisor, redact={"regions": [span | {"x": 0, "y": 0, "w": 1, "h": 1}], "mutes": [span]})
    wait_for(supervisor, export)
    path = tmp_path / "package.zip"
    path.write_bytes(fetch(supervisor, export).body)
    listing = check_package(path, tmp_path / "unpacked")
    record = json.loads((tmp_path / "unpacked/redacted/redaction.json").read_text())
    hashes = {each["path"]: each["sha256"] for each in listing["files"]}
    assert record["copies"] and record["by"]["reason"] == REASON
    for copy in record["copies"]:
        assert hashes[copy["path"]] == copy["sha256"] and hashes[copy["parent"]] == copy["parentSHA256"]
        detail = {}
        for name in ("path", "parent"):
            film = tmp_path / "unpacked" / copy[name]
            probe(film)
            # A picture that is all mosaic hardly needs any bytes as PNG; the original does.
            picture = tmp_path / f"{name}.png"
            run("ffmpeg", "-v", "error", "-y", "-i", film, "-frames:v", "1", picture)
            detail[name] = picture.stat().st_size
        assert detail["path"] < detail["parent"] / 4


# Archives of every kind


def package_of(node: Node, incident: str, folder: pathlib.Path) -> tuple[dict, dict]:
    """Has a package made of an incident of `node` and checks it; its list and how the export stands."""
    supervisor = Api(node.base, node.accounts["supervisor"]["token"])
    address = f"/api/v1/incidents/{incident}/exports"
    export = supervisor.post(address, {"reason": REASON})["export"]
    view = wait_until(
        lambda: (now := supervisor.get(f"{address}/{export}"))["state"] in ("ready", "failed") and now, "not made")
    assert view["state"] == "ready", view
    answer = supervisor.ask("GET", f"{address}/{export}/package")
    folder.mkdir()
    (folder / "package.zip").write_bytes(answer.body)
    return check_package(folder / "package.zip", folder / "unpacked"), view


def test_films_of_every_codec_and_of_what_is_missing(tmp_path: pathlib.Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with Node(data) as node:
        incident = node.open_incident()
        archive = archives.write_everything(
            data / "archive" / incident, incident, datetime.now(UTC) - timedelta(minutes=5))
        before = {path: path.read_bytes() for path in archive.folder.rglob("*") if path.is_file()}
        listing, view = package_of(node, incident, tmp_path / "whole")
        foreign, = view["package"]["notes"]
        assert listing["archive"]["state"] == "sealed" and archive.public_key in foreign, "the test has keys of its own"
        films = sorted(path.name for path in (tmp_path / "whole/unpacked/joined").iterdir())
        assert films == ["av1-1.mp4", "h264-1.mp4", "opus-1.mp4", "vp8-1.webm", "vp9-1.mp4"]
        for film in [*(tmp_path / "whole/unpacked/joined").iterdir(), tmp_path / "whole/unpacked/composite.mp4"]:
            assert abs(float(probe(film)["format"]["duration"]) - 12) < 0.3, film
        run(services.binary(), "verify", tmp_path / "whole/unpacked/archive", "--key", archive.public_key)
        assert {path: path.read_bytes() for path in archive.folder.rglob("*") if path.is_file()} == before

        # One segment is gone: its film has a gap, everything else is there, and the package says so.
        lost = next(path for path in before if path.name.startswith("vp9-1"))
        lost.unlink()
        listing, view = package_of(node, incident, tmp_path / "damaged")
        assert any(lost.name in note for note in view["package"]["notes"])
        assert (tmp_path / "damaged/unpacked/joined/vp9-1.mp4").exists()
        # And an archive of a later version is packed as it lies.
        archive.manifest.write_text(archive.manifest.read_text().replace('"version":1', '"version":9', 1))
        listing, view = package_of(node, incident, tmp_path / "future")
        assert listing["archive"]["state"] == "unreadable" and "manifest" in view["package"]["notes"][0]
        assert not (tmp_path / "future/unpacked/joined").exists()


def test_encrypted_recordings_are_playable_in_the_package(tmp_path: pathlib.Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with CallingNode(data, ("--encrypt-archives",)) as node:
        wait_until(lambda: node.recorded_seconds() >= 3, "nothing was recorded")
        listing, view = package_of(node, INCIDENT, tmp_path / "package")
    unpacked = tmp_path / "package/unpacked"
    assert listing["archive"]["encrypted"] and view["package"]["notes"] == []
    for film in [*(unpacked / "joined").iterdir(), unpacked / "composite.mp4"]:
        probe(film)
    assert "ENCRYPTION" in (unpacked / "VERIFY.txt").read_text()
    segment = next((unpacked / "archive/media").iterdir())
    assert subprocess.run(["ffprobe", "-v", "quiet", segment], timeout=30).returncode != 0, "as it was stored"


# Who may, and who decides


def test_second_person_decides_about_a_custodians_export(node: CallingNode) -> None:
    custodian, supervisor = node.person("custodian"), node.person("supervisor")
    export = request(custodian)
    assert custodian.get(f"{EXPORTS}/{export}")["state"] == "requested"
    own = custodian.ask("POST", f"{EXPORTS}/{export}/decision", {"approve": True})
    assert own.code == "forbidden" and "second person" in own.json["detail"]
    assert fetch(custodian, export).code == "wrongState"
    supervisor.post(f"{EXPORTS}/{export}/decision", {"approve": True, "reason": "seen"})
    assert wait_for(custodian, export)["approved"]["reason"] == "seen"
    assert told(supervisor, export) == ["requested", "approved", "ready"]


def test_refused_and_withdrawn_exports_come_to_nothing(node: CallingNode) -> None:
    custodian, supervisor = node.person("custodian"), node.person("supervisor")
    refused, withdrawn = request(custodian), request(custodian)
    supervisor.post(f"{EXPORTS}/{refused}/decision", {"approve": False, "reason": "not needed"})
    assert supervisor.ask("DELETE", f"{EXPORTS}/{withdrawn}").code == "forbidden"
    assert custodian.ask("DELETE", f"{EXPORTS}/{withdrawn}").status == 204
    for export, state in ((refused, "refused"), (withdrawn, "withdrawn")):
        assert custodian.get(f"{EXPORTS}/{export}")["state"] == state
        late = supervisor.ask("POST", f"{EXPORTS}/{export}/decision", {"approve": True})
        assert late.code == "wrongState" and state in late.json["detail"]
    states = {each["id"]: each["state"] for each in supervisor.get(EXPORTS)["exports"]}
    assert (states[refused], states[withdrawn]) == ("refused", "withdrawn")


def test_of_simultaneous_answers_one_counts(node: CallingNode) -> None:
    export = request(node.person("custodian"))

    def answer(approve: bool) -> int:
        with node.person("supervisor") as person:
            return person.ask("POST", f"{EXPORTS}/{export}/decision", {"approve": approve}).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(answer, [True, False] * 4))
    assert sorted(statuses) == [200] + [409] * 7
    assert len([each for each in told(node.person("supervisor"), export) if each in ("approved", "refused")]) == 1


@pytest.mark.parametrize("body", [
    {}, {"reason": "x"}, {"reason": "x" * 501}, {"reason": REASON, "redact": {}},
    {"reason": REASON, "redact": {"mutes": [{"track": "../v", **SPAN}]}},
])
def test_wishes_that_make_no_sense_are_refused(node: CallingNode, body: dict) -> None:
    answer = node.person("supervisor").ask("POST", EXPORTS, body)
    assert answer.status == 400 and answer.json["detail"]


# The page


def test_two_people_export_on_the_replay_page(
    node: CallingNode, chromium: Callable, artifacts: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    def panel(role: str) -> Page:
        token = node.accounts[role]["token"]
        page = chromium(f"{node.base}/replay/{INCIDENT}?token={token}", size=(1280, 900)).page
        page.wait_for_selector("#export:not([hidden])")
        page.locator("#incident").click()
        page.keyboard.press("e")
        page.wait_for_selector("#package[open]")
        return page

    custodian, supervisor = panel("custodian"), panel("supervisor")
    custodian.fill("#export-reason", "<b>Complaint</b> 26/7")
    custodian.keyboard.press("Tab")
    custodian.keyboard.press("Enter")
    row = custodian.locator("#package li[data-state=requested]", has_text="<b>Complaint</b> 26/7")
    row.wait_for()
    assert row.get_by_role("button").all_inner_texts() == ["Withdraw"], "nobody agrees to their own"
    export = row.get_attribute("data-export")

    supervisor.locator("#package button", has_text="Agree").wait_for(timeout=20_000)
    for theme in ("dark", "light", "sunlight"):
        supervisor.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        found = Axe().run(supervisor).response["violations"]
        assert [node["html"] for rule in found for node in rule["nodes"]] == [], theme
    supervisor.screenshot(path=artifacts / "export-decision.png")
    supervisor.locator(f"[data-export={export}] button", has_text="Agree").click()
    link = custodian.locator(f"[data-export={export}] a")
    link.wait_for(timeout=WAIT_SECONDS * 1000)
    custodian.screenshot(path=artifacts / "export-ready.png")
    with custodian.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "package.zip")
    listing = check_package(tmp_path / "package.zip", tmp_path / "unpacked")
    assert listing["requested"]["reason"] == "<b>Complaint</b> 26/7"
    assert listing["approved"]["actor"]["role"] == "supervisor"


def test_page_offers_nothing_to_those_who_may_not(node: CallingNode, chromium: Callable) -> None:
    token = node.accounts["operator"]["token"]
    page = chromium(f"{node.base}/replay/{INCIDENT}?token={token}").page
    with page.expect_response("**/api/v1/me"):
        page.reload()
    page.locator("#incident").click()
    page.keyboard.press("e")
    assert page.locator("#export").is_hidden() and page.locator("#package").is_hidden()


# When things go wrong


def test_killed_while_a_package_is_made(tmp_path: pathlib.Path) -> None:
    with CallingNode(tmp_path, ("--export-approval",)) as node:
        wait_until(lambda: node.recorded_seconds() >= 3, "nothing was recorded")
        export = request(node.person("supervisor"))
        node.person("custodian").post(f"{EXPORTS}/{export}/decision", {"approve": True})
        wait_until(
            lambda: node.person("supervisor").get(f"{EXPORTS}/{export}")["state"] in ("making", "ready"), "not begun")
        node.kill()
        node.start()
        supervisor = node.person("supervisor")
        wait_for(supervisor, export)
        assert {path.name for path in (tmp_path / "exports").iterdir()} == {f"{export}.zip"}
        assert told(supervisor, export) == ["requested", "approved", "ready"]


def test_full_disk_fails_in_clear_words(tmp_path: pathlib.Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", exports], check=False).returncode:
        pytest.skip("no right to mount")
    try:
        with CallingNode(tmp_path) as node:
            wait_until(lambda: node.recorded_seconds() >= 3, "nothing was recorded")
            supervisor = node.person("supervisor")
            # Little enough that no package fits, and so much that this shows only while it is written.
            (exports / "ballast").write_bytes(b"x" * (18 << 20))
            view = wait_for(supervisor, request(supervisor), "failed")
            assert "Free some room" in view["detail"], view
            assert [path.name for path in exports.iterdir()] == ["ballast"]
            (exports / "ballast").unlink()
            assert told(supervisor, view["id"]) == ["requested", "failed"]
    finally:
        subprocess.run(["umount", exports], check=True)


# The command line


def export_command(node: Node, out: pathlib.Path, *more: str) -> subprocess.CompletedProcess:
    command = [
        services.binary(), "export", INCIDENT, "--data", node.data, "--out", out, "--reason", REASON, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS)


def test_command_line_beside_a_running_server_and_without(tmp_path: pathlib.Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    node = CallingNode(data)
    with node:
        wait_until(lambda: node.recorded_seconds() >= 3, "nothing was recorded")
        beside = export_command(node, tmp_path / "beside.zip", "--json")
        assert beside.returncode == 0, beside.stderr
        facts = json.loads(beside.stdout)
        assert facts["journalled"] is False
        assert facts["sha256"] == hashlib.sha256((tmp_path / "beside.zip").read_bytes()).hexdigest()
        check_package(tmp_path / "beside.zip", tmp_path / "beside")
        again = export_command(node, tmp_path / "beside.zip")
        assert again.returncode == 1 and "not overwritten" in again.stderr

    alone = export_command(node, tmp_path / "alone.zip")
    assert alone.returncode == 0, alone.stderr
    listing = check_package(tmp_path / "alone.zip", tmp_path / "alone")
    assert listing["archive"]["state"] == "sealed", "the server has ended"
    assert listing["requested"]["actor"]["id"] == "command-line"

    # What an earlier key has sealed is verified with that key, and the package is signed with the new one.
    run(services.binary(), "archive-keys", "rotate", "--data", data)
    assert export_command(node, tmp_path / "rotated.zip").returncode == 0
    rotated = check_package(tmp_path / "rotated.zip", tmp_path / "rotated")
    assert rotated["archive"] == listing["archive"]
    text = (tmp_path / "rotated/VERIFY.txt").read_text()
    assert rotated["archive"]["keys"][0] not in text.partition("CHECK THE ARCHIVE")[0]
    command = next(line for line in text.splitlines() if line.strip().startswith("sightline verify"))
    run(services.binary(), *command.split()[1:], cwd=tmp_path / "rotated")

    with node:
        supervisor = node.person("supervisor")
        assert told(supervisor, listing["export"]) == ["requested", "ready"]
        events = supervisor.get("/api/v1/audit?limit=1000")["events"]
        noted = [each["payload"] for each in events if each["kind"] == "audit.access"]
        what = f"export {facts['export']} from the command line"
        assert {"what": what, "incident": INCIDENT, "reason": REASON} in noted


def test_command_line_says_what_is_wrong(node: CallingNode, tmp_path: pathlib.Path) -> None:
    def refused(incident: str, data: pathlib.Path, out: pathlib.Path, *more: str) -> str:
        done = subprocess.run(
            [services.binary(), "export", incident, "--data", data, "--out", out, *more], capture_output=True,
            text=True, timeout=WAIT_SECONDS)
        assert done.returncode != 0 and done.stdout == ""
        return done.stderr

    out = tmp_path / "package.zip"
    assert "There is no incident nobody" in refused("nobody", node.data, out)
    assert "is no data folder" in refused(INCIDENT, tmp_path / "nothing", out)
    assert "1 to 64 letters" in refused("../demo", node.data, out)
    assert "cannot be written to" in refused(INCIDENT, node.data, pathlib.Path("/proc/nothing/package.zip"))
    bad = tmp_path / "hide.json"
    bad.write_text("{}")
    assert "regions or mutes" in refused(INCIDENT, node.data, out, "--redact", str(bad))
    assert list(tmp_path.iterdir()) == [bad], "nothing was made"
