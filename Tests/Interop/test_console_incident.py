"""What an operator does with the incident that is open: notes, triage and talk, people in and out, merging, handing
over, ending, all of it in the journal."""

import base64
import pathlib
import urllib.request

from playwright.sync_api import Page

from console_room import chromium_browser, room  # noqa: F401 (fixtures)
from console_room import Room, loaded, look, press, rows, says, text
from waiting import wait_for

#: A picture of one pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


# The open incident


def test_priority_and_type_are_set_from_the_head(room: Room) -> None:
    incident = room.open_incident("P3")
    page = room.console(f"/console/{incident}")
    press(page, "p")
    says(page, ".head-hint", "press 1, 2, 3 or 4")
    page.keyboard.press("1")
    room.until(incident, "incident.classified", {"priority": "P1"})
    page.fill("#type", "Stroke")
    page.keyboard.press("Enter")
    room.until(incident, "incident.classified", {"type": "Stroke"})
    says(page, f"[data-key='{incident}'] .mark", "P1")


def test_notes_triage_and_chat_reach_the_journal(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    press(page, "k")
    page.keyboard.type("Door code 4711")
    page.keyboard.press("Enter")
    room.until(incident, "note", {"text": "Door code 4711"})
    page.keyboard.type("For the hospital")
    page.check("#note-guests")
    page.click(".notes button.primary")
    room.until(incident, "note", {"text": "For the hospital", "guests": True})
    press(page, "q")
    page.get_by_role("group", name="Breathing").get_by_role("button", name="abnormal").click()
    room.until(incident, "triage", {"fields": {"breathing": "abnormal"}})
    says(page, "[aria-label='Breathing'] small", "Demo operator")
    page.get_by_role("button", name="smoke").click()
    room.until(incident, "triage", {"fields": {"hazards": "smoke"}})
    page.fill("#triage-age", "70")
    page.keyboard.press("Enter")
    room.until(incident, "triage", {"fields": {"age": "70"}})
    press(page, "c")
    page.keyboard.type("Help is coming")
    page.keyboard.press("Enter")
    room.until(incident, "chat", {"text": "Help is coming"})
    press(page, "b")
    says(page, ".timeline-list", "Demo operator noted: “Door code 4711”")
    page.get_by_role("group", name="Show").get_by_role("button", name="Talk").click()
    wait_for(lambda: "4711" not in text(page, ".timeline-list"), "talk is filtered out")


def test_team_talks_apart_from_the_caller(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    page.click("#chat-with-team")
    page.fill("#chat-text-team", "Police first")
    page.press("#chat-text-team", "Enter")
    room.until(incident, "chat", {"text": "Police first", "to": "team"})
    says(page, ".chat.team ol", "Police first")
    assert page.locator(".chat.everyone li").count() == 0
    press(page, "k")
    room.submit(incident, "chat", by="supervisor", text="To all")
    says(page, "#tab-chat .tab-count", "1")
    page.click("#tab-chat")
    page.click("#chat-with-everyone")
    page.locator("#tab-chat .tab-count").wait_for(state="hidden")
    assert page.locator(".chat.everyone li").count() == 1
    room.until(incident, "chat.read", {"upTo": room.events(incident, "chat")[-1]["number"]})


def test_typing_is_seen(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    other = room.console(f"/console/{incident}", role="supervisor")
    press(other, "c")
    other.keyboard.type("On")
    says(page, ".chat.everyone .typing", "Demo supervisor is writing")


def test_device_and_phrases_in_the_callers_language(room: Room) -> None:
    incident = room.open_incident("P2")
    link = room.link(incident)
    page = room.console(f"/console/{incident}")
    room.tell(link, "caller.device", battery=0.09, network="cellular", camera="back", language="de", muted=True)
    says(page, ".device", "9 %")
    assert page.locator(".device .bad").all_inner_texts() == ["microphone off", "9 %"]
    says(page, ".device", "speaks German")
    says(page, ".phrases summary", "Quick phrases in German")
    page.click(".phrases summary")
    phrase = page.locator(".phrases button").first
    english = phrase.locator("small").inner_text()
    german = phrase.locator("[lang=de]").inner_text()
    assert english and german != english
    phrase.click()
    room.until(incident, "chat", {"text": german, "language": "de"})


def test_hand_over(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console()
    press(page, "Enter")
    says(page, ".head-state", "you have it")
    other = room.console(role="dispatcher")
    assert rows(other) == []
    press(page, "h")
    page.get_by_label("Demo dispatcher").check()
    page.fill("#hand-over-reason", "Needs a helicopter")
    page.keyboard.press("Enter")
    says(page, ".toasts", "Demo dispatcher has it now.")
    says(page, ".head-state", "Demo dispatcher has it")
    room.until(incident, "assignment.removed", {"account": room.service.accounts["operator"].id})
    room.until(incident, "note", {"text": "Handed over to Demo dispatcher: Needs a helicopter"})
    wait_for(lambda: rows(other) == [incident], "the dispatcher has it in the queue")


def test_units_are_sent_and_stood_down(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    press(page, "i")
    page.get_by_role("button", name="Send ems-1").click()
    room.until(incident, "unit.assigned", {"unit": "ems-1"})
    room.submit(incident, "unit.status", by="responder", unit="ems-1", status="enroute")
    says(page, ".people", "on the way")
    button = page.get_by_role("button", name="Stand down ems-1")
    button.click()
    assert room.payloads(incident, "unit.stoodDown") == []
    page.get_by_role("button", name="Stand down? Again").click()
    room.until(incident, "unit.stoodDown", {"unit": "ems-1"})


def test_a_guest_is_invited_and_the_link_withdrawn(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    press(page, "i")
    page.keyboard.type("Dr. Kaya")
    page.keyboard.press("Tab")
    page.keyboard.type("Hospital")
    page.keyboard.press("Enter")
    says(page, "#link-title", "Link for Dr. Kaya, Hospital")
    address = page.input_value("#link-address")
    with urllib.request.urlopen(address, timeout=10) as response:
        assert response.status == 200 and f"/watch/{incident}?token=" in address
    room.until(incident, "link.created", {"role": "guest", "name": "Dr. Kaya, Hospital"})
    page.get_by_role("button", name="Withdraw the link of Dr. Kaya, Hospital").click()
    page.get_by_role("button", name="Withdraw? Again").click()
    wait_for(lambda: room.payloads(incident, "link.revoked"), "withdrawn")
    page.locator(".link-panel").wait_for(state="hidden")


def same_event(room: Room) -> tuple[str, str]:
    one = room.open_incident("P2", type="Fire", place={"lat": 53.5503, "lon": 9.9928})
    two = room.open_incident("P2", type="Smoke", place={"lat": 53.5505, "lon": 9.9928})
    kind = "incident.mergeSuggested"
    wait_for(lambda: room.payloads(one, kind) or room.payloads(two, kind), "a suggestion", 40)
    return (one, two) if room.payloads(one, kind) else (two, one)


def test_two_calls_of_one_event_are_merged(room: Room) -> None:
    here, other = same_event(room)
    page = room.console(f"/console/{here}")
    says(page, ".suggestion", "22 m away")
    page.get_by_role("button", name="Same event: merge").click()
    assert room.state(here)["state"] == "new"
    page.get_by_role("button", name="Merge? Press again").click()
    look(page, "window.sightline?.incident", other, "the other goes on")
    room.until(here, "incident.merged", {"into": other})
    wait_for(lambda: here in room.state(other)["absorbed"], "absorbed")


def test_two_calls_that_differ_stay_apart(room: Room) -> None:
    here, _ = same_event(room)
    page = room.console(f"/console/{here}")
    page.get_by_role("button", name="Different").click()
    page.locator(".suggestion").wait_for(state="hidden")
    page.reload()
    loaded(page)
    assert page.locator(".suggestion").count() == 0


def test_the_end_needs_an_outcome_and_can_be_taken_back(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console()
    press(page, "Enter")
    says(page, ".head-state", "you have it")
    press(page, "e")
    page.get_by_role("button", name="End the incident").click()
    says(page, "dialog .problem", "Choose how it ended.")
    assert room.state(incident)["state"] == "active"
    page.get_by_label("Caller was advised").check()
    page.fill("#end-reason", "Burnt toast")
    page.get_by_role("button", name="End the incident").click()
    room.until(incident, "incident.state", {"state": "ended", "outcome": "callerAdvised", "reason": "Burnt toast"})
    says(page, ".head-state", "Ended: caller was advised")
    page.locator(".toasts").get_by_role("button", name="Reopen").click()
    room.until(incident, "incident.state", {"state": "reopened"})
    says(page, ".head-state", "Open again")
    press(page, "o")
    says(page, ".head-state", "In work, you have it")


def test_watching_on_and_taking_it_up_again(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console()
    press(page, "Enter")
    says(page, ".head-state", "In work, you have it")
    press(page, "w")
    room.until(incident, "incident.state", {"state": "monitored"})
    says(page, ".head-state", "Being watched, you have it")
    press(page, "o")
    says(page, ".head-state", "In work, you have it")


def test_files_are_blurred_until_somebody_looks(room: Room, tmp_path: pathlib.Path) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    picture = tmp_path / "door.png"
    picture.write_bytes(PIXEL)
    press(page, "u")
    page.set_input_files("#file-input", picture)
    room.until(incident, "file.added", {"name": "door.png", "purpose": "photo", "visibility": "team"})
    thumb = page.get_by_role("button", name="Reveal door.png")
    wait_for(lambda: thumb.locator("img").evaluate("image => image.naturalWidth") == 1, "the picture is fetched")
    assert "blur" in thumb.locator("img").evaluate("image => getComputedStyle(image).filter")
    thumb.click()
    shown = page.get_by_role("button", name="Hide door.png")
    assert shown.locator("img").evaluate("image => getComputedStyle(image).filter") == "none"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download door.png").click()
    assert pathlib.Path(download.value.path()).read_bytes() == PIXEL


def test_the_place_can_be_set_by_hand(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    says(page, ".place-words", "Nobody knows the place yet.")
    page.fill("#place-text", "53.5503, 9.9928")
    page.keyboard.press("Enter")
    room.until(incident, "incident.classified", {"place": {"lat": 53.5503, "lon": 9.9928}})
    says(page, ".place-words", "set by hand")
    page.fill("#place-text", "Hafenstr. 12")
    page.keyboard.press("Enter")
    room.until(incident, "incident.classified", {"place": {"lat": 53.5503, "lon": 9.9928, "text": "Hafenstr. 12"}})
