"""A caller whose line is down for a while: what the page kept meanwhile is in the archive afterwards, beside the gap.

And what the service takes as such an upload: nothing that is no recording, from nobody else, and not without end.
"""

import hashlib
import json
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

import av
import pytest

import burnt_clock
import journal
from api import Answer, Api
from browser import CLIP, ChromiumPage, start_call
from impairment import ImpairedLink
from node import Key, Node
from recordings import Recording, Track, microseconds, run
from service import Service
from steering import open_steered, through
from test_recording import install_flash_camera
from waiting import wait_for

PHONE = (390, 844)
SECOND = 1_000_000
#: Seconds without a network.
OUTAGE = 5
#: What of the gap the upload may leave open, at either end (the issue's own figure), microseconds.
MOST_UNCOVERED = SECOND
#: What the upload may be off its place, microseconds.
MOST_MISPLACED = SECOND // 2
#: Uploads an hour and caller.
MOST_UPLOADS = 20
GIBIBYTE = 1 << 30
#: What a page says of a second of media; an incident that was just opened has not lasted for longer.
SHORT = "age=1500&duration=1400&kind=video"
NOTE_WORDS = """
window.lateWords = [];
const late = document.getElementById("late");
new MutationObserver(() => window.lateWords.push(late.textContent)).observe(late, { childList: true });
"""


# The page


@pytest.fixture
def link() -> Iterator[ImpairedLink]:
    with ImpairedLink(seed=1) as link:
        yield link


def wait_in(page: ChromiumPage, condition: str, what: str, seconds: int) -> None:
    """As `wait_for`; the page's requests, which go through this thread, are handled meanwhile."""
    for _ in range(seconds * 10):
        if page.evaluate(condition):
            return
        page.page.wait_for_timeout(100)
    raise AssertionError(f"{what}: not within {seconds} s; {page.evaluate('window.sightline.late')}, {page.messages[-5:]}")


@pytest.mark.parametrize("cause", ["noticed", "offline"])
def test_the_gap_is_filled_afterwards(
    service: Service, chromium: Callable, report: Callable, tmp_path: pathlib.Path, link: ImpairedLink, cause: str
) -> None:
    caller = open_steered(chromium, f"{service.caller}&codec=VP8", through(link), size=PHONE)
    install_flash_camera(caller)
    wait_for(lambda: caller.page.is_visible("#is-recorded"), "the page says before the start that it is recorded")
    assert caller.page.inner_text("#is-recorded") == "It is recorded."
    start_call(caller)
    wait_for(lambda: caller.page.is_visible("#recorded"), "and while it is live")
    caller.run(NOTE_WORDS)
    caller.page.wait_for_timeout(4000)
    link.cut()
    if cause == "offline":
        caller.page.context.set_offline(True)
    caller.page.wait_for_timeout(OUTAGE * 1000)
    caller.page.context.set_offline(False)
    link.restore()
    wait_in(caller, "window.sightline.late.sent > 0", "what was recorded is sent", 30)
    wait_in(caller, "window.sightline.state === 'connected'", "the line is back", 10)
    assert caller.evaluate("window.lateWords")[:2] == ["Sending what was recorded while you were offline", "Sent"]
    caller.page.wait_for_timeout(3000)
    name = check_playlist(service)
    caller.page.click("#stop")
    wait_in(caller, "window.sightline.state !== 'connected'", "the caller has hung up", 5)
    assert service.stop() == 0
    recording = Recording.read(tmp_path / "archive" / service.incident)
    assert recording.check_bytes() == 0
    recording.check_seal()
    told = [event["payload"] for event in recording.check_journal() if event["kind"] == "media.recording"]
    assert f"late/{name}" in next(each["detail"] for each in told if each["state"] == "late")
    report(test="late upload", cause=cause, **check_upload(recording))


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_while_the_line_is_good_nothing_is_recorded(
    service: Service, request: pytest.FixtureRequest, tmp_path: pathlib.Path, browser: str
) -> None:
    caller = request.getfixturevalue(browser)(service.caller, size=PHONE)
    start_call(caller)
    looks = []
    # Ten looks a second; Firefox has no clock of its own to wait by.
    wait_for(lambda: looks.append(caller.evaluate("window.sightline?.late.isRecording")) or len(looks) >= 60, "six seconds")
    # A machine that stands still for half a second looks like a loss; what was begun then is dropped.
    assert sum(looks) < len(looks) / 2, looks
    assert caller.evaluate("window.sightline.late")["sent"] == 0
    assert not list((tmp_path / "archive" / service.incident / "late").iterdir())


def check_playlist(service: Service) -> str:
    """Who looks back is told of the upload and can have it; its name."""
    with Api(service.base, service.accounts["supervisor"].token) as supervisor:
        path = f"/api/v1/incidents/{service.incident}/replays"
        look = f"{path}/{supervisor.post(path, {'reason': 'a look at what came late'})['replay']}"
        (file,) = [each for each in supervisor.get(f"{look}/playlist.json")["files"] if each["purpose"] == "late"]
        answer = supervisor.ask("GET", f"{look}/late/{file['name']}")
        assert (answer.status, len(answer.body)) == (200, file["length"])
        assert answer.headers["Content-Type"] == file["mime"] == "video/webm"
        return file["name"]


def check_upload(recording: Recording) -> dict:
    """It covers the gap, is in its place, and is without fault; figures."""
    (file,) = recording.files
    assert file["purpose"] == "late" and "page's clock" in file["note"]
    path = recording.folder / file["path"]
    streams = json.loads(run("ffprobe", "-show_streams", "-of", "json", str(path)))["streams"]
    assert sorted(stream["codec_type"] for stream in streams) == ["audio", "video"]
    assert recording.tracks[file["track"]].kind == "video", "it says which stream it stands in for"
    start, end = microseconds(file["start"]), microseconds(file["start"]) + file["duration"]
    # Of the picture a browser may send some afterwards, out of its own queue; of the sound it sends nothing.
    (gap_start, gap_end), picture = outage(recording.of_kind("audio")[0]), outage(recording.of_kind("video")[0])
    assert start - picture[0] <= MOST_UNCOVERED and picture[1] - end <= MOST_UNCOVERED
    assert gap_end - gap_start > (OUTAGE - 1) * SECOND, "the time without a network is a gap"
    figures = {
        "gap_s": round((gap_end - gap_start) / SECOND, 2), "late_s": round((end - start) / SECOND, 2),
        "uncovered_before_ms": round((start - gap_start) / 1000), "uncovered_behind_ms": round((gap_end - end) / 1000),
        "misplaced_ms": round(misplacement(path, start) / 1000),
    }
    assert start - gap_start <= MOST_UNCOVERED and gap_end - end <= MOST_UNCOVERED, figures
    assert abs(figures["misplaced_ms"]) * 1000 <= MOST_MISPLACED, figures
    return figures


def outage(track: Track) -> tuple[int, int]:
    """The longest run of gaps, one behind the other."""
    runs: list[list[int]] = []
    for gap in sorted(track.gaps, key=lambda gap: gap.start):
        if runs and gap.start <= runs[-1][1] + SECOND // 10:
            runs[-1][1] = max(runs[-1][1], gap.end)
        else:
            runs.append([gap.start, gap.end])
    assert runs, "there is no gap"
    start, end = max(runs, key=lambda run: run[1] - run[0])
    return start, end


def misplacement(path: pathlib.Path, start: int) -> float:
    """How much later pictures are placed than the clock in them says, microseconds."""
    off = []
    with av.open(str(path)) as media:
        for frame in media.decode(video=0):
            low = burnt_clock.read(frame.to_ndarray(format="gray"))
            at = start + round(frame.pts * frame.time_base * SECOND)
            if low is not None:
                off.append(((at // 1000 - low + (1 << 31)) & 0xFFFF_FFFF) - (1 << 31))
    assert len(off) > 20, f"the clock is readable in {len(off)} pictures"
    return median(off) * 1000


# The upload


@dataclass
class Scene:
    """An incident that was just opened, and its caller."""

    node: Node
    incident: str
    key: Key
    caller: Api

    def upload(
        self, content: bytes, *, name: str = "upload-0001", type: str = "video/webm", query: str = SHORT, **headers: str
    ) -> Answer:
        path = f"/api/v1/incidents/{self.incident}/late/{name}?{query}"
        # Not `ask`, which would wait until the service takes more.
        return self.caller._ask("PUT", path, content, type, headers)

    def archive(self) -> Recording:
        return Recording.read(self.node.data / "archive" / self.incident)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of pictures, as a page would send it."""
    path = tmp_path_factory.mktemp("clip") / "second.webm"
    run("ffmpeg", "-i", str(CLIP), "-t", "1", "-c", "copy", str(path))
    return path.read_bytes()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("late")) as node:
        yield node


@pytest.fixture
def scene(node: Node) -> Iterator[Scene]:
    yield from open_scene(node)


def open_scene(node: Node) -> Iterator[Scene]:
    incident = node.open_incident()
    key = node.make_link(incident, "caller", "caller")
    with Api(node.base, key.token, **{"Sightline-Key": key.page}) as caller:
        yield Scene(node, incident, key, caller)


def test_an_upload_is_kept_once(scene: Scene, clip: bytes) -> None:
    first = scene.upload(clip)
    assert first.status == 201, first.body
    assert first.json == {"path": "late/upload-0001.webm", "sha256": hashlib.sha256(clip).hexdigest()}
    again = scene.upload(clip)
    assert (again.status, again.json) == (200, first.json)
    scene.node.kill()
    scene.node.start()
    again = scene.upload(clip)
    assert (again.status, again.json) == (200, first.json), "also after a crash"
    (file,) = scene.archive().files
    assert file["sha256"] == first.json["sha256"]
    operator = Api(scene.node.base, scene.node.accounts["operator"]["token"])
    told = [each["payload"] for each in journal.read(operator, scene.incident) if each["kind"] == "media.recording"]
    assert [each["state"] for each in told if each["state"] == "late"] == ["late"]


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (400, {"content": b"<!doctype html><script>alert(1)</script>"}),
        (400, {"content": b""}),
        (400, {"content": bytes(1 << 20)}),
        (415, {"type": "text/html"}),
        (400, {"type": "video/mp4"}),
        (400, {"type": "audio/webm"}),
        (400, {"name": "short"}),
        (400, {"name": "CAPITAL-LETTERS"}),
        (400, {"name": "upload.webm"}),
        (400, {"name": "..%2F..%2F..%2Fmanifest"}),
        (400, {"name": "a" * 41}),
        (400, {"query": "duration=1400&kind=video"}),
        (400, {"query": "age=-1&duration=1400&kind=video"}),
        (400, {"query": "age=1e3&duration=1400&kind=video"}),
        (400, {"query": "age=99999999999999999999&duration=1400&kind=video"}),
        (400, {"query": "age=1800000&duration=1400&kind=video"}),
        (400, {"query": "age=1500&duration=600001&kind=video"}),
        (400, {"query": "age=1500&duration=9000&kind=video"}),
        (400, {"query": "age=1500&duration=1400&kind=smell"}),
        (413, {"Content_Length": str(GIBIBYTE), "content": b""}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_upload_is_refused_in_words(scene: Scene, clip: bytes, status: int, change: dict) -> None:
    answer = scene.upload(**{"content": clip} | change)
    assert answer.status == status, answer.body
    assert answer.code and len(answer.json["detail"]) > 20
    assert not (scene.node.data / "archive" / scene.incident).exists(), "nothing was kept"


def test_others_add_nothing(scene: Scene, clip: bytes) -> None:
    path = f"/api/v1/incidents/{scene.node.open_incident()}/late/upload-0001?{SHORT}"
    assert scene.caller.ask("PUT", path, clip, content_type="video/webm").status in (403, 404), "another incident"
    path = f"/api/v1/incidents/{scene.incident}/late/upload-0001?{SHORT}"
    guest = Api(scene.node.base, scene.node.make_link(scene.incident, "guest", "guest").token)
    assert guest.ask("PUT", path, clip, content_type="video/webm").status == 403
    assert Api(scene.node.base).ask("PUT", path, clip, content_type="video/webm").status == 401


def test_too_many_are_refused(scene: Scene, clip: bytes) -> None:
    statuses = [scene.upload(b"no media", name=f"upload-{number:04}").status for number in range(MOST_UPLOADS)]
    assert set(statuses) == {400}
    answer = scene.upload(clip)
    assert (answer.status, answer.code) == (429, "tooFast")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


def test_a_page_may_hand_over_what_it_has_after_stop(scene: Scene, clip: bytes) -> None:
    start_session(scene)
    path = f"/api/v1/incidents/{scene.incident}"
    ended = {"kind": "caller.stage", "payload": {"caller": scene.key.actor, "stage": "ended"}}
    assert scene.caller.ask("POST", f"{path}/events", ended).status in (200, 201)
    wait_for(lambda: scene.caller.ask("GET", path).code == "linkEnded", "the link opens nothing any more", 5)
    assert scene.upload(clip).status == 201


def start_session(scene: Scene) -> None:
    """Opens the link, as a page does that offers media; what it offers is not understood, which does not matter here."""
    scene.caller.ask("POST", f"/whip/{scene.incident}", "nothing", content_type="application/sdp")


def test_where_nothing_is_recorded_nothing_is_taken(tmp_path: pathlib.Path, clip: bytes, chromium: Callable) -> None:
    with Node(tmp_path, ("--no-recording",)) as node:
        for scene in open_scene(node):
            answer = scene.upload(clip)
            assert answer.status == 409 and "does not record" in answer.json["detail"]
            page = chromium(f"{node.base}/call/{scene.incident}?token={scene.key.token}", size=PHONE)
            wait_for(lambda: page.evaluate("window.sightline?.metadata.state") == "connected", "the page is connected")
            assert not page.page.is_visible("#is-recorded")
