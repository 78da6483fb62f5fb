"""The operator's page in a real browser: the queue and its alert, a call taken in one action, a new incident from the
keystroke to the picture, and everything that is done with an incident around its picture."""

import base64
import pathlib
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Playwright

from api import Api
from browser import CHROMIUM
from service import Service
from waiting import wait_for

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 740}
PLACE = {"latitude": 53.5503, "longitude": 9.9928, "accuracy": 12}
NUMBER = "+4915123456789"
FLAGS = [
    "--no-sandbox", "--use-fake-device-for-media-stream=fps=30", "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
THEMES = ["dark", "light", "sunlight"]
#: A picture of one pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


class Room:
    """The service as its staff use it over HTTP, and their pages."""

    def __init__(self, running: Service, browser: Browser) -> None:
        self.service = running
        self.base = running.base.rstrip("/")
        self.complaints: list[str] = []
        self._browser = browser
        self._apis: dict[str, Api] = {}

    def api(self, role: str = "operator") -> Api:
        return self._apis.setdefault(role, Api(self.base, self.service.accounts[role].token))

    # What is in the journal

    def open_incident(self, priority: str = "P2", **more: object) -> str:
        return self.api().post("/api/v1/incidents", {"priority": priority, **more})["id"]

    def link(self, incident: str, **more: object) -> dict:
        wish = {"role": "caller", "name": "Caller 6789", "phone": NUMBER, "send": "shown", **more}
        return self.api().post(f"/api/v1/incidents/{incident}/links", wish)

    def submit(self, incident: str, kind: str, *, by: str = "operator", **payload: object) -> None:
        self.api(by).post(f"/api/v1/incidents/{incident}/events", {"kind": kind, "payload": payload})

    def report(self, link: dict, stage: str, **more: object) -> None:
        """What the page of a caller's link says of itself."""
        with Api(self.base, link["token"], **{"Sightline-Key": "0123456789abcdef"}) as caller:
            incident = link["url"].split("/call/")[1].split("?")[0]
            payload = {"caller": link["link"], "stage": stage, **more}
            caller.post(f"/api/v1/incidents/{incident}/events", {"kind": "caller.stage", "payload": payload})

    def payloads(self, incident: str, kind: str) -> list[dict]:
        events = self.api().get(f"/api/v1/incidents/{incident}/events?limit=1000")["events"]
        return [event["payload"] for event in events if event["kind"] == kind]

    def state(self, incident: str) -> dict:
        return self.api().get(f"/api/v1/incidents/{incident}")

    def until(self, incident: str, kind: str, expected: dict) -> None:
        """Waits until the journal has an event with these members."""
        wait_for(
            lambda: any(expected.items() <= payload.items() for payload in self.payloads(incident, kind)),
            f"{kind} with {expected}")

    # Pages

    def page(self, url: str, size: dict = DESK, permissions: tuple[str, ...] = ("geolocation", "camera", "microphone")) -> Page:
        context = self._browser.new_context(
            viewport=size, geolocation=PLACE, permissions=list(permissions), color_scheme="dark", locale="de-DE")
        page = context.new_page()
        page.on("console", lambda message: message.type in {"error", "warning"} and self.complaints.append(f"{message.text} {message.location['url']}"))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        wait_for(lambda: page.evaluate("window.sightline !== undefined"), "the page's script")
        return page

    def console(self, path: str = "/console", role: str = "operator", size: dict = DESK) -> Page:
        page = self.page(f"{self.base}{path}?token={self.service.accounts[role].token}", size)
        if path != "/console":
            loaded(page)
        else:
            wait_for(lambda: page.evaluate("window.sightline.isConnected"), "the queue")
        return page


@pytest.fixture(scope="module")
def chromium_browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def room(service: Service, chromium_browser: Browser) -> Iterator[Room]:
    """A service whose own first incident is over, and whose queue is empty therefore."""
    room = Room(service, chromium_browser)
    room.submit(service.incident, "incident.state", state="cancelled")
    yield room
    for context in chromium_browser.contexts:
        context.close()
    assert [each for each in room.complaints if not is_expected(each)] == []


def is_expected(complaint: str) -> bool:
    """Axe tries inline styles; and a line that is let go of while it is made may be told of a candidate too late."""
    return "Applying inline style" in complaint or ("404" in complaint and "/whip/" in complaint)


def loaded(page: Page) -> None:
    wait_for(lambda: page.evaluate("window.sightline.isLoaded"), "the incident is read")


def look(page: Page, expression: str, expected: object, what: str) -> None:
    wait_for(lambda: page.evaluate(f"JSON.stringify({expression}) === JSON.stringify({js(expected)})"), what)


def js(value: object) -> str:
    return {True: "true", False: "false", None: "undefined"}[value] if isinstance(value, bool | None) else repr(value)


def text(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text()


def says(page: Page, selector: str, words: str) -> None:
    wait_for(lambda: words in (page.locator(selector).first.text_content() or ""), f"{selector} says: {words}")


def press(page: Page, *keys: str) -> None:
    """Keys with the focus on nothing, as after a click beside."""
    page.evaluate("document.activeElement.blur()")
    for key in keys:
        page.keyboard.press(key)


def rows(page: Page) -> list[str]:
    return page.locator(".queue-row").evaluate_all("all => all.map((row) => row.dataset.key)")


def violations(page: Page) -> list[str]:
    """What axe finds. It tries inline styles, of which the page's policy complains; it need not fetch styles."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


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
    wait_for(lambda: page.evaluate("window.sightline.alert.isAllowed"), "a key lets the page sound")
    assert page.evaluate("window.sightline.alert.rings") == 0
    incident = room.open_incident("P1")
    wait_for(lambda: page.evaluate("window.sightline.alert.rings") >= 2, "it sounds again and again")
    wait_for(lambda: page.title().startswith("(1) "), "the title counts")
    room.submit(incident, "incident.state", by="supervisor", state="active")
    look(page, "window.sightline.alert.sounding", [], "somebody else has taken it")
    wait_for(lambda: not page.title().startswith("("), "nobody waits")


def test_alert_can_be_muted_for_one_call(room: Room) -> None:
    page = room.console()
    one = room.open_incident("P2")
    look(page, "window.sightline.alert.sounding", [one], "it alerts")
    press(page, "z")
    look(page, "window.sightline.alert.sounding", [], "muted")
    two = room.open_incident("P3")
    look(page, "window.sightline.alert.sounding", [two], "the next one alerts")
    page.click(f"[data-key='{one}'] .mute")
    look(page, "window.sightline.alert.sounding", [one, two], "and so does the first again")


def test_alert_says_when_it_cannot_be_heard(room: Room) -> None:
    page = room.console()
    says(page, "#alert-state", "Alert sound is blocked: click to allow")
    page.click("#alert-state")
    page.locator("#alert-state").wait_for(state="hidden")
    page.click("#alert-settings")
    page.uncheck("#alert-on")
    says(page, "#alert-state", "Alert sound is off")
    room.open_incident("P1")
    look(page, "window.sightline.alert.sounding.length", 1, "a call waits")
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
    look(page, "window.sightline.incident", incident, "the most urgent is open")
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
    wait_for(lambda: page.evaluate("window.sightline.incident"), "the incident is open")
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


def steps(page: Page) -> dict[str, str]:
    found = page.locator(".step").evaluate_all(
        "all => all.map((step) => [step.querySelector('.step-words').firstChild.nodeType === 3"
        " ? step.querySelector('.step-words').firstChild.data : step.querySelector('.step-words').childNodes[1].data, step.dataset.state])")
    return dict(found)


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


@pytest.mark.parametrize(
    ("typed", "code", "number"),
    [
        ("+49 (0)151 2345678", "", "+491512345678"), ("0049 151 2345678", "44", "+491512345678"), ("0151/2345678", "49", "+491512345678"),
        ("06 1234 5678", "39", "+390612345678"), ("(020) 7946 0958", "44", "+442079460958"), ("0151 2345678", "", None), ("12", "49", None),
        ("+0 123456789", "", None), ("+1234567890123456", "", None),
    ],
)
def test_numbers_as_people_write_them(room: Room, typed: str, code: str, number: str | None) -> None:
    page = room.console()
    found = page.evaluate(
        "async ([typed, code]) => (await import('/assets/console/phone.js')).parseNumber(typed, code).number ?? null", [typed, code])
    assert found == number


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
    room.until(incident, "chat.read", {"upTo": room.state(incident)["number"] - 1})


def test_typing_is_seen(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    other = room.console(f"/console/{incident}", role="supervisor")
    press(other, "c")
    other.keyboard.type("On")
    says(page, ".chat.everyone .typing", "Demo supervisor is writing")


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
    wait_for(lambda: room.payloads(one, "incident.mergeSuggested") or room.payloads(two, "incident.mergeSuggested"), "a suggestion", 40)
    return (one, two) if room.payloads(one, "incident.mergeSuggested") else (two, one)


def test_two_calls_of_one_event_are_merged(room: Room) -> None:
    here, other = same_event(room)
    page = room.console(f"/console/{here}")
    says(page, ".suggestion", "22 m away")
    page.get_by_role("button", name="Same event: merge").click()
    assert room.state(here)["state"] == "new"
    page.get_by_role("button", name="Merge? Press again").click()
    look(page, "window.sightline.incident", other, "the other goes on")
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


# The page


def test_layout_survives_a_reload(room: Room) -> None:
    incident = room.open_incident("P2")
    page = room.console(f"/console/{incident}")
    page.get_by_role("separator", name="Width of details").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    press(page, "q", "[")
    width = "document.getElementById('context').getBoundingClientRect().width"
    assert page.evaluate(width) == 360 + 48
    page.reload()
    loaded(page)
    assert page.evaluate(width) == 360 + 48
    assert not page.locator("#queue").is_visible()
    assert page.locator("#tab-triage").get_attribute("aria-selected") == "true"
    assert page.evaluate("window.sightline.incident") == incident
    press(page, "n")
    assert page.locator("#queue").is_visible()


def test_back_and_forward_go_through_the_incidents(room: Room) -> None:
    one, two = room.open_incident("P1"), room.open_incident("P2")
    page = room.console()
    for incident in (one, two):
        page.click(f"[data-key='{incident}'] .row")
        look(page, "window.sightline.incident", incident, "open")
    page.go_back()
    look(page, "window.sightline.incident", one, "the one before")
    loaded(page)
    press(page, "Escape")
    look(page, "window.sightline.incident", None, "left")
    page.locator("#nothing").wait_for(state="visible")


def test_everything_is_in_the_list_of_keys(room: Room) -> None:
    page = room.console()
    page.keyboard.press("?")
    listed = text(page, "dialog.keys")
    for words in ("New incident", "Take the most urgent", "Hand over", "End, with the outcome", "Chat: go there", "Invite", "Mute the alert"):
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
    wait_for(lambda: page.evaluate("window.sightline.incident"), "open")
    assert room.state(page.evaluate("window.sightline.incident"))["exercise"] is True


def test_wrong_role_gets_words(room: Room) -> None:
    page = room.page(f"{room.base}/console?token={room.service.accounts['responder'].token}")
    says(page, "main", "This page is for the control room")
    assert page.get_by_role("link", name="Go to your own page").get_attribute("href").startswith("/field")
    assert violations(page) == []


def test_an_incident_that_is_not_there_says_so(room: Room) -> None:
    page = room.page(f"{room.base}/console/26-999999?token={room.service.accounts['operator'].token}")
    look(page, "window.sightline.channelState", "lost", "given up")
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
    columns = "[...document.querySelectorAll('.column')].filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.id)"
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
