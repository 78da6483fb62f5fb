"""The operator's scene in real browsers: what is seen and when, what the caller is asked and shown, who hears and sees whom."""

import base64
import itertools
import json
import pathlib
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

from api import Api
from browser import CHROMIUM
from node import Node
from waiting import wait_for

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
COUNT = itertools.count()
PLACE = {"latitude": 53.5503, "longitude": 9.9928, "accuracy": 12}
FLAGS = [
    "--no-sandbox", "--use-fake-device-for-media-stream=fps=20", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--auto-select-desktop-capture-source=Entire screen",
]
SCENE = "document.getElementById('scene')?.sightline"
#: A picture of one pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
#: What of the large picture's layers is drawn, and how many pixels it has: a veil has next to none.
DETAIL = """() => {
  const stage = document.querySelector("#scene .picture");
  const shown = [...stage.querySelectorAll("video, canvas")].filter((each) => getComputedStyle(each).visibility === "visible");
  const source = shown.at(-1);
  return { what: source?.className || source?.tagName, width: source?.videoWidth ?? source?.width, count: shown.length };
}"""


class Stage:
    """One node with one incident; pages of staff and callers, each in a profile of its own."""

    def __init__(self, node: Node, browser: Browser) -> None:
        self.node, self._browser = node, browser
        self.incident = node.open_incident()
        # Each somewhere else, so that no two seem to be the same event.
        self.place = {**PLACE, "latitude": PLACE["latitude"] - next(COUNT) / 10}
        self.operator = Api(node.base, node.accounts["operator"]["token"])
        self.complaints: list[str] = []

    def _open(self, url: str, size: dict, script: str = "") -> Page:
        context = self._browser.new_context(
            viewport=size, geolocation=self.place, permissions=["geolocation", "camera", "microphone"], color_scheme="dark")
        page = context.new_page()
        page.add_init_script(script)
        page.on("console", lambda message: message.type in {"error", "warning"} and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        return page

    def staff(self, role: str = "operator", script: str = "") -> Page:
        token = self.node.accounts[role]["token"]
        page = self._open(f"{self.node.base}/console/{self.incident}?token={token}", DESK, script)
        wait_for(lambda: page.evaluate(f"{SCENE} !== undefined"), "the scene")
        # The queue's keys must not hold the focus in a field.
        page.evaluate("document.activeElement?.blur()")
        return page

    def caller(self, name: str = "Ada", script: str = "") -> Page:
        """A caller who has started the video; `page.caller` is who they are in the journal."""
        link = self.operator.post(f"/api/v1/incidents/{self.incident}/links", {"role": "caller", "name": name})
        page = self._open(f"{self.node.base}/call/{self.incident}?token={link['token']}", PHONE, script)
        page.click("#start-video")
        wait_for(lambda: page.evaluate("window.sightline?.state") == "connected", f"{name} is connected", 20)
        page.caller = link["link"]
        return page

    def events(self, kind: str) -> list[dict]:
        found = self.operator.get(f"/api/v1/incidents/{self.incident}/events?limit=1000")["events"]
        return [event for event in found if event["kind"] == kind]

    def payloads(self, kind: str) -> list[dict]:
        return [event["payload"] for event in self.events(kind)]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("scene")) as running:
        yield running


@pytest.fixture
def stage(node: Node, playwright: Playwright) -> Iterator[Stage]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
    scene = Stage(node, browser)
    yield scene
    browser.close()
    scene.operator.close()


def see(page: Page, facts: str, wanted: object = True, what: str = "", seconds: float = 20) -> None:
    """Waits until the scene says so of itself."""
    wait_for(lambda: page.evaluate(f"{SCENE}.{facts}") == wanted, what or facts, seconds)


def live(page: Page) -> None:
    see(page, "state.kind", "live", "the picture is live")


def command(page: Page, name: str) -> str:
    return page.locator(f".ask-answer[data-command={name}]").inner_text()


def violations(page: Page) -> list[str]:
    found = Axe().run(page, {"include": [["#scene"]]}).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


# Seeing is a choice


def test_new_picture_is_hidden_until_revealed_and_the_journal_knows(stage: Stage, artifacts: pathlib.Path) -> None:
    caller = stage.caller()
    page = stage.staff()
    live(page)
    assert page.evaluate(f"{SCENE}.mode") == "hidden"
    assert page.evaluate(f"{SCENE}.cover") == "Picture hidden. Press R to reveal it."
    veil = wait_for(lambda: (found := page.evaluate(DETAIL))["width"] > 1 and found, "the veil")
    assert veil["what"] == "veil" and veil["count"] == 1 and veil["width"] <= 14, "nothing else of the picture is drawn"
    page.screenshot(path=artifacts / "scene-hidden.png")
    page.keyboard.press("r")
    see(page, "mode", "moving")
    assert page.evaluate(DETAIL)["what"] == "VIDEO" and page.evaluate(DETAIL)["width"] > 100
    told = wait_for(lambda: stage.payloads("media.revealed"), "the journal")
    assert told[0]["on"] is True
    source = next(each for each in stage.payloads("media.source") if each["kind"] == "video" and each["owner"] == caller.caller)
    assert told[0]["source"] == source["source"]
    page.keyboard.press("r")
    see(page, "mode", "hidden")
    told = wait_for(lambda: (found := stage.payloads("media.revealed")) and len(found) == 2 and found, "the journal again")
    assert told[1] == {**told[0], "on": False}
    page.keyboard.press("r")
    see(page, "mode", "moving")
    page.reload()
    wait_for(lambda: page.evaluate(f"{SCENE} !== undefined"), "the scene")
    live(page)
    assert page.evaluate(f"{SCENE}.mode") == "hidden", "a new look begins hidden"
    assert stage.complaints == []


def test_another_callers_picture_is_not_revealed_with_the_first(stage: Stage) -> None:
    first = stage.caller("Ada")
    page = stage.staff()
    live(page)
    page.keyboard.press("r")
    see(page, "mode", "moving")
    second = stage.caller("Bob")
    see(page, "senders.map((each) => [each.name, each.isLarge, each.isClear])", [["Ada", True, True], ["Bob", False, False]])
    page.keyboard.press("2")
    see(page, "large", second.caller)
    see(page, "mode", "hidden")
    page.keyboard.press("1")
    see(page, "large", first.caller)
    see(page, "mode", "moving")
    assert stage.complaints == []


def test_stills_only_and_grey(stage: Stage, artifacts: pathlib.Path) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    for key in "rms":
        page.keyboard.press(key)
    see(page, "mode", "stills")
    still = wait_for(lambda: (found := page.evaluate(DETAIL))["width"] > 100 and found, "a still")
    assert still["what"] == "still" and still["count"] == 1, "the moving picture is away"
    ages = [wait_for(lambda: page.evaluate(f"{SCENE}.stillAge"), "a still's age")]
    wait_for(lambda: ages.append(page.evaluate(f"{SCENE}.stillAge")) or ages[-1] < ages[-2] - 1, "the next still", 10)
    assert 2 < max(ages) < 5, "one every three seconds"
    assert "Still, " in page.locator(".stage-fresh").inner_text()
    assert page.evaluate("getComputedStyle(document.querySelector('#scene .picture')).filter") == "grayscale(1)"
    page.screenshot(path=artifacts / "scene-stills.png")
    page.keyboard.press("s")
    see(page, "mode", "moving")


# Several callers


def test_two_callers_stand_side_by_side_and_one_returns_to_their_place(stage: Stage, artifacts: pathlib.Path) -> None:
    stage.caller("Ada")
    page = stage.staff()
    live(page)
    assert page.locator(".strip button").count() == 0, "one picture needs no list"
    second = stage.caller("Bob")
    wait_for(lambda: page.locator(".strip button").count() == 2, "two small places")
    page.locator(".strip button", has_text="Bob").click()
    see(page, "large", second.caller)
    assert page.locator(".strip button[aria-pressed=true]").inner_text().splitlines()[1] == "Bob"
    page.set_viewport_size({"width": 1920, "height": 1080})
    large, small = (page.locator(each).bounding_box() for each in (".stage", ".strip"))
    assert small["x"] >= large["x"] + large["width"], "a second column"
    page.screenshot(path=artifacts / "scene-two-wide.png")
    page.keyboard.press("r")
    see(page, "mode", "moving")
    second.reload()

    def returns() -> bool:
        # A page may go on by itself after a reload, or wait for its button.
        if second.locator("#start-video:enabled").is_visible():
            second.click("#start-video")
        return second.evaluate("window.sightline?.state") == "connected"

    wait_for(returns, "Bob is back", 20, every=0.5)
    see(page, "large", second.caller, "Bob's place is his again", 30)
    see(page, "mode", "moving")
    assert stage.complaints == []


# What the caller is asked


def test_commands_are_answered_in_words(stage: Stage, artifacts: pathlib.Path) -> None:
    caller = stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("Shift+M")
    wait_for(lambda: command(page, "mute") == "Mute: done", "muted")
    wait_for(lambda: caller.get_attribute("#microphone", "aria-pressed") == "true", "the caller's page is muted")
    wait_for(lambda: page.locator(".asks button", has_text="Muted").count() == 1, "the phone says so")
    page.keyboard.press("Shift+M")
    wait_for(lambda: caller.get_attribute("#microphone", "aria-pressed") == "false", "heard again")
    page.keyboard.press("Shift+T")
    wait_for(lambda: command(page, "torch").startswith("Torch: not possible: "), "no torch")
    assert page.locator(".ask-answer[data-command=torch]").get_attribute("data-bad") == ""
    page.keyboard.press("Shift+L")
    wait_for(lambda: command(page, "requestLocation") == "Place: done", "the place")
    page.keyboard.press("Shift+P")
    wait_for(lambda: command(page, "stillPhoto") == "Photo: done", "the photo")
    assert stage.payloads("file.added")[-1]["purpose"] == "photo"
    page.screenshot(path=artifacts / "scene-commands.png")
    stop = page.locator(".asks .danger")
    stop.click()
    assert stop.inner_text() == "Press again to stop" and stage.payloads("command")[-1]["command"] == "stillPhoto"
    stop.click()
    wait_for(lambda: stage.payloads("command")[-1]["command"] == "stop", "the second step")
    see(page, "state.text", "The caller has ended the video")
    assert page.evaluate(f"{SCENE}.state.kind") == "ended"
    assert stage.complaints == []


def test_command_that_is_refused_says_why(stage: Stage) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    page.evaluate("""() => {
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (text) {
        return send.call(this, text.replace('"command":"switchCamera"', '"command":"dance"'));
      };
    }""")
    page.keyboard.press("Shift+C")
    wait_for(lambda: command(page, "switchCamera").startswith("Flip: refused: "), "the refusal")


def test_snapshot_is_kept_and_shown(stage: Stage, artifacts: pathlib.Path) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("r")
    # A picture has to be recorded first: the words say so until then.
    words = page.locator(".snapshot-words small")

    def take() -> bool:
        said = words.inner_text()
        if said == "" or said.startswith("Not kept: "):
            page.keyboard.press("x")
        return said.startswith("Saved ")

    wait_for(take, "a snapshot", 20, every=0.5)
    kept = page.evaluate(f"{SCENE}.snapshot")
    assert kept["file"] in [each["file"] for each in stage.payloads("snapshot.taken")]
    with page.expect_download() as download:
        page.click(".snapshot-words a")
    content = pathlib.Path(download.value.path()).read_bytes()
    assert content[:3] == b"\xff\xd8\xff" and download.value.suggested_filename.startswith("snapshot-")
    assert page.locator(".snapshot-thumbnail").is_visible()
    page.screenshot(path=artifacts / "scene-snapshot.png")


# What the caller is shown


def test_text_and_phrases_reach_the_callers_page(stage: Stage, artifacts: pathlib.Path) -> None:
    caller = stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("g")
    page.keyboard.type("Move closer to the person's face")
    page.keyboard.press("Enter")
    shown = caller.locator("#guidance")
    wait_for(lambda: "Move closer to the person's face" in shown.inner_text(), "the text on the phone")
    now = page.locator(".guidance-now")
    wait_for(lambda: now.inner_text() == "The caller sees: “Move closer to the person's face”, shown", "the operator knows")
    phrase = page.locator(".guidance-phrases button").first
    wait_for(lambda: phrase.count() == 1, "phrases")
    words = phrase.locator("span").inner_text()
    phrase.click()
    wait_for(lambda: words in shown.inner_text(), "the phrase on the phone")
    page.screenshot(path=artifacts / "scene-guidance.png")
    page.locator(".guidance header button", has_text="Clear").click()
    wait_for(lambda: now.inner_text() == "The caller sees nothing from you", "taken away")
    wait_for(lambda: words not in shown.inner_text(), "nothing on the phone")
    page.focus("#guidance-text")
    page.keyboard.press("Escape")
    assert page.locator(".guidance").is_hidden()
    assert page.evaluate("document.activeElement.textContent").startswith("Guide")
    assert stage.complaints == []


def test_phrases_come_in_the_callers_language(stage: Stage) -> None:
    caller = stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("g")
    chooser = caller.locator("#language")
    if chooser.count() == 0:
        pytest.skip("this caller's page speaks English only")
    chooser.select_option("de", force=True)
    title = page.locator(".guidance h3").first
    wait_for(lambda: title.inner_text() == "Phrases in German", "phrases in German")
    phrase = page.locator(".guidance-phrases button").first
    text, english = phrase.locator("span").inner_text(), phrase.locator("small").inner_text()
    assert phrase.locator("span").get_attribute("lang") == "de" and text != english
    phrase.click()
    wait_for(lambda: text in caller.locator("#guidance").inner_text(), "the German phrase on the phone")


def test_drawing_becomes_a_file_that_the_caller_is_shown(stage: Stage, artifacts: pathlib.Path) -> None:
    caller = stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("g")
    page.locator(".guidance-drawings button", has_text="Recovery position").click()
    asked = wait_for(lambda: [each for each in stage.payloads("command") if each["command"] == "showFile"], "the command")[0]
    added = next(each for each in stage.payloads("file.added") if each["file"] == asked["argument"])
    assert (added["name"], added["type"], added["purpose"]) == ("recovery.png", "image/png", "photo")
    assert asked["caller"] == caller.caller
    content = stage.operator.ask("GET", f"/api/v1/incidents/{stage.incident}/files/{added['file']}").body
    (artifacts / "scene-drawing.png").write_bytes(content)
    assert content[:4] == b"\x89PNG" and len(content) > 4000
    page.locator(".guidance-drawings button", has_text="Recovery position").click()
    wait_for(lambda: len([each for each in stage.payloads("command") if each["command"] == "showFile"]) == 2, "shown again")
    assert len(stage.payloads("file.added")) == 1, "the file is there already"
    assert stage.complaints == []


def test_clip_of_cpr_is_made_in_the_browser(stage: Stage, artifacts: pathlib.Path) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("g")
    page.locator(".guidance-drawings button", has_text="As a clip").click()
    added = wait_for(lambda: [each for each in stage.payloads("file.added") if each["purpose"] == "clip"], "the clip")[0]
    assert added["type"] in {"video/webm", "video/mp4"}
    wait_for(lambda: [each for each in stage.payloads("command") if each["argument"] == added["file"]], "it is shown")
    clip = stage.operator.ask("GET", f"/api/v1/incidents/{stage.incident}/files/{added['file']}").body
    (artifacts / f"scene-{added['name']}").write_bytes(clip)
    plays = page.evaluate(
        """async (bytes) => {
          const video = Object.assign(document.createElement("video"), { muted: true });
          video.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)]));
          await video.play();
          return [video.videoWidth, video.videoHeight];
        }""", list(clip))
    assert plays == [960, 720]


def test_own_picture_can_be_shown_as_a_file(stage: Stage, tmp_path: pathlib.Path) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("g")
    picture = tmp_path / "exit.png"
    picture.write_bytes(PNG)
    page.set_input_files("#guidance-file", picture)
    added = wait_for(lambda: stage.payloads("file.added"), "the file")[0]
    assert added["name"] == "exit.png" and added["purpose"] == "photo"
    wait_for(lambda: [each for each in stage.payloads("command") if each.get("argument") == added["file"]], "it is shown")
    wait_for(lambda: page.locator(".guidance-files button", has_text="exit.png").count() == 1, "it can be shown again")
    other = tmp_path / "notes.pdf"
    other.write_bytes(b"%PDF-1.4")
    page.set_input_files("#guidance-file", other)
    wait_for(lambda: "cannot show this kind" in page.locator(".guidance-progress").inner_text(), "what phones cannot show")


# Voices and shared pictures


def test_voice_reaches_the_caller_while_it_is_held(stage: Stage) -> None:
    watch_connections = """
      const Native = window.RTCPeerConnection;
      window.connections = [];
      window.RTCPeerConnection = class extends Native { constructor(...options) { super(...options); window.connections.push(this); } };
    """
    caller = stage.caller(script=watch_connections)
    heard = """async () => {
      const report = await window.connections.at(-1).getStats();
      return [...report.values()].filter((each) => each.type === "inbound-rtp" && each.kind === "audio")
        .reduce((sum, each) => sum + each.packetsReceived, 0);
    }"""
    page = stage.staff()
    live(page)
    before = caller.evaluate(heard)
    page.keyboard.down(" ")
    see(page, "isTalking", True)
    wait_for(lambda: caller.evaluate(heard) > before + 20, "the caller hears the operator")
    page.keyboard.up(" ")
    see(page, "isTalking", False)
    talk = page.locator(".tool", has_text="Talk")
    page.keyboard.press("t")
    see(page, "isTalking", True)
    assert talk.get_attribute("aria-pressed") == "true" and "Talking" in talk.inner_text()
    page.keyboard.press("t")
    see(page, "isTalking", False)
    assert stage.complaints == []


def test_shared_camera_reaches_a_colleague_labelled_as_such(stage: Stage, artifacts: pathlib.Path) -> None:
    stage.caller()
    page, other = stage.staff(), stage.staff("supervisor")
    live(page)
    live(other)
    page.keyboard.press("v")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Camera"
    page.keyboard.press("Enter")
    see(page, "sharing", "camera")
    assert page.locator(".share-preview").is_visible()
    see(other, "senders.map((each) => each.part)", ["caller", "colleague"])
    see(other, "slots.filter((state) => state === 'live').length", 2, "both pictures move")
    assert len(page.evaluate(f"{SCENE}.senders")) == 1, "one's own picture is not among the others"
    other.screenshot(path=artifacts / "scene-shared.png")
    page.keyboard.press("v")
    see(page, "sharing", "")
    see(other, "slots.filter((state) => state === 'live').length", 1, "the shared picture has gone")
    assert stage.complaints == []


# Health and state


def test_health_has_figures_and_a_plot_with_words(stage: Stage) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    wait_for(lambda: page.evaluate(f"{SCENE}.health.filter((each) => each?.rate > 0).length") >= 3, "three seconds of figures")
    line = page.locator(".health-line").inner_text()
    assert "bit/s" in line and " ms" in line and "loss " in line and "p " in line, line
    title = page.locator(".plot title").text_content()
    assert title.startswith("Plot of the last ") and "loss at most" in title
    assert page.locator(".plot-rate").get_attribute("d").startswith("M")


def test_words_tell_where_the_picture_stands(stage: Stage, artifacts: pathlib.Path) -> None:
    page = stage.staff()
    see(page, "connection", "connected")
    assert page.evaluate(f"{SCENE}.cover") == "Waiting for the caller"
    page.screenshot(path=artifacts / "scene-waiting.png")
    caller = stage.caller()
    live(page)
    page.keyboard.press("r")
    caller.evaluate("window.stop(); document.querySelector('#stop').click()")
    see(page, "state", {"kind": "ended", "text": "The caller has ended the video"})
    assert page.evaluate(f"{SCENE}.mode") == "hidden"
    stage.operator.post(f"/api/v1/incidents/{stage.incident}/events", {"kind": "incident.state", "payload": {"state": "active"}})
    ended = {"kind": "incident.state", "payload": {"state": "ended", "outcome": "handled"}}
    stage.operator.post(f"/api/v1/incidents/{stage.incident}/events", ended)
    see(page, "state.text", "This incident is over")
    see(page, "connection", "idle", "the line is let go")
    reopened = {"kind": "incident.state", "payload": {"state": "reopened"}}
    stage.operator.post(f"/api/v1/incidents/{stage.incident}/events", reopened)
    see(page, "connection", "connected", "it goes on by itself")
    assert stage.complaints == []


def test_lost_service_is_said_and_comes_back_by_itself(stage: Stage) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    see(page, "counters.restarts >= 1", True, "the path is renewed")
    live(page)
    token = stage.node.accounts["operator"]["token"]
    answer = stage.operator.ask("DELETE", f"/whip/{stage.incident}/{page.evaluate(f'{SCENE}.peer')}", Authorization=f"Bearer {token}")
    assert answer.status in {200, 204}
    see(page, "counters.sessions", 2, "a new session", 40)
    live(page)


def test_sound_that_the_browser_refuses_waits_for_a_click(stage: Stage) -> None:
    stage.caller()
    # A look from outside counts as a click for this browser, so its refusal is played: no sound until a click has come.
    page = stage.staff(script="""
      const play = HTMLMediaElement.prototype.play;
      let wasClicked = false;
      addEventListener("pointerdown", () => { wasClicked = true; }, true);
      HTMLMediaElement.prototype.play = function () {
        return this.muted || wasClicked ? play.call(this) : Promise.reject(new DOMException("no sound", "NotAllowedError"));
      };
    """)
    live(page)
    see(page, "isBlocked", True)
    assert page.evaluate("document.querySelector('#scene .picture video').muted"), "the picture goes on without sound"
    page.locator(".tool", has_text="Click for sound").click()
    see(page, "isBlocked", False)
    wait_for(lambda: not page.evaluate("document.querySelector('#scene .picture video').muted"), "the sound is on")


def test_one_looks_back_and_is_live_again(stage: Stage) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    page.keyboard.press("r")
    see(page, "mode", "moving")

    def back() -> bool:
        page.keyboard.press("ArrowLeft")
        return page.evaluate(f"{SCENE}.lookBack.isActive && {SCENE}.lookBack.behind > 1")

    wait_for(back, "a look back", 30, every=1)
    assert "behind" in page.locator(".stage-fresh").inner_text()
    page.keyboard.press("r")
    see(page, "mode", "hidden")
    visible = page.evaluate(
        "[...document.querySelectorAll('.look-back video')].filter((each) => getComputedStyle(each).visibility === 'visible').length")
    assert visible == 0, "what was recorded is hidden as well"
    page.keyboard.press("l")
    see(page, "lookBack.isActive", False)
    live(page)


# Who may do what


def test_dispatcher_sees_and_reveals_but_does_not_steer(stage: Stage) -> None:
    stage.caller()
    person = stage.node.accounts["dispatcher"]
    assigned = {"account": person["id"], "role": "dispatcher", "name": "Dispatcher"}
    stage.operator.post(
        f"/api/v1/incidents/{stage.incident}/events", {"kind": "assignment.added", "payload": assigned})
    page = stage.staff("dispatcher")
    live(page)
    assert page.locator(".asks, .guidance, .share").count() == 0
    page.keyboard.press("t")
    page.keyboard.press("g")
    page.keyboard.press("r")
    see(page, "mode", "moving")
    assert not page.evaluate(f"{SCENE}.isTalking")
    wait_for(lambda: [each["actor"]["id"] for each in stage.events("media.revealed")] == [person["id"]], "the journal")


@pytest.mark.parametrize("theme", ["dark", "light", "sunlight"])
def test_nothing_for_axe_to_find(stage: Stage, theme: str, artifacts: pathlib.Path) -> None:
    page = stage.staff()
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    see(page, "cover", "Waiting for the caller")
    assert violations(page) == []
    stage.caller("Ada")
    stage.caller("Bob")
    live(page)
    assert violations(page) == []
    page.keyboard.press("r")
    page.keyboard.press("Shift+T")
    page.keyboard.press("g")
    page.keyboard.type("Stay there")
    page.keyboard.press("Enter")
    wait_for(lambda: "Stay there" in page.locator(".guidance-now").inner_text(), "the text is shown")
    wait_for(lambda: page.locator(".strip button").count() == 2, "two callers")
    assert violations(page) == []
    page.screenshot(path=artifacts / f"scene-{theme}.png")


def test_text_at_twice_its_size_stays_within_the_scene(stage: Stage, artifacts: pathlib.Path) -> None:
    stage.caller()
    page = stage.staff()
    live(page)
    page.evaluate("document.documentElement.style.fontSize = '32px'")
    page.screenshot(path=artifacts / "scene-large-text.png")
    widths = page.evaluate("(() => { const scene = document.querySelector('.scene-body'); return [scene.scrollWidth, scene.clientWidth]; })()")
    assert widths[0] <= widths[1]


def test_keys_are_listed(stage: Stage) -> None:
    page = stage.staff()
    page.keyboard.press("?")
    words = page.locator("dialog.keys").inner_text()
    for each in ("Reveal or hide the picture", "Stills only", "30 seconds back", "Snapshot", "Guide the caller", "Talk while held"):
        assert each in words, json.dumps(words)
