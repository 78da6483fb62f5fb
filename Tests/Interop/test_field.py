"""The responder's page in a real browser: picture, status, talk, camera, position, and the stand-down."""

import pathlib
import re
import time
from collections.abc import Iterator

import pytest

import service as services
from field_people import (
    LAPTOP, PHONE, SIDEWAYS, UNIT, Field, clipped, in_themes, open_live, violations, voices, width,
)
from service import Service
from test_metadata_pages import Pages, look, start_call, text
from test_metadata_pages import pages as pages  # noqa: PLC0414 - a fixture
from waiting import wait_for

#: What the issue promises: whoever has lost a right has lost the picture within a second.
AT_ONCE = 1.0


@pytest.fixture
def field(demo: Service) -> Iterator[Field]:
    return Field(demo)


def test_the_most_urgent_own_incident_opens_by_itself(field: Field, pages: Pages) -> None:
    page = pages.open(field.address("responder", ""), PHONE)
    look(page, "window.sightline?.view", "incidents", "the list")
    look(page, "window.sightline?.incidents.map((each) => each.id)", ["demo"], "what is open")
    assert page.evaluate("window.sightline.mine") == []
    field.assign()
    page.wait_for_url("**/field/demo?**")
    look(page, "window.sightline?.state", "live", "the picture starts by itself", 20)
    assert page.evaluate("window.sightline.desk.isRevealed") is False
    # At first who it is, then how good it is: which of the two is there depends on how busy the machine is.
    assert re.match("Live (from simulated caller|· )", text(page, "picture-state"))
    assert pages.complaints == []


def test_a_responder_joins_from_the_list(field: Field, pages: Pages) -> None:
    page = pages.open(field.address("responder", ""), PHONE)
    page.click("#open .incident")
    page.wait_for_url("**/field/demo?**")
    look(page, "window.sightline?.state", "live", "the picture", 20)
    assert [each["payload"]["role"] for each in field.events("assignment.added")] == ["responder"]
    assert page.locator("#statuses").is_hidden()
    wait_for(lambda: "Your unit is not on it" in text(page, "dock-state"), "why there is no status")
    page.click("#back")
    look(page, "window.sightline?.mine", ["demo"], "it is one of one's own, and does not open by itself")
    assert "/field?" in page.url


def test_a_picture_is_revealed_by_one_tap_and_the_journal_says_so(field: Field, pages: Pages) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    blurred = "getComputedStyle(document.getElementById('picture')).filter"
    assert "blur" in page.evaluate(blurred)
    page.click("#reveal")
    assert page.evaluate(blurred) == "none"
    revealed = wait_for(lambda: field.events("media.revealed"), "the reveal is in the journal")
    assert (revealed[0]["payload"]["on"], revealed[0]["actor"]["name"]) == (True, "Demo responder")
    page.keyboard.press("r")
    wait_for(lambda: [each["payload"]["on"] for each in field.events("media.revealed")] == [True, False], "hidden again")
    assert page.evaluate("window.sightline.desk.watermark").startswith("Demo responder ")
    assert page.locator(".watermark").bounding_box() == page.locator("#stage").bounding_box()


def test_status_is_one_tap_and_can_be_taken_back(field: Field, pages: Pages) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    page.click("#statuses [data-next]")
    wait_for(lambda: field.statuses() == ["acknowledged"], "acknowledged")
    assert page.locator("#undo").count() == 0, "what was heard of cannot be unheard"
    page.click("#statuses [data-next]")
    wait_for(lambda: field.statuses() == ["acknowledged", "enroute"], "en route")
    assert text(page, "statuses").split("\n")[0] != "En route", "another one comes next"
    page.click("#undo")
    wait_for(lambda: field.statuses() == ["acknowledged", "enroute", "acknowledged"], "taken back")
    assert "Your unit is acknowledged" in text(page, "dock-state")
    page.keyboard.press("3")
    wait_for(lambda: field.statuses()[-1] == "onscene", "on scene, by the keyboard")
    look(page, "document.querySelector('#statuses [data-next]').dataset.status", "transporting", "an ambulance transports")


def test_leaving_waits_for_second_thoughts(field: Field, pages: Pages) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    page.click("#statuses [data-next]")
    wait_for(lambda: field.statuses() == ["acknowledged"], "acknowledged")
    page.click("#statuses [data-status=available]")
    assert "you leave this incident in 5 s" in text(page, "dock-state")
    page.click("#undo")
    page.click("#statuses [data-status=available]")
    wait_for(lambda: field.statuses() == ["acknowledged", "available"], "said after the pause")
    look(page, "window.sightline?.view", "farewell", "the page lets go")
    assert text(page, "farewell-title") == "Available"


def test_push_to_talk_reaches_the_control_room_and_no_caller(field: Field, pages: Pages) -> None:
    field.assign()
    caller = pages.open(field.service.caller)
    caller.add_init_script("window.connections = []; const N = window.RTCPeerConnection; window.RTCPeerConnection = class "
                           "extends N { constructor(...o) { super(...o); window.connections.push(this); } };")
    caller.reload()
    start_call(caller)
    operator = open_live(pages, field.address("operator"), LAPTOP)
    responder = open_live(pages, field.address("responder"))
    wait_for(lambda: voices(operator) == 2, "the operator hears two callers")
    assert voices(caller) == 0
    box = responder.locator("#push-to-talk").bounding_box()
    responder.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    responder.mouse.down()
    look(responder, "window.sightline?.desk.isTalking", True, "it talks while it is held")
    look(responder, "window.sightline?.desk.isSending.voice", True, "the microphone is there", 30)
    wait_for(lambda: voices(operator) >= 3, "the operator hears the responder too", 30)
    look(operator, "window.sightline?.desk.speakers", ["Demo responder"], "the operator sees who talks")
    assert voices(caller) == 0, "a caller hears the control room alone"
    responder.mouse.up()
    look(responder, "window.sightline?.desk.isTalking", False, "it ends when it is let go")
    wait_for(lambda: voices(operator) == 2, "nothing more comes")
    look(operator, "window.sightline?.desk.speakers", [], "nobody talks")
    operator.keyboard.press("l")
    wait_for(lambda: voices(caller) == 1, "the caller does hear the operator")
    look(responder, "document.getElementById('speaking').textContent", "Demo operator talks", "who talks now")


def test_space_talks_while_it_is_held_and_l_keeps_it_on(field: Field, pages: Pages) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    talking = "window.sightline.desk.isTalking"
    page.keyboard.down(" ")
    look(page, talking, True, "held")
    page.keyboard.up(" ")
    look(page, talking, False, "let go")
    page.keyboard.press("l")
    look(page, talking, True, "kept on")
    page.click("#talk-lock")
    look(page, talking, False, "switched off")
    page.click("#tab-notes")
    page.click("#note-text")
    page.keyboard.type("one two")
    assert page.evaluate(talking) is False, "a space in a text is a space"


def test_own_camera_arrives_at_the_operator(field: Field, pages: Pages) -> None:
    field.assign()
    operator = open_live(pages, field.address("operator"), LAPTOP)
    responder = open_live(pages, field.address("responder"))
    assert operator.evaluate("window.sightline.desk.slots") == ["live", "waiting"]
    responder.click("#camera")
    look(operator, "window.sightline?.desk.slots", ["live", "live"], "the second picture", 20)
    look(operator, "document.getElementById('other').innerText.trim()", "Show Demo responder", "whose it is")
    assert responder.evaluate("window.sightline.desk.slots") == ["live", "waiting"], "one's own does not come back"
    assert responder.locator("#own-picture").is_visible()
    operator.click("#other")
    wait_for(lambda: "Live from Demo responder" in text(operator, "picture-state"), "it is the large one")
    responder.click("#camera")
    wait_for(lambda: responder.locator("#own-picture").is_hidden(), "the preview is gone")
    assert responder.evaluate("window.sightline.desk.isSending.picture") is False


def test_position_is_shared_once_it_is_agreed_to(field: Field, pages: Pages) -> None:
    field.assign()
    field.submit("location", caller=field.caller, lat=53.5530, lon=9.9928, accuracy=20, source="manual")
    page = open_live(pages, field.address("responder"))
    assert field.events("unit.location") == []
    assert "not shared" in text(page, "position-state")
    page.click("#position")
    place = wait_for(lambda: field.events("unit.location"), "a place")[0]["payload"]
    assert (place["unit"], place["lat"], place["accuracy"]) == (UNIT, 53.5503, 12)
    words = page.evaluate("Object.fromEntries(window.sightline.desk.places)")
    assert "within 20 m" in words[f"caller {field.caller}"] and words[f"caller {field.caller}"].endswith("300 m north of you")
    assert text(page, "position-state") == "Your position is shared"
    page.context.set_geolocation({"latitude": 53.5520, "longitude": 9.9928, "accuracy": 5})
    moved = wait_for(lambda: field.events("unit.location")[1:], "the next place")[0]["payload"]
    assert moved["lat"] == 53.552 and moved["heading"] == pytest.approx(0, abs=1), "the direction follows from the way"
    page.click("#position")
    assert "not shared" in text(page, "position-state")
    page.reload()
    look(page, "window.sightline?.state", "live", "the picture", 20)
    assert page.evaluate("window.sightline.desk.position") is None, "what was withdrawn stays so"


def test_map_stands_on_a_grid_and_says_the_places(field: Field, pages: Pages, artifacts: pathlib.Path) -> None:
    field.assign()
    field.submit("incident.classified", place={"lat": 53.5511, "lon": 9.9937, "text": "Mönckebergstraße 7"})
    field.submit("unit.assigned", unit="fire-2", name="Engine 2")
    field.submit("unit.location", unit="fire-2", lat=53.5525, lon=9.99, heading=120)
    page = open_live(pages, field.address("responder"), LAPTOP)
    look(page, "window.sightline?.desk.ground", "grid", "no server of tiles is configured")
    assert page.locator(".map-grid").count() > 4 and page.locator(".map-ring").count() == 3
    assert page.locator(".map-unit svg").evaluate("(each) => each.style.transform") == "rotate(120deg)"
    page.click(".map-places summary")
    rows = page.locator(".map-places li").all_inner_texts()
    assert rows[0] == "Mönckebergstraße 7" and rows[1].startswith("Engine 2: assigned")
    page.screenshot(path=artifacts / "field-map.png")
    field.submit("unit.stoodDown", unit="fire-2")
    wait_for(lambda: page.locator(".map-unit").count() == 0, "who has left is gone from the map")


@pytest.mark.parametrize(
    ("arguments", "ground"),
    [(("--map-tiles", "/assets/shared/favicon.svg?{z}/{x}/{y}", "--map-attribution", "Town <b>maps</b>"), "tiles"),
     (("--map-tiles", "/assets/none/{z}/{x}/{y}.png"), "grid"), (("--map-library", "/nonexistent"), "words")])
def test_the_ground_of_the_map_is_what_there_is(
    tmp_path: pathlib.Path, pages: Pages, arguments: tuple[str, ...], ground: str) -> None:
    running = services.start(tmp_path, "--no-caller", *arguments)
    try:
        field = Field(running)
        field.assign()
        page = pages.open(field.address("responder"), PHONE)
        wait_for(lambda: "No place is known yet" in text(page, "map"), "there is nothing to show")
        field.submit("incident.classified", place={"lat": 53.5511, "lon": 9.9937, "text": "Town hall"})
        look(page, "window.sightline?.desk.ground", ground, "what the places stand on")
        assert page.locator(".map-places summary").inner_text() == "Town hall"
        assert page.locator(".map-canvas").is_visible() == (ground != "words")
        if ground == "tiles":
            assert page.locator(".leaflet-control-attribution").inner_text() == "Town <b>maps</b>", "text, not markup"
        for theme in in_themes(page):
            assert violations(page) == [], theme
    finally:
        assert running.stop() == 0


def test_standing_down_ends_everything_within_a_second(field: Field, pages: Pages, artifacts: pathlib.Path) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    since = time.monotonic()
    field.submit("unit.stoodDown", unit=UNIT)
    wait_for(lambda: page.evaluate("window.sightline?.view") == "farewell", "the words", AT_ONCE, every=0.02)
    assert time.monotonic() - since < AT_ONCE
    assert text(page, "farewell-title") == "Stood down"
    assert page.evaluate("document.getElementById('picture').srcObject") is None
    look(page, "window.sightline?.desk.line", "closed", "it does not come back")
    page.screenshot(path=artifacts / "field-stood-down.png")
    for theme in in_themes(page):
        assert violations(page) == [], theme
    other = field.call("POST", "/api/v1/incidents", {"priority": "P1", "type": "Fire"})["id"]
    field.call("POST", f"/api/v1/incidents/{other}/events", {"kind": "unit.assigned", "payload": {"unit": UNIT}})
    page.click("#next-incident")
    page.wait_for_url(f"**/field/{other}?**")
    look(page, "window.sightline?.view", "desk", "the next incident")


def test_a_more_urgent_incident_is_offered(field: Field, pages: Pages) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    assert page.locator("#urgent").is_hidden()
    other = field.call("POST", "/api/v1/incidents", {"priority": "P1", "type": "Fire"})["id"]
    field.call("POST", f"/api/v1/incidents/{other}/events", {"kind": "unit.assigned", "payload": {"unit": UNIT}})
    wait_for(lambda: page.locator("#urgent").is_visible(), "it is told")
    assert "Fire needs you" in text(page, "urgent")
    assert page.evaluate("window.sightline.state") == "live", "nothing is taken away"


def test_texts_go_to_the_team_unless_everyone_is_chosen(field: Field, pages: Pages) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    page.keyboard.press("c")
    page.keyboard.type("Lift is out of order")
    page.keyboard.press("Enter")
    said = wait_for(lambda: field.events("chat"), "the message")[0]
    assert said["payload"] == {"text": "Lift is out of order", "to": "team"}
    page.select_option("#audience", "everyone")
    page.fill("#chat-text", "We are at the door")
    page.click("#chat button")
    assert wait_for(lambda: field.events("chat")[1:], "the next one")[0]["payload"]["to"] == "everyone"
    assert "team only" in page.locator("#chat li").first.inner_text()
    page.click("#tab-map")
    field.submit("chat", text="Second floor")
    wait_for(lambda: text(page, "tab-chat") == "Text (1)", "what was not read is counted")


def test_notes_and_files_are_read_and_added(field: Field, pages: Pages, tmp_path: pathlib.Path) -> None:
    field.assign()
    field.submit("note", text="Door code 2814")
    field.submit("triage", fields={"breathing": "no"})
    page = open_live(pages, field.address("responder"))
    page.keyboard.press("n")
    assert "Door code 2814" in text(page, "panel-notes") and "breathing\nno" in text(page, "panel-notes")
    page.keyboard.type("Patient is awake")
    page.click("#panel-notes form button")
    wait_for(lambda: [each["payload"] for each in field.events("note")][1:] == [{"text": "Patient is awake"}], "the note")
    page.click("#tab-files")
    photo = tmp_path / "door.png"
    page.screenshot(path=photo)
    page.set_input_files("#panel-files input", photo)
    added = wait_for(lambda: field.events("file.added"), "the photo")[0]["payload"]
    assert (added["purpose"], added["visibility"], added["name"]) == ("photo", "team", "door.png")
    page.click(".files button")
    wait_for(lambda: page.evaluate("document.querySelector('dialog.image img')?.naturalWidth") == PHONE["width"], "it is shown")
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert pages.complaints == []


def test_a_lost_connection_is_told_in_words(field: Field, pages: Pages) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"))
    field.service.process.send_signal(19)
    try:
        wait_for(lambda: page.locator("#picture-state[data-weak], [data-picture=stale]").count() > 0, "the picture stands", 20)
        wait_for(lambda: "No new picture for" in text(page, "cover") or "Reconnecting" in text(page, "cover"), "it says so", 20)
    finally:
        field.service.process.send_signal(18)
    look(page, "window.sightline?.state", "live", "it comes back by itself", 30)


@pytest.mark.parametrize("size", [PHONE, SIDEWAYS, {"width": 820, "height": 1180}, LAPTOP])
def test_layout_has_everything_within_reach(field: Field, pages: Pages, artifacts: pathlib.Path, size: dict) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"), size)
    page.screenshot(path=artifacts / f"field-{size['width']}x{size['height']}.png")
    assert width(page) <= size["width"] and clipped(page) == []
    for selector in ("#push-to-talk", "#reveal", *(f"#statuses button:nth-child({place})" for place in (1, 2, 3, 4))):
        box = page.locator(selector).bounding_box()
        assert box["height"] >= 56 and box["width"] >= 56, selector
        assert box["y"] + box["height"] <= size["height"] and box["x"] + box["width"] <= size["width"], selector
    picture = page.locator("#stage").bounding_box()
    assert picture["height"] >= 150
    assert page.locator("#statuses [data-next]").bounding_box()["width"] > page.locator("#statuses :not([data-next])").first.bounding_box()["width"]


@pytest.mark.parametrize("size", [PHONE, LAPTOP])
def test_axe_finds_nothing(field: Field, pages: Pages, size: dict) -> None:
    field.assign()
    field.submit("note", text="Door code 2814")
    field.submit("chat", text="Hello")
    page = open_live(pages, field.address("responder"), size)
    for tab in ("map", "chat", "notes", "files"):
        page.click(f"#tab-{tab}")
        for theme in in_themes(page):
            assert violations(page) == [], (tab, theme)
    page.click("#reveal")
    page.click("#camera")
    page.click("#talk-lock")
    page.click("#statuses [data-next]")
    for theme in in_themes(page):
        assert violations(page) == [], theme
    page.keyboard.press("Escape")
    page.wait_for_url("**list=1**")
    look(page, "window.sightline?.view", "incidents", "the list")
    for theme in in_themes(page):
        assert violations(page) == [], theme
    assert pages.complaints == []


@pytest.mark.parametrize("size", [PHONE, SIDEWAYS, LAPTOP])
def test_text_of_twice_the_size_fits(field: Field, pages: Pages, artifacts: pathlib.Path, size: dict) -> None:
    field.assign()
    page = open_live(pages, field.address("responder"), size)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.screenshot(path=artifacts / f"field-large-text-{size['width']}.png", full_page=True)
    assert width(page) <= size["width"]
    assert [words for words in clipped(page) if words] == []
