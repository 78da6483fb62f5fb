"""The guest's page: the picture under one's own name, what one was given to read, who talks, and the end of the link."""

import json
import pathlib
from collections.abc import Iterator

import pytest

from field_people import LAPTOP, PHONE, Field, clipped, in_themes, open_live, violations, voices, width
from service import Service
from test_metadata_pages import Pages, look, text
from test_metadata_pages import pages as pages  # noqa: PLC0414 - a fixture
from waiting import wait_for

NAME = "Dr. Weber, St. Georg"
#: Lets a test turn the page's clock, and nothing else.
CLOCK = "window.ahead = 0; const real = Date.now; Date.now = () => real() + window.ahead;"


class Hospital(Field):
    """A demo whose operator has invited a guest."""

    def invite(self, minutes: int = 30) -> str:
        path = f"/api/v1/incidents/{self.service.incident}/links"
        return self.call("POST", path, {"role": "guest", "name": NAME, "minutes": minutes})["url"]


@pytest.fixture
def hospital(demo: Service) -> Iterator[Hospital]:
    return Hospital(demo)


def test_a_guest_sees_who_they_are_and_chooses_to_look(hospital: Hospital, pages: Pages, artifacts: pathlib.Path) -> None:
    page = open_live(pages, hospital.invite(), LAPTOP)
    look(page, "document.getElementById('self').textContent", f"{NAME}, guest", "name and role")
    assert "blur" in page.evaluate("getComputedStyle(document.getElementById('picture')).filter")
    page.click("#reveal")
    assert page.evaluate("getComputedStyle(document.getElementById('picture')).filter") == "none"
    assert page.evaluate("window.sightline.guest.watermark").startswith(f"{NAME} ")
    assert page.locator(".watermark").bounding_box() == page.locator("#stage").bounding_box()
    assert NAME in text(page, "people") and "simulated caller" in text(page, "people")
    assert page.locator("#place").is_hidden(), "guests are not told where it is"
    page.screenshot(path=artifacts / "guest.png")
    assert pages.complaints == []


def test_a_guest_reads_the_notes_for_guests_and_no_others(hospital: Hospital, pages: Pages) -> None:
    hospital.submit("note", text="Suspicion: brother", guests=False)
    hospital.submit("note", text="Male, about 60", guests=True)
    page = open_live(pages, hospital.invite())
    look(page, "window.sightline?.guest.notes.map((each) => each.text)", ["Male, about 60"], "the note that was there")
    hospital.submit("note", text="Door code 2814")
    hospital.submit("note", text="One shock given", guests=True)
    look(page, "window.sightline?.guest.notes.map((each) => each.text)", ["One shock given", "Male, about 60"], "the new one")
    assert "2814" not in page.content() and "brother" not in page.content()
    assert text(page, "notes").replace("\n\n", "\n").startswith("One shock given\nDemo operator, ")


def test_a_guest_hears_everybody_who_talks(hospital: Hospital, pages: Pages) -> None:
    page = open_live(pages, hospital.invite(), LAPTOP)
    operator = open_live(pages, hospital.address("operator"), LAPTOP)
    wait_for(lambda: voices(page) == 1, "the caller is heard")
    operator.keyboard.press("l")
    look(operator, "window.sightline?.desk.isSending.voice", True, "the microphone is there", 30)
    wait_for(lambda: voices(page) == 2, "the operator is heard as well", 30)
    look(page, "document.getElementById('speaking').textContent", "Demo operator talks", "who talks")
    assert page.evaluate("document.getElementById('voices').muted") is True
    page.click("#sound")
    look(page, "document.getElementById('voices').muted", False, "one button turns on all sound")
    operator.keyboard.press("l")
    look(page, "document.getElementById('speaking').textContent", "", "nobody talks")


def test_a_guest_writes_to_everyone(hospital: Hospital, pages: Pages) -> None:
    page = open_live(pages, hospital.invite(), LAPTOP)
    hospital.submit("chat", text="Among us", to="team")
    hospital.submit("chat", text="Can you see the wound?")
    look(page, "window.sightline?.messages.map((each) => each.text)", ["Can you see the wound?"], "what is for everyone")
    page.keyboard.press("c")
    page.keyboard.type("Yes. Press harder.")
    page.keyboard.press("Enter")
    said = wait_for(lambda: hospital.events("chat")[2:], "the answer")[0]
    assert (said["payload"]["text"], said["actor"]["name"]) == ("Yes. Press harder.", NAME)


def test_the_link_says_when_it_ends_and_ends_by_itself(hospital: Hospital, pages: Pages, artifacts: pathlib.Path) -> None:
    page = pages.open(hospital.invite(30), PHONE)
    page.add_init_script(CLOCK)
    page.reload()
    look(page, "window.sightline?.state", "live", "the picture", 20)
    assert text(page, "link-end").startswith("Link ends at ")
    page.evaluate("window.ahead = 24.5 * 60_000")
    look(page, "document.getElementById('link-end').textContent", "Link ends in 6 min", "it counts down")
    page.evaluate("window.ahead = 30 * 60_000")
    wanted = "You can no longer watch: the link's time is over. Ask for a new one."
    look(page, "window.sightline?.picture.text", wanted, "the end in words")
    look(page, "window.sightline?.connectionState", "closed", "nothing comes any more")
    assert text(page, "link-end") == ""
    page.screenshot(path=artifacts / "guest-expired.png")
    for theme in in_themes(page):
        assert violations(page) == [], theme


def test_the_incident_s_end_ends_the_page(hospital: Hospital, pages: Pages) -> None:
    other = hospital.call("POST", "/api/v1/incidents", {"priority": "P2"})["id"]
    path = f"/api/v1/incidents/{other}"
    page = pages.open(hospital.call("POST", f"{path}/links", {"role": "guest", "name": NAME})["url"], PHONE)
    look(page, "window.sightline?.picture?.text", "Waiting for the caller", "the page is there")
    for payload in ({"state": "active"}, {"state": "ended", "outcome": "handled"}):
        hospital.call("POST", f"{path}/events", {"kind": "incident.state", "payload": payload})
    look(page, "window.sightline?.picture.text", "This incident is over.", "the words")
    look(page, "window.sightline?.connectionState", "closed", "it does not try again")
    page.reload()
    look(page, "window.sightline?.picture?.kind", "ended", "nor after a reload")


@pytest.mark.parametrize("size", [PHONE, LAPTOP])
def test_guest_page_is_for_everyone(hospital: Hospital, pages: Pages, artifacts: pathlib.Path, size: dict) -> None:
    hospital.submit("note", text="Male, about 60, collapsed 12 minutes ago", guests=True)
    hospital.submit("chat", text="Can you see the wound?")
    page = open_live(pages, hospital.invite(), size)
    for theme in in_themes(page):
        assert violations(page) == [], theme
    page.click("#reveal")
    for theme in in_themes(page):
        assert violations(page) == [], theme
    page.screenshot(path=artifacts / f"guest-{size['width']}.png", full_page=True)
    assert width(page) <= size["width"]
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.screenshot(path=artifacts / f"guest-large-text-{size['width']}.png", full_page=True)
    assert width(page) <= size["width"] and clipped(page) == []
    assert pages.complaints == [], json.dumps(pages.complaints)
