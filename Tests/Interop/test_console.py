"""The operator's page in a real browser: the queue and its alert, a call taken in one action, a new incident from the
keystroke to the picture, and the page as a whole."""

import pathlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from console_room import chromium_browser, room  # noqa: F401 (fixtures)
from console_room import DESK, NUMBER, PHONE, Room, loaded, look, press, rows, says, steps, text, violations
from waiting import wait_for

THEMES = ["dark", "light", "sunlight"]


# The queue


def test_most_urgent_first_then_whoever_waited_longest(room: Room) -> None:
    third = room.open_incident("P3", type="Fall")
    older = room.open_incident("P2", type="Fire")
    newer = room.open_incident("P2", type="Smoke")
    page = room.console()
    wait_for(lambda: rows(page) == [older, newer, third], "the order")
    first = room.open_incident("P1", type="Cardiac arrest")
    wait_for(lambda: rows(page) == [first, older, newer, third], "a new call comes in by itself, in its place")
    room.submit(third, "incident.classified", priority="P1")
    wait_for(lambda: rows(page) == [third, first, older, newer], "another priority, another place")
    assert text(page, f"[data-key='{first}']").startswith("P1")


def test_calls_in_work_stand_below_and_say_who_has_them(room: Room) -> None:
    taken = room.open_incident("P1", type="Fire")
    waiting = room.open_incident("P4", type="Fall")
    room.submit(taken, "incident.state", state="active")
    supervisor = room.service.accounts["supervisor"].id
    room.submit(taken, "assignment.added", account=supervisor, role="supervisor", name="Kim")
    page = room.console()
    wait_for(lambda: rows(page) == [waiting, taken], "waiting calls are above")
    assert "Kim" in text(page, f".others [data-key='{taken}']")
    assert page.locator(".waiting .queue-row").count() == 1


def test_answer_clock_passes_its_marks(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console()
    row = page.locator(f"[data-key='{incident}']")
    wait_for(lambda: row.locator(".answer").get_attribute("data-passed") == "15", "15 s", 25)
    assert row.locator(".ring-words").inner_text() == "over 15 s"
    wait_for(lambda: row.locator(".answer").get_attribute("data-passed") == "20", "20 s", 10)
    room.submit(incident, "incident.state", state="active")
    wait_for(lambda: not row.locator(".answer").is_visible(), "an answered call goes calm")


def test_row_tells_the_stage_of_the_link(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console()
    says(page, ".row-stage", "no link yet")
    link = room.link(incident)
    says(page, ".row-stage", "link sent 0:0")
    says(page, ".queue-row .title", NUMBER)
    room.report(link, "failed", reason="permissionDenied")
    says(page, ".row-stage", "failed: camera not allowed")


def test_exercises_are_marked(room: Room) -> None:
    room.open_incident("P2", exercise=True)
    page = room.console()
    page.locator(".queue-row .exercise-mark").wait_for(state="visible")
    press(page, "Enter")
    page.locator("#head .exercise-mark").wait_for(state="visible")


def test_focus_stays_on_its_row(room: Room) -> None:
    one, two = room.open_incident("P3"), room.open_incident("P4")
    page = room.console()
    wait_for(lambda: rows(page) == [one, two], "both")
    press(page, "ArrowDown", "ArrowDown")
    focused = "document.activeElement.closest('[data-key]')?.dataset.key"
    assert page.evaluate(focused) == two
    room.submit(two, "incident.classified", priority="P1")
    wait_for(lambda: rows(page) == [two, one], "the row has moved up")
    assert page.evaluate(focused) == two
    room.open_incident("P1")
    wait_for(lambda: len(rows(page)) == 3, "one more")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == two
    page.keyboard.press("j")
    assert page.evaluate(focused) != two


# The alert


def test_alert_sounds_until_somebody_takes_the_call(room: Room) -> None:
    page = room.console()
    page.keyboard.press("ArrowDown")
    wait_for(lambda: page.evaluate("window.sightline?.alert.isAllowed"), "a key lets the page sound")
    assert page.evaluate("window.sightline.alert.rings") == 0
    incident = room.open_incident("P1")
    wait_for(lambda: page.evaluate("window.sightline?.alert.rings") >= 2, "it sounds again and again")
    wait_for(lambda: page.title().startswith("(1) "), "the title counts")
    room.submit(incident, "incident.state", by="supervisor", state="active")
    look(page, "window.sightline?.alert.sounding", [], "somebody else has taken it")
    wait_for(lambda: not page.title().startswith("("), "nobody waits")


def test_alert_can_be_muted_for_one_call(room: Room) -> None:
    page = room.console()
    one = room.open_incident("P2")
    look(page, "window.sightline?.alert.sounding", [one], "it alerts")
    press(page, "z")
    look(page, "window.sightline?.alert.sounding", [], "muted")
    two = room.open_incident("P3")
    look(page, "window.sightline?.alert.sounding", [two], "the next one alerts")
    page.click(f"[data-key='{one}'] .mute")
    look(page, "window.sightline?.alert.sounding", [one, two], "and so does the first again")


def test_alert_says_when_it_cannot_be_heard(room: Room) -> None:
    page = room.console()
    says(page, "#alert-state", "Alert sound is blocked: click to allow")
    page.click("#alert-state")
    page.locator("#alert-state").wait_for(state="hidden")
    page.click("#alert-settings")
    page.uncheck("#alert-on")
    says(page, "#alert-state", "Alert sound is off")
    room.open_incident("P1")
    look(page, "window.sightline?.alert.sounding.length", 1, "a call waits")
    page.reload()
    says(page, "#alert-state", "Alert sound is off")
    assert page.evaluate("window.sightline.alert.rings") == 0


# Taking and making


def test_one_action_takes_the_call_and_opens_it(room: Room) -> None:
    room.open_incident("P3")
    incident = room.open_incident("P1", type="Cardiac arrest")
    page = room.console()
    wait_for(lambda: len(rows(page)) == 2, "the queue")
    press(page, "Enter")
    look(page, "window.sightline?.incident", incident, "the most urgent is open")
    loaded(page)
    assert page.evaluate("location.pathname") == f"/console/{incident}"
    room.until(incident, "incident.state", {"state": "active"})
    room.until(incident, "assignment.added", {"account": room.service.accounts["operator"].id})
    says(page, ".head-state", "In work, you have it")
    assert page.locator("#scene").is_visible()


def test_supervisor_looks_without_taking(room: Room) -> None:
    incident = room.open_incident("P1")
    page = room.console(role="supervisor")
    page.click(f"[data-key='{incident}'] .row")
    loaded(page)
    says(page, ".head-state", "Waiting, nobody has it")
    assert room.state(incident)["state"] == "new"
    press(page, "o")
    says(page, ".head-state", "In work, you have it")


def test_new_incident_from_the_keystroke_to_the_picture(room: Room) -> None:
    page = room.console()
    page.keyboard.press("n")
    page.keyboard.type("0151 234 567-89")
    says(page, "#new-number", NUMBER)
    page.keyboard.press("Alt+1")
    page.keyboard.press("Enter")
    wait_for(lambda: page.evaluate("window.sightline?.incident"), "the incident is open")
    incident = page.evaluate("window.sightline.incident")
    page.locator(".qr").wait_for(state="visible")
    state = room.state(incident)
    assert (state["priority"], state["callers"][0]["phone"]) == ("P1", NUMBER)
    room.until(incident, "incident.state", {"state": "active"})
    assert steps(page)["Shown"] == "done" and steps(page)["Opened"] == "now"
    caller = room.page(page.input_value("#link-address"), PHONE)
    wait_for(lambda: steps(page).get("Opened") == "done", "opened")
    page.locator(".link-panel").wait_for(state="hidden")
    caller.click("#start-video")
    wait_for(lambda: steps(page).get("Live") == "done", "live")
    assert steps(page)["Location"] == "done" and steps(page)["Camera"] == "done"
    says(page, ".place-words", "within 12 m")
    page.locator(".stages").wait_for(state="hidden", timeout=12_000)
    says(page, f"[data-key='{incident}'] .row-stage", "live")


def test_arrows_choose_the_priority_in_the_form(room: Room) -> None:
    room.open_incident("P3")
    page = room.console()
    page.keyboard.press("n")
    page.locator("#new-priority-P2").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("#new-priority-P3").is_checked()
    assert page.evaluate("document.activeElement.id") == "new-priority-P3"


def test_new_incident_refuses_what_is_no_number(room: Room) -> None:
    page = room.console()
    page.keyboard.press("n")
    page.keyboard.type("12a")
    page.keyboard.press("Enter")
    says(page, "#new-problem", "A number has digits")
    assert page.evaluate("document.activeElement.id") == "new-phone"
    page.keyboard.press("Escape")
    assert not page.locator("#new-incident").is_visible()
    assert rows(page) == []


NUMBERS = [
    ("+49 (0)151 2345678", "", "+491512345678"), ("0049 151 2345678", "44", "+491512345678"),
    ("0151/2345678", "49", "+491512345678"), ("06 1234 5678", "39", "+390612345678"),
    ("(020) 7946 0958", "44", "+442079460958"), ("0151 2345678", "", None), ("0151 2345678", "1", None),
    ("12", "49", None), ("+0 123456789", "", None), ("+1234567890123456", "", None),
]


def test_numbers_as_people_write_them(room: Room) -> None:
    page = room.console()
    parse = "async (given) => (await import('/assets/console/phone.js')).parseNumber(...given).number ?? null"
    for typed, code, number in NUMBERS:
        assert page.evaluate(parse, [typed, code]) == number, (typed, code)


@pytest.mark.parametrize(
    ("stage", "reason", "words", "offer"),
    [
        ("failed", "permissionDenied", "It did not work: camera not allowed", "Write to them"),
        ("failed", "connectionFailed", "no connection for video", "New link: show QR"),
        ("declined", "refusedCaller", "They declined: caller does not want to", "Write to them"),
    ],
)
def test_a_failed_stage_says_why_and_what_is_next(room: Room, stage: str, reason: str, words: str, offer: str) -> None:
    incident = room.open_incident("P2")
    link = room.link(incident)
    page = room.console(f"/console/{incident}")
    room.report(link, stage, reason=reason)
    says(page, ".steps-say", words)
    page.get_by_role("button", name=offer).wait_for()
    assert "failed" in steps(page).values()


def test_a_new_link_is_one_key(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    says(page, ".steps-say", "No link was sent yet.")
    press(page, "y")
    page.locator(".qr").wait_for(state="visible")
    assert page.input_value("#link-address").startswith(f"{room.base}/call/{incident}?token=")
    room.until(incident, "link.sent", {"by": "shown"})


# The page


def test_layout_survives_a_reload(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    page.get_by_role("separator", name="Width of details").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    press(page, "q", "[")
    width = "document.getElementById('context').getBoundingClientRect().width"
    is_away = "!document.getElementById('queue').checkVisibility()"
    look(page, width, 360 + 48, "the details are wider")
    look(page, is_away, True, "the queue is put away")
    look(page, "document.getElementById('tab-triage')?.getAttribute('aria-selected')", "true", "the triage is chosen")
    page.reload()
    loaded(page)
    look(page, width, 360 + 48, "the details are as wide as before")
    look(page, is_away, True, "the queue is still away")
    look(page, "document.getElementById('tab-triage')?.getAttribute('aria-selected')", "true", "the triage is still chosen")
    look(page, "window.sightline?.incident", incident, "the incident is open")
    press(page, "n")
    look(page, is_away, False, "the queue is back")


def test_back_and_forward_go_through_the_incidents(room: Room) -> None:
    one, two = room.open_incident("P1"), room.open_incident("P2")
    page = room.console()
    for incident in (one, two):
        page.click(f"[data-key='{incident}'] .row")
        look(page, "window.sightline?.incident", incident, "open")
    page.go_back()
    look(page, "window.sightline?.incident", one, "the one before")
    loaded(page)
    press(page, "Escape")
    look(page, "window.sightline?.incident", None, "left")
    page.locator("#nothing").wait_for(state="visible")


def test_everything_is_in_the_list_of_keys(room: Room) -> None:
    page = room.console()
    page.keyboard.press("?")
    listed = text(page, "dialog.keys")
    for words in (
        "New incident", "Take the most urgent", "Hand over", "End, with the outcome", "Chat: go there", "Invite",
        "Mute the alert",
    ):
        assert words in listed
    # Digits choose a priority after P, else a picture.
    keys = [key for key in page.locator("dialog.keys kbd").all_inner_texts() if not key.isdigit()]
    assert len(keys) == len(set(keys)), "no key twice"


def test_dispatchers_are_not_offered_what_is_not_theirs(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(role="dispatcher")
    assert page.locator("#new").count() == 0
    page.keyboard.press("n")
    assert not page.locator("#new-incident").is_visible()
    account = room.service.accounts["dispatcher"].id
    room.submit(incident, "assignment.added", account=account, role="dispatcher", name="Demo dispatcher")
    wait_for(lambda: rows(page) == [incident], "the incident came to the desk")
    press(page, "Enter")
    loaded(page)
    press(page, "y")
    assert room.payloads(incident, "link.created") == []


def test_a_trainer_opens_exercises(room: Room) -> None:
    page = room.console(role="trainer")
    page.keyboard.press("n")
    says(page, "#new-title", "New exercise")
    page.keyboard.press("Enter")
    wait_for(lambda: page.evaluate("window.sightline?.incident"), "open")
    assert room.state(page.evaluate("window.sightline.incident"))["exercise"] is True


def test_wrong_role_gets_words(room: Room) -> None:
    page = room.page(f"{room.base}/console?token={room.service.accounts['responder'].token}")
    says(page, "main", "This page is not for your role")
    assert page.get_by_role("link", name="My page").get_attribute("href").startswith("/field")
    assert violations(page) == []


def test_an_incident_that_is_not_there_says_so(room: Room) -> None:
    page = room.page(f"{room.base}/console/26-999999?token={room.service.accounts['operator'].token}")
    look(page, "window.sightline?.channelState", "lost", "given up")
    wait_for(lambda: len(text(page, ".head-state")) > 10, "words")
    assert "Fetching" not in text(page, ".head-state")


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(room: Room, theme: str, artifacts: pathlib.Path) -> None:
    page = room.console()
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    assert violations(page) == [], "empty"
    room.open_incident("P1", type="Cardiac arrest")
    room.open_incident("P3", type="Fall", exercise=True)
    wait_for(lambda: len(rows(page)) == 2, "the queue")
    assert violations(page) == [], "queue"
    press(page, "n")
    assert violations(page) == [], "new incident"
    page.keyboard.press("Escape")
    press(page, "Enter")
    says(page, ".head-state", "you have it")
    press(page, "y")
    page.locator(".qr").wait_for(state="visible")
    states: dict[str, Callable[[], object]] = {
        "chat": lambda: press(page, "c"), "notes": lambda: press(page, "k"), "triage": lambda: press(page, "q"),
        "timeline": lambda: press(page, "b"), "files": lambda: press(page, "u"), "invite": lambda: press(page, "i"),
        "hand over": lambda: press(page, "h"), "end": lambda: [page.keyboard.press("Escape"), press(page, "e")],
    }
    for name, enter in states.items():
        enter()
        assert violations(page) == [], name
        page.screenshot(path=artifacts / f"console-{name.replace(' ', '-')}-{theme}.png")


@pytest.mark.parametrize("size", [PHONE, {"width": 1100, "height": 720}, DESK, {"width": 1920, "height": 1080}])
def test_nothing_scrolls_sideways(room: Room, size: dict, artifacts: pathlib.Path) -> None:
    incident = room.open_incident("P1", type="Cardiac arrest", exercise=True)
    room.link(incident)
    page = room.console(f"/console/{incident}", size=size)
    sideways = "document.documentElement.scrollWidth - innerWidth"
    columns = """[...document.querySelectorAll('.column')]
      .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.id)"""
    for font in ("100%", "200%"):
        page.evaluate(f"document.documentElement.style.fontSize = '{font}'")
        assert page.evaluate(sideways) <= 0, font
        assert page.evaluate(columns) == [], font
        page.screenshot(path=artifacts / f"console-{size['width']}-{font.rstrip('%')}.png")


def test_one_column_at_a_time_on_a_phone(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(size=PHONE)
    assert visible_columns(page) == ["queue"]
    page.click(f"[data-key='{incident}'] .row")
    loaded(page)
    assert visible_columns(page) == ["work"]
    page.get_by_role("navigation", name="Parts of the page").get_by_role("button", name="Details").click()
    assert visible_columns(page) == ["context"]


def visible_columns(page: Page) -> list[str]:
    columns: Locator = page.locator(".column")
    return [each.get_attribute("id") for each in columns.all() if each.is_visible()]
