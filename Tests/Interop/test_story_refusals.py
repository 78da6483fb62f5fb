"""What goes wrong in the story and must not end it: questions that are answered with no, links that open nothing, people at the
wrong page, a server that dies in the middle, a network that goes and comes back."""

import pathlib
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright

import tokens
from api import Api
from cast import FLAGS, PHONE, Cast, Person
from line import Line
from node import Node
from service import Account, Service
from waiting import wait_for

#: Without the browser's own yes to every question: what is not granted is refused.
CAREFUL = tuple(flag for flag in FLAGS if flag != "--use-fake-ui-for-media-stream")
SCENE = "document.getElementById('scene').sightline"
LIVE_SECONDS = 30


class Town:
    """A node with one incident, and whoever comes to it in a browser."""

    def __init__(self, node: Node, cast: Cast) -> None:
        self.node, self.cast = node, cast
        self.incident = node.open_incident(type="fall from a ladder")

    def caller(self, *permissions: str, base: str = "") -> Person:
        """A caller opens a link on a phone that grants just these."""
        link = self.node.make_link(self.incident, "caller", "Anna")
        path = f"{base}/call/{self.incident}?token={link.token}"
        return self.cast.enter("caller", path, size=PHONE, is_phone=True, permissions=permissions)

    def operator(self) -> Person:
        person = self.cast.sign_in("operator")
        person.go(f"/console/{self.incident}")
        person.until("window.sightline?.isLoaded", "the incident is read")
        return person


@pytest.fixture
def town(tmp_path: pathlib.Path, playwright: Playwright) -> Iterator[Town]:
    with Node(tmp_path) as node:
        accounts = {role: Account(**account) for role, account in node.accounts.items()}
        cast = Cast(playwright, node.base, accounts, CAREFUL)
        yield Town(node, cast)
        cast.close()


def start(caller: Person) -> None:
    caller.page.tap("#start-video")


def is_live(caller: Person) -> None:
    caller.until("window.sightline?.state === 'connected'", "the call is connected", LIVE_SECONDS)


def test_without_a_camera_the_voice_and_the_place_go_on(town: Town) -> None:
    operator = town.operator()
    caller = town.caller("geolocation")
    start(caller)
    caller.until("window.sightline?.view === 'problem'", "the page says what is wrong")
    assert "camera" in caller.page.inner_text("main").lower()
    operator.until("[...window.sightline?.model.callers.values()].some((each) => each.fix)", "the operator has the place")
    operator.until(
        "[...window.sightline.model.callers.values()].some((each) => each.reason === 'permissionDenied')",
        "the operator knows why there is no picture")
    # What is left is one tap away: the microphone is granted now.
    caller.context.grant_permissions(["geolocation", "microphone"])
    caller.page.locator("#retry-sound").tap()
    is_live(caller)
    operator.until(f"{SCENE}.state.text.toLowerCase().includes('sound')", "the operator hears them", LIVE_SECONDS)
    assert town.cast.complaints == []


def test_without_a_place_the_picture_goes_on(town: Town) -> None:
    operator = town.operator()
    caller = town.caller("camera", "microphone")
    start(caller)
    is_live(caller)
    operator.until(f"{SCENE}.state.kind === 'live'", "the operator has the picture", LIVE_SECONDS)
    caller.until("window.sightline?.place.state === 'refused'", "the page knows that the place was refused")
    assert operator.page.evaluate("[...window.sightline.model.callers.values()].every((each) => !each.fix)")


def test_with_nothing_granted_text_is_left(town: Town) -> None:
    operator = town.operator()
    caller = town.caller()
    start(caller)
    caller.until("window.sightline?.view === 'problem'", "the page says what is wrong")
    caller.page.locator("#retry-text").tap()
    caller.page.locator("#chat-text").fill("I am under the stairs")
    caller.press("Enter")
    operator.until("document.body.innerText.includes('I am under the stairs')", "the operator reads it")


def test_a_link_whose_time_is_over_says_so(town: Town) -> None:
    key, now = tokens.load_key(town.node.data), int(time.time())
    token = tokens.sign(key, incident=town.incident, kind="caller", iat=now - 1000, exp=now - 100)
    caller = town.cast.enter("late", f"/call/{town.incident}?token={token}", size=PHONE, is_phone=True)
    caller.sees("This link is too old")
    assert not caller.page.locator("#start-video").is_visible()


def test_a_withdrawn_link_says_so(town: Town) -> None:
    operator = town.operator()
    caller = town.caller("camera", "microphone", "geolocation")
    start(caller)
    is_live(caller)
    operator.page.get_by_role("button", name="Withdraw the link of Anna").click()
    operator.page.get_by_role("button", name="Withdraw? Again").click()
    # Which of the two words of it comes first is a race; both say it.
    caller.until("['linkRevoked', 'forbidden'].includes(window.sightline?.problem)", "the page says that it is over")
    assert caller.page.locator("#problem-title").is_visible()
    assert not caller.page.locator("#stop").is_visible()


@pytest.mark.parametrize(("role", "path"), [
    ("responder", "/admin"), ("operator", "/admin"), ("responder", "/console"), ("admin", "/console"), ("operator", "/wall"),
    ("responder", "/dashboard"), ("operator", "/audit"), ("responder", "/exercise"), ("admin", "/field"),
])
def test_the_wrong_role_is_led_to_its_own_page(town: Town, role: str, path: str) -> None:
    person = town.cast.sign_in(role)
    person.go(path)
    person.until("document.body.dataset.refused", "the page says that it is not theirs")
    person.page.get_by_role("main").get_by_role("link").first.click()
    person.until(f"!location.pathname.startsWith('{path}') && window.sightline && !document.body.dataset.refused", "their own page")


def test_a_guest_comes_no_further_than_the_picture(town: Town) -> None:
    link = town.node.make_link(town.incident, "guest", "Dr. Kaya")
    guest = town.cast.enter("guest", f"/watch/{town.incident}?token={link.token}")
    guest.until("document.getElementById('people').children.length > 0", "who is there")
    guest.go(f"/console/{town.incident}?token={link.token}")
    guest.until("document.body.dataset.refused === 'guest'", "the page says that it is not theirs")


def test_the_server_dies_in_the_middle_and_everybody_comes_back(town: Town) -> None:
    operator = town.operator()
    caller = town.caller("camera", "microphone", "geolocation")
    start(caller)
    is_live(caller)
    operator.until(f"{SCENE}.state.kind === 'live'", "the operator has the picture", LIVE_SECONDS)
    town.node.kill()
    caller.until("window.sightline?.state === 'reconnecting'", "the caller is told", LIVE_SECONDS)
    assert "keep this page open" in caller.page.inner_text("#state").lower()
    town.node.start()
    is_live(caller)
    operator.until(f"{SCENE}.connection === 'connected' && {SCENE}.state.kind === 'live'", "the picture is back", 2 * LIVE_SECONDS)
    operator.until("window.sightline?.isConnected && window.sightline?.channelState === 'connected'", "the news go on")


def test_words_written_without_a_network_arrive_when_it_is_back(town: Town) -> None:
    operator = town.operator()
    with Line(town.node.port) as line:
        caller = town.caller("geolocation", base=line.base)
        caller.page.locator("#start-text").tap()
        caller.until("window.sightline?.metadata.carriers.length > 0", "the line stands", LIVE_SECONDS)
        line.cut()
        caller.until("window.sightline?.metadata.carriers.length === 0", "the line is gone", LIVE_SECONDS)
        caller.page.locator("#chat-text").fill("Third floor, left")
        caller.press("Enter")
        caller.until("document.getElementById('chat').innerText.includes('waiting for the network')", "the words are kept")
        line.mend()
        operator.until("document.body.innerText.includes('Third floor, left')", "the words arrive", LIVE_SECONDS)
        caller.until("!document.getElementById('chat').innerText.includes('waiting for the network')", "the page knows")



def test_the_demo_outlives_the_end_of_its_incident(demo: Service, tmp_path: pathlib.Path) -> None:
    desk = Api(demo.base, demo.accounts["operator"].token)
    path = f"/api/v1/incidents/{demo.incident}/events"
    desk.post(path, {"kind": "incident.state", "payload": {"state": "active"}})
    desk.post(path, {"kind": "incident.state", "payload": {"state": "ended", "outcome": "handled"}})
    wait_for(lambda: "simulated caller:" in (tmp_path / "service.log").read_text(), "the caller is let in no more", LIVE_SECONDS)
    assert desk.get(f"/api/v1/incidents/{demo.incident}")["state"] == "ended"
    desk.post(path, {"kind": "incident.state", "payload": {"state": "reopened"}})
    calls = lambda: desk.get(f"/api/v1/incidents/{demo.incident}")["callers"]  # noqa: E731
    wait_for(lambda: any(caller["stage"] == "live" for caller in calls()), "the caller is back", LIVE_SECONDS)
