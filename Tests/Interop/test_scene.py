"""The operator's scene in real browsers: what is seen and when, who hears and sees whom, who may do what."""

import json
import pathlib

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from scene_stage import node, stage  # noqa: F401 (fixtures)
from scene_stage import SCENE, Stage, live, see
from waiting import wait_for

#: What of the large picture's layers is drawn, and how many pixels it has: a veil has next to none.
DETAIL = """() => {
  const stage = document.querySelector("#scene .picture");
  const shown = [...stage.querySelectorAll("video, canvas")].filter((each) => getComputedStyle(each).visibility === "visible");
  const source = shown.at(-1);
  return { what: source?.className || source?.tagName, width: source?.videoWidth ?? source?.width, count: shown.length };
}"""


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
