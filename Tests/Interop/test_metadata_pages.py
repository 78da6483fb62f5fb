"""The pages on the metadata channel: what a caller's page tells and is told, and the documents of the interfaces."""

import pathlib

import pytest
from axe_playwright_python.sync_playwright import Axe

from desk import DESK, PLACE, Desk, Ephemera, Pages, desk, look, pages, start_call, text  # noqa: F401
from waiting import wait_for


def test_call_reports_place_stages_and_device(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    listener = Ephemera(desk)
    page = pages.open(desk.service.caller)
    page.screenshot(path=artifacts / "metadata-caller-start.png")
    start_call(page)
    wait_for(lambda: "live" in desk.stages(), "the caller is live")
    stages = desk.stages()
    assert stages[0] == "opened" and stages[-2:] == ["connecting", "live"]
    assert {"locationOK", "cameraOK"} <= set(stages)
    place = wait_for(lambda: desk.events("location"), "a place")[0]["payload"]
    assert (place["lat"], place["lon"], place["accuracy"]) == (53.5503, 9.9928, 12)
    assert place["source"] == "device" and place["caller"] == desk.caller and "fixedAt" in place
    page.context.set_geolocation({**PLACE, "latitude": 53.551})
    wait_for(lambda: desk.events("location")[-1]["payload"]["lat"] == 53.551, "the next place")
    wait_for(lambda: [each for each in listener.of_kind("caller.device") if each["camera"] != "none"], "the device")
    page.click("#microphone")
    state = wait_for(lambda: [each for each in listener.of_kind("caller.device") if each["muted"]], "it is muted")[-1]
    assert state["orientation"] == "portrait" and state["torch"] is False
    page.click("#stop")
    wait_for(lambda: desk.stages()[-1] == "ended", "the end is known")
    assert "failed" not in desk.stages()
    assert text(page, "ended-title") == "The video has ended"
    listener.close()
    assert pages.complaints == []


def test_text_goes_both_ways_with_marks(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    number = desk.submit("chat", text="Is anybody hurt?")
    look(page, "document.getElementById('message').hidden", False, "the message stands beside the picture")
    assert "Is anybody hurt?" in text(page, "message")
    wait_for(lambda: [each for each in desk.events("chat.delivered") if each["payload"]["upTo"] == number], "delivered")
    assert desk.events("chat.read") == []
    page.click("#message")
    wait_for(lambda: [each for each in desk.events("chat.read") if each["payload"]["upTo"] == number], "read")
    page.fill("#chat-text", "Two people")
    page.keyboard.press("Enter")
    said = wait_for(lambda: [each for each in desk.events("chat") if each["payload"]["text"] == "Two people"], "the answer")
    assert said[0]["actor"]["id"] == desk.caller and len(said) == 1
    own = page.locator("#chat li.own small")
    wait_for(lambda: own.inner_text().endswith("sent"), "the message counts as sent")
    desk.submit("chat.read", upTo=said[0]["number"])
    wait_for(lambda: own.inner_text().endswith("read"), "the message counts as read")
    page.screenshot(path=artifacts / "metadata-caller-text.png")
    assert Axe().run(page).response["violations"] == []
    assert pages.complaints == []


def test_commands_are_carried_out_and_answered(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    assert desk.command("guidance", "Move closer to the person's face")["status"] == "shown"
    assert text(page, "guidance") == "Move closer to the person's face"
    page.screenshot(path=artifacts / "metadata-caller-guidance.png")
    assert desk.command("guidance", "")["status"] == "shown"
    assert page.locator("#guidance").is_hidden()
    assert desk.command("mute", "true")["status"] == "done"
    assert page.get_attribute("#microphone", "aria-pressed") == "true"
    assert desk.command("requestLocation")["status"] == "done"
    assert desk.command("torch", "true")["status"] == "unsupported", "the fake camera has no light"
    photo = desk.command("stillPhoto")
    assert photo["status"] == "done"
    added = desk.events("file.added")[0]["payload"]
    assert (added["file"], added["type"], added["purpose"]) == (photo["detail"], "image/jpeg", "photo")
    assert desk.command("stop")["status"] == "done"
    look(page, "window.sightline?.view", "ended", "the page has stopped")
    wait_for(lambda: desk.stages()[-1] == "ended", "the end is known")
    assert pages.complaints == []


def test_reload_goes_on_and_another_browser_is_kept_out(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    answer = desk.command("guidance", "Stay there")
    desk.submit("chat", text="We are coming")
    page.reload()
    look(page, "window.sightline?.state", "connected", "the call goes on by itself")
    look(page, "window.sightline?.messages.map((each) => each.text)", ["We are coming"], "what was said is there again")
    assert text(page, "guidance") == "Stay there"
    answers = [each["payload"] for each in desk.events("command.result")]
    assert answers == [answer], "what was done is not done again"
    other = pages.open(desk.service.caller)
    look(other, "window.sightline?.view", "problem", "the other browser is told")
    assert other.evaluate("window.sightline.problem") == "linkUsed"
    assert text(other, "problem-title") == "This link is open on another page"
    other.screenshot(path=artifacts / "metadata-caller-used.png")
    assert page.evaluate("window.sightline.state") == "connected"
    # A browser notes the refused request for ICE servers by itself.
    assert [each for each in pages.complaints if "401" not in each] == []


def test_written_while_offline_arrives_once(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    look(page, "window.sightline?.metadata.state", "connected", "the metadata channel is up")
    page.evaluate("""() => {
      const send = WebSocket.prototype.send;
      window.online = () => { WebSocket.prototype.send = send; };
      WebSocket.prototype.send = () => {};
    }""")
    page.click("#start-text")
    page.fill("#chat-text", "Can you hear me?")
    page.keyboard.press("Enter")
    look(page, "window.sightline?.metadata.waiting", 1, "the message waits")
    assert page.locator("#chat li.own small").inner_text().endswith("waiting for the network")
    page.evaluate("window.online()")
    look(page, "window.sightline?.metadata.waiting", 0, "the message has arrived", 20)
    assert [each["payload"]["text"] for each in desk.events("chat")] == ["Can you hear me?"]


def test_data_channel_alone_carries_the_metadata(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    page.add_init_script("""
      const NativeSocket = window.WebSocket;
      window.sockets = [];
      window.WebSocket = class extends NativeSocket {
        constructor(...options) {
          if (window.noSockets) throw new Error("no sockets");
          super(...options);
          window.sockets.push(this);
        }
      };
    """)
    page.reload()
    start_call(page)
    page.evaluate("() => { window.noSockets = true; for (const each of window.sockets) each.close(); }")
    wait_for(lambda: not [each for each in page.evaluate("window.sightline?.metadata.carriers") if each == "websocket"],
             "the WebSocket is gone")
    assert page.evaluate("window.sightline.metadata.state") == "connected"
    assert desk.command("guidance", "By the other way")["status"] == "shown"
    assert text(page, "guidance") == "By the other way"


def test_refused_location_leads_on(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller, permissions=("camera", "microphone"))
    start_call(page)
    look(page, "window.sightline?.place.state", "refused", "the page knows")
    assert "cannot see where you are" in text(page, "hint")
    assert desk.command("requestLocation")["status"] == "refused"
    assert desk.events("location") == []


def test_viewer_sees_place_and_text(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    caller = pages.open(desk.service.caller)
    start_call(caller)
    viewer = pages.open(f"{desk.base}/watch/{desk.service.incident}?token={desk.token}", DESK)
    look(viewer, "window.sightline?.state", "live", "the picture")
    look(viewer, "document.getElementById('place').hidden", False, "the place")
    assert text(viewer, "coordinates") == "53.55030, 9.99280"
    assert text(viewer, "place-age").startswith("within 12 m, ")
    look(caller, "document.getElementById('watching').textContent", "Watching: operator", "the caller sees who watches")
    viewer.keyboard.press("c")
    viewer.keyboard.type("Are you safe?")
    viewer.keyboard.press("Enter")
    wait_for(lambda: "Are you safe?" in text(caller, "message"), "the caller is asked")
    viewer.screenshot(path=artifacts / "metadata-viewer.png")
    assert Axe().run(viewer).response["violations"] == []
    assert pages.complaints == []


def test_viewer_is_told_when_the_link_is_withdrawn(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    caller = pages.open(desk.service.caller)
    start_call(caller)
    viewer = pages.open(desk.service.viewer, DESK)
    look(viewer, "window.sightline?.state", "live", "the picture")
    link = next(each["payload"]["link"] for each in desk.events("link.created") if each["payload"]["role"] == "guest")
    desk.call("DELETE", f"/api/v1/incidents/{desk.service.incident}/links/{link}")
    look(viewer, "window.sightline?.picture.text", "You can no longer watch: the link was withdrawn.", "the words")
    look(viewer, "window.sightline?.connectionState", "closed", "it does not try again")
    viewer.screenshot(path=artifacts / "metadata-viewer-revoked.png")
    assert caller.evaluate("window.sightline.state") == "connected"


@pytest.mark.parametrize("theme", ["dark", "light", "sunlight"])
def test_docs_show_everything(desk: Desk, pages: Pages, artifacts: pathlib.Path, theme: str) -> None:
    routes = [
        (method, path) for path, item in desk.call("GET", "/openapi.json")["paths"].items() for method in item
        if method in {"get", "post", "put", "patch", "delete", "head", "options"}]
    messages = desk.call("GET", "/asyncapi.json")["components"]["messages"]
    page = pages.open(f"{desk.base}/docs", DESK)
    look(page, "document.querySelectorAll('.route').length", len(routes), "all routes")
    assert page.locator(".message").count() == len(messages)
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=artifacts / f"docs-{theme}.png")
    assert pages.complaints == []


def test_docs_are_found_by_keyboard(desk: Desk, pages: Pages) -> None:
    page = pages.open(f"{desk.base}/docs", DESK)
    look(page, "document.querySelectorAll('.route').length > 0", True, "the routes")
    page.keyboard.press("/")
    page.keyboard.type("number of the command's event")
    visible = page.locator("details:visible")
    wait_for(lambda: visible.count() == 1, "one entry is left")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.goto(f"{desk.base}/docs#command-result")
    page.reload()
    look(page, "document.getElementById('command-result')?.open", True, "the address opens its entry")
    assert "Number of the command's event." in page.locator("#command-result").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= DESK["width"]
