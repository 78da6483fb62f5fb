"""The whole story in real browsers at once: a caller, two operators, a paramedic, a hospital and a supervisor, each at the page
that is theirs; the control room uses the keyboard alone. `make story` runs it; SIGHTLINE_STORY_PICTURES is a folder for a
picture of every scene."""

import json
import os
import pathlib
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Playwright

from api import Api
from cast import PHONE, Cast, Person
from node import Node
from service import Account
from waiting import wait_for

#: The unit of the demo's responder.
UNIT = "ems-1"
#: Seconds from the tap to the caller's picture at the service, on a machine that runs six browsers as well.
LIVE_SECONDS = 30
PICTURE_SECONDS = 30
SCENE = "document.getElementById('scene').sightline"


class Stage:
    """A node, its people in browsers, and the journal to hold what they see against."""

    def __init__(self, node: Node, cast: Cast, pictures: pathlib.Path) -> None:
        self.node, self.cast, self.pictures = node, cast, pictures
        self.accounts = cast.accounts
        self.api = Api(node.base, self.accounts["operator"].token)
        self.incident = ""

    def events(self, kind: str) -> list[dict]:
        found = self.api.get(f"/api/v1/incidents/{self.incident}/events?limit=1000")["events"]
        return [event for event in found if event["kind"] == kind]

    def happened(self, kind: str, what: str, seconds: float = 10, **payload: Any) -> dict:
        """Waits until the journal has an event with these members of its payload."""

        def found() -> dict | None:
            fits = lambda event: all(event["payload"].get(name) == value for name, value in payload.items())  # noqa: E731
            return next((event for event in self.events(kind) if fits(event)), None)

        return wait_for(found, f"the journal: {what}", seconds)

    def photograph(self, scene: str, *people: Person) -> None:
        for person in people:
            person.photograph(self.pictures / f"story-{scene}-{person.name.replace(' ', '-')}.png")

    def add_account(self, user: str, name: str, role: str, **more: str) -> None:
        """A further account of the agency, as an admin adds one; it signs in by its password."""
        admin = Api(self.node.base, self.accounts["admin"].token)
        password = "correct horse battery"
        made = admin.post("/api/v1/accounts", {"userName": user, "displayName": name, "role": role, "password": password, **more})
        self.accounts[user] = Account(made["id"], user, password, "")


@pytest.fixture
def stage(tmp_path: pathlib.Path, playwright: Playwright, artifacts: pathlib.Path) -> Iterator[Stage]:
    with Node(tmp_path) as node:
        accounts = {role: Account(**account) for role, account in node.accounts.items()}
        cast = Cast(playwright, node.base, accounts)
        stage = Stage(node, cast, pathlib.Path(os.environ.get("SIGHTLINE_STORY_PICTURES", artifacts)))
        yield stage
        stage.photograph("last", *cast.people)
        cast.close()


def open_incident(stage: Stage, operator: Person) -> str:
    """One keystroke, the number, Enter: the address that the caller is to open."""
    operator.press("n")
    operator.page.keyboard.type("+491512345678")
    operator.press("Enter")
    address = operator.page.locator("#link-address")
    address.wait_for()
    stage.incident = operator.until("location.pathname.split('/console/')[1]", "the incident is open")
    return address.input_value()


def caller_comes(stage: Stage, address: str, **options: Any) -> Person:
    caller = stage.cast.enter("caller", address, size=PHONE, is_phone=True, **options)
    caller.page.tap("#start-video")
    caller.until("window.sightline?.state === 'connected'", "the call is connected", LIVE_SECONDS)
    return caller


def caller_id(stage: Stage) -> str:
    return stage.events("caller.added")[0]["payload"]["caller"]


def sees_picture(person: Person, what: str) -> None:
    """A video of the page shows frames of a camera."""
    person.until(
        "[...document.querySelectorAll('video')].some((video) => video.videoWidth > 0 && video.currentTime > 0 && !video.paused)",
        what, PICTURE_SECONDS)


def test_story(stage: Stage, report: Callable) -> None:
    cast = stage.cast
    stage.add_account("second", "Second operator", "operator")
    operator = cast.sign_in("operator")
    second = cast.sign_in("second")

    # An incident in one keystroke, and its link on a phone.
    address = open_incident(stage, operator)
    stage.photograph("1-link", operator)
    caller = caller_comes(stage, address)
    stage.happened("caller.stage", "the caller is live", LIVE_SECONDS, stage="live")
    seconds = measure_set_up(stage)
    report(test="story", tapToLiveSeconds=seconds)

    # The picture is blurred until it is revealed, and the journal knows by whom.
    operator.until(f"{SCENE}.state.kind === 'live'", "the picture moves", PICTURE_SECONDS)
    assert operator.page.evaluate(f"{SCENE}.clear.length ?? Object.keys({SCENE}.clear).length") == 0
    stage.photograph("2-blurred", operator, caller)
    operator.press("r")
    stage.happened("media.revealed", "the picture was revealed", on=True)
    stage.photograph("3-revealed", operator)

    # How urgent it is, in two keys.
    operator.press("p", "1")
    stage.happened("incident.classified", "it is P1", priority="P1")

    responder, guest = invite(stage, operator)
    talk(stage, operator, caller, responder, guest)
    steer(stage, operator, caller)

    # Over to a colleague, who ends it.
    operator.press("h")
    operator.page.get_by_role("radio", name="Second operator").wait_for()
    choose(operator, "Second operator")
    operator.tab_to("dialog button.primary")
    operator.press("Enter")
    stage.happened("assignment.removed", "the first operator let go", account=stage.accounts["operator"].id)
    second.go(f"/console/{stage.incident}")
    second.until(f"{SCENE}?.state.kind === 'live'", "the colleague sees it", PICTURE_SECONDS)
    stage.photograph("6-handed-over", second, responder, guest, caller)
    second.press("e")
    choose(second, "Handled")
    second.tab_to("dialog button.danger")
    second.press("Enter")
    stage.happened("incident.state", "it ended", state="ended", outcome="handled")
    caller.until("window.sightline?.view === 'ended'", "the call is over")
    stage.photograph("7-ended", second, responder, guest, caller)

    look_back(stage)
    assert cast.complaints == []
    assert cast.strangers == []


def choose(person: Person, name: str) -> None:
    """Goes through the open dialog's choices by the arrow keys until the named one is chosen."""
    person.tab_to("dialog input[type=radio]")
    person.press("Space")
    chosen = "(name) => document.activeElement.checked && document.activeElement.closest('label').innerText.includes(name)"
    for _ in range(12):
        if person.page.evaluate(chosen, name):
            return
        person.press("ArrowDown")
    raise AssertionError(f"{person.name}: {name} cannot be chosen by the keyboard")


def measure_set_up(stage: Stage) -> float:
    """Seconds from the first question to the caller until they were live, as the journal has it."""
    stamps = {event["payload"]["stage"]: event["time"] for event in stage.events("caller.stage")}
    seconds = lambda time: float(time[17:-1]) + 60 * int(time[14:16]) + 3600 * int(time[11:13])  # noqa: E731
    return round(seconds(stamps["live"]) - seconds(stamps["cameraOK"]), 2)


def invite(stage: Stage, operator: Person) -> tuple[Person, Person]:
    """A paramedic by their unit, a hospital by a link that ends."""
    responder = stage.cast.sign_in("responder", size=PHONE, is_phone=True)
    operator.press("i")
    operator.page.get_by_role("button", name=f"Send {UNIT}").wait_for()
    operator.page.locator("#people-title").evaluate("(title) => (title.tabIndex = -1, title.focus())")
    operator.tab_to(f"[aria-label='Send {UNIT}']")
    operator.press("Enter")
    stage.happened("unit.assigned", "the unit is sent", unit=UNIT)
    operator.tab_to("#guest-name")
    operator.page.keyboard.type("Dr. Kaya")
    operator.press("Tab")
    operator.page.keyboard.type("Hospital")
    operator.press("Enter")
    address = operator.until(
        "[document.getElementById('link-address')?.value].find((value) => value?.includes('/watch/'))", "the guest's link")
    guest = stage.cast.enter("guest", address)
    responder.go(f"/field/{stage.incident}")
    sees_picture(responder, "the paramedic sees the caller")
    sees_picture(guest, "the hospital sees the caller")
    stage.happened("media.watching", "the paramedic watches", on=True, role="responder")
    stage.happened("media.watching", "the hospital watches", on=True, role="guest")
    caller_told = "document.getElementById('watching').textContent.toLowerCase()"
    next(person for person in stage.cast.people if person.name == "caller").until(
        f"{caller_told}.includes('operator') && {caller_told}.includes('responder')", "who watches is told")
    stage.photograph("4-invited", operator, responder, guest)
    return responder, guest


def talk(stage: Stage, operator: Person, caller: Person, responder: Person, guest: Person) -> None:
    """Words to the caller reach everybody, words among the team do not."""
    operator.press("c")
    operator.page.keyboard.type("Help is coming")
    operator.press("Enter", "Escape")
    stage.happened("chat", "the operator wrote", text="Help is coming")
    for person in (caller, guest):
        person.until("document.body.innerText.includes('Help is coming')", "the words arrive")
    responder.page.get_by_role("tab", name="Text").click()
    responder.until("document.body.innerText.includes('Help is coming')", "the words arrive")


def steer(stage: Stage, operator: Person, caller: Person) -> None:
    """A snapshot, the other camera, a guiding text."""
    operator.press("x")
    taken = stage.happened("snapshot.taken", "a snapshot is kept", 20)
    assert stage.happened("file.added", "it is among the files", file=taken["payload"]["file"])
    operator.press("Shift+c")
    asked = stage.happened("command", "the other camera is asked for", command="switchCamera")
    stage.happened("command.result", "the page answered", command=asked["number"])
    operator.press("g")
    operator.page.get_by_label("Text").filter(visible=True).first.fill("Move closer to the face")
    operator.press("Enter")
    stage.happened("command", "a text guides", command="guidance", argument="Move closer to the face")
    caller.sees("Move closer to the face")
    stage.photograph("5-guided", operator, caller)
    operator.press("Escape")


def look_back(stage: Stage) -> None:
    """A supervisor replays, verifies, and takes an evidence package away."""
    supervisor = stage.cast.sign_in("supervisor")
    supervisor.go(f"/replay/{stage.incident}")
    supervisor.tab_to("#reason")
    supervisor.page.keyboard.type("quality review")
    supervisor.tab_to("#why-form button.primary")
    supervisor.press("Enter")
    supervisor.until("window.sightline?.tracks?.length > 0 || document.querySelectorAll('#pictures video').length > 0", "streams")
    supervisor.press("v")
    supervisor.until("document.getElementById('seal').textContent.includes('verified')", "the seal is verified", 30)
    stage.photograph("8-replay", supervisor)
    package = export(stage)
    assert any(name.endswith("manifest.jsonl") or "manifest" in name for name in package.namelist())


def export(stage: Stage) -> zipfile.ZipFile:
    """The package by the interface; the page's own way to it is tested with the replay."""
    supervisor = Api(stage.node.base, stage.accounts["supervisor"].token)
    path = f"/api/v1/incidents/{stage.incident}/exports"
    made = supervisor.post(path, {"reason": "court order 7"})
    wait_for(lambda: supervisor.get(f"{path}/{made['export']}")["state"] == "ready", "the package is ready", 180)
    answer = supervisor.ask("GET", f"{path}/{made['export']}/package")
    assert answer.status == 200
    target = stage.pictures / "story-package.zip"
    target.write_bytes(answer.body)
    return zipfile.ZipFile(target)
