"""What the operator's scene asks of the caller and shows to them: commands, snapshots, texts, drawings, clips, files."""

import base64
import pathlib

import pytest
from playwright.sync_api import Page

from scene_stage import node, stage  # noqa: F401 (fixtures)
from scene_stage import SCENE, Stage, live, see
from waiting import wait_for

#: A picture of one pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def command(page: Page, name: str) -> str:
    return page.locator(f".ask-answer[data-command={name}]").inner_text()


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
