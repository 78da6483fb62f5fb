"""Looking for incidents: what is found by whom, page by page, after a crash, and by keyboard in a browser."""

import pathlib
import random
import subprocess
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

import service as services
from api import Api
from browser import ChromiumPage
from node import Node
from test_accessibility import NARROW, THEMES, set_theme, violations
from waiting import wait_for


def person(node: Node, role: str) -> Api:
    return Api(node.base, node.accounts[role]["token"])


def path(**question: object) -> str:
    parts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in question.items()}
    return "/api/v1/archive?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in parts.items())


def find(who: Api, **question: object) -> list[str]:
    return [row["id"] for row in who.get(path(**question))["incidents"]]


def found(who: Api, incident: str, **question: object) -> None:
    """The catalogue follows the journal a moment later."""
    wait_for(lambda: incident in find(who, **question), f"{incident} is found by {question}", 5, 0.02)


def happen(who: Api, incident: str, kind: str, **payload: object) -> None:
    who.post(f"/api/v1/incidents/{incident}/events", {"kind": kind, "payload": payload})


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("search")) as node:
        wait_for(lambda: person(node, "supervisor").get(path())["complete"], "the catalogue is read")
        yield node


def test_an_incident_is_found_by_everything_that_is_known_of_it(node: Node) -> None:
    supervisor, operator = person(node, "supervisor"), person(node, "operator")
    place = {"lat": 53.5511, "lon": 9.9937, "text": "Mönckebergstraße 7"}
    incident = node.open_incident(priority="P1", type="Chest pain", place=place)
    happen(operator, incident, "assignment.added", account="desk-9", role="dispatcher", name="Desk Nine")
    happen(operator, incident, "chat", text="He is pale and sweating")
    happen(operator, incident, "note", text="Allergic to penicillin")
    happen(operator, incident, "incident.state", state="ended", outcome="handled")
    found(supervisor, incident, text="penicillin", state="ended")
    for question in (
        {"text": "mönckeberg"}, {"text": "pale 7"}, {"text": incident}, {"type": "chest PAIN"}, {"priority": "P1,P3"},
        {"box": "53.55,9.99,53.56,10"}, {"person": "desk-9"}, {"person": "nine"}, {"outcome": "handled"},
        {"recorded": False}, {"held": False}, {"from": "2026-01-01T00:00:00Z"},
    ):
        assert incident in find(supervisor, **question), question
    for question in (
        {"text": "penicillin aspirin"}, {"priority": "P2"}, {"box": "0,0,1,1"}, {"state": "active"}, {"recorded": True},
        {"exercise": True}, {"to": "2026-01-01T00:00:00Z"}, {"person": "penicillin"}, {"held": True}, {"type": "chest"},
    ):
        assert incident not in find(supervisor, **question), question
    row = supervisor.get(path(text=incident))["incidents"][0]
    assert row["place"]["text"] == place["text"] and row["outcome"] == "handled" and row["recording"] == "none"
    assert "penicillin" not in str(row), "a list shows no more than a headline"


def test_each_role_finds_what_it_may_know_of(node: Node) -> None:
    operator, trainer = person(node, "operator"), person(node, "trainer")
    word = f"w{random.getrandbits(40):x}"
    real = node.open_incident(type=word)
    drill = trainer.post("/api/v1/incidents", {"priority": "P2", "type": word, "exercise": True})["id"]
    for incident, who in ((real, operator), (drill, trainer)):
        happen(who, incident, "note", text=f"said{word}")
        found(person(node, "supervisor"), incident, text=f"said{word}", exercise=incident == drill)
    for role in ("operator", "responder", "supervisor", "custodian", "auditor", "integration"):
        assert find(person(node, role), text=word) == [real], role
        assert find(person(node, role), text=word, exercise=True) == [drill], role
    assert find(trainer, text=word) == [drill]
    assert find(trainer, text=word, exercise=False) == []
    assert find(person(node, "dispatcher"), text=word) == [], "it is not on the desk"
    said = {role: find(person(node, role), text=f"said{word}") for role in ("operator", "responder", "auditor", "custodian")}
    assert said == {"operator": [real], "responder": [], "auditor": [], "custodian": [real]}
    assert person(node, "admin").ask("GET", path()).code == "forbidden"
    link = node.make_link(real, "caller", "caller")
    assert Api(node.base, link.token, **{"Sightline-Key": link.page}).ask("GET", path()).code == "forbidden"
    assert Api(node.base).ask("GET", path()).status == 401
    replays = {role: person(node, role).get(path(text=word))["incidents"][0]["mayReplay"] for role in ("operator", "supervisor", "auditor")}
    assert replays == {"operator": False, "supervisor": True, "auditor": False}


def test_pages_give_everything_once(node: Node) -> None:
    supervisor = person(node, "supervisor")
    word = f"p{random.getrandbits(40):x}"
    made = [node.open_incident(type=word) for _ in range(11)]
    found(supervisor, made[-1], type=word)
    seen, cursor = [], {}
    while True:
        page = supervisor.get(path(type=word, limit=4, **cursor))
        assert page["count"] == 11 and page["countIsExact"]
        seen += [row["id"] for row in page["incidents"]]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert seen == made[::-1]


@pytest.mark.parametrize("question", [
    {"from": "yesterday"}, {"from": "2026-02-30T00:00:00Z"}, {"to": "2026-01-01"}, {"box": "1,2,3"}, {"box": "2,0,1,0"},
    {"box": "a,b,c,d"}, {"priority": "P5"}, {"priority": "P1,,P2"}, {"state": "asleep"}, {"outcome": "handled;"},
    {"exercise": "maybe"}, {"recorded": "1"}, {"held": "yes"}, {"limit": 0}, {"limit": 101}, {"limit": "x"},
    {"cursor": "nowhere"}, {"cursor": "1."}, {"text": "x" * 201}, {"person": ""}, {"text": "a\x00b"},
    {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
])
def test_what_cannot_be_understood_is_named(node: Node, question: dict) -> None:
    answer = person(node, "supervisor").ask("GET", path(**question))
    assert answer.status == 400 and answer.code == "badRequest", answer.body
    assert any(answer.json["detail"].startswith(f"{name}: ") for name in question), answer.json["detail"]


def test_nothing_is_lost_to_a_crash(tmp_path: pathlib.Path) -> None:
    """SIGKILL while incidents open and end: after the restart each is found as its journal has it."""
    with Node(tmp_path) as node:
        for turn in range(4):
            operator = person(node, "operator")
            made = []
            for number in range(8):
                incident = node.open_incident(type=f"turn{turn}")
                happen(operator, incident, "note", text=f"note{turn}x{number}")
                if number % 2:
                    happen(operator, incident, "incident.state", state="ended", outcome="hoax")
                made.append(incident)
            node.kill()
            node.start()
            supervisor = person(node, "supervisor")
            wait_for(lambda supervisor=supervisor: supervisor.get(path())["complete"], "the catalogue is read")
            assert find(supervisor, type=f"turn{turn}") == made[::-1]
            assert find(supervisor, type=f"turn{turn}", outcome="hoax") == made[::-2]
            assert find(supervisor, text=f"note{turn}x5") == [made[5]]


# The page


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with 300 made-up incidents."""
    data = tmp_path_factory.mktemp("filled")
    subprocess.run([services.binary(), "fill-archive", "--data", data, "--incidents", "300"], check=True, timeout=60)
    with Node(data) as node:
        wait_for(lambda: person(node, "supervisor").get(path())["complete"], "the catalogue is read")
        yield node


def open_page(node: Node, chromium: Callable, role: str = "supervisor", query: str = "", **options: object) -> ChromiumPage:
    page = chromium(f"{node.base}/archive?token={node.accounts[role]['token']}{query}", **options)
    wait_for(lambda: page.evaluate("document.getElementById('count').textContent") != "Searching", "an answer")
    return page


def count(page: ChromiumPage) -> int:
    return page.evaluate("window.sightline?.shown ?? 0")


def test_the_page_by_keyboard(filled: Node, chromium: Callable, artifacts: pathlib.Path) -> None:
    page = open_page(filled, chromium, size=(1440, 900))
    assert count(page) == 50
    page.press("/")
    page.page.keyboard.type("haupt ladder")
    wait_for(lambda: 0 < count(page) < 50, "fewer results")
    few = count(page)
    page.screenshot(artifacts / "archive-search.png")
    page.press("Escape")
    page.press("ArrowDown")
    focused = "document.activeElement.closest('.result') && [...document.querySelectorAll('.result')].indexOf(document.activeElement)"
    assert page.evaluate(focused) == 1
    page.press("?")
    assert page.evaluate("document.querySelector('dialog.keys').open")
    page.press("Escape")
    page.page.get_by_label("P1").check()
    wait_for(lambda: count(page) < few, "P1 only")
    assert set(page.evaluate("[...document.querySelectorAll('.priority')].map((each) => each.dataset.priority)")) <= {"P1"}
    page.page.reload()
    wait_for(lambda: 0 < count(page) < few, "the address keeps the filters")
    assert page.page.get_by_label("P1").is_checked()
    page.page.get_by_role("button", name="Clear all filters").click()
    wait_for(lambda: count(page) == 50, "everything again")
    assert page.messages == []


def test_more_results_and_places(filled: Node, chromium: Callable) -> None:
    page = open_page(filled, chromium)
    page.click("more")
    wait_for(lambda: count(page) == 100, "another page")
    page.page.get_by_label("Around").fill("53.55, 10.0")
    wait_for(lambda: 0 < count(page) < 100, "those around a place")
    page.page.get_by_label("Around").fill("somewhere")
    wait_for(lambda: "Around:" in page.evaluate("document.getElementById('problem').textContent"), "words for a wrong place")
    links = page.evaluate("[...document.querySelectorAll('a.result')].map((each) => each.getAttribute('href'))")
    assert links and all(link.startswith("/replay/25-") and "token=" in link for link in links)


def test_the_page_says_who_may_not_look(filled: Node, chromium: Callable) -> None:
    page = chromium(f"{filled.base}/archive?token={filled.accounts['admin']['token']}")
    wait_for(lambda: page.evaluate("document.body.dataset.refused") == "admin", "a word for admins")
    stranger = chromium(f"{filled.base}/archive")
    stranger.page.wait_for_url("**/sign-in?next=%2Farchive")


@pytest.mark.parametrize("size", [NARROW, (1280, 800)])
def test_the_page_is_accessible(
    filled: Node, chromium: Callable, size: tuple[int, int], artifacts: pathlib.Path
) -> None:
    page = open_page(filled, chromium, size=size)
    for theme in THEMES:
        set_theme(page, theme)
        assert violations(page) == [], theme
        page.screenshot(artifacts / f"archive-{theme}-{size[0]}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.press("?")
    assert violations(page) == []
