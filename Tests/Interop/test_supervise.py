"""The supervisors' pages: the wall, figures, audit, exercises with simulated callers, and what the replay adds."""

import json
import pathlib
from collections.abc import Callable

import pytest

from api import Api
from browser import ChromiumPage
from service import Service
from test_accessibility import THEMES, set_theme, violations
from waiting import wait_for

DESK, NARROW = (1440, 900), (360, 740)
PAGES = ("wall", "dashboard", "exercise", "audit")


def person(service: Service, role: str = "supervisor") -> Api:
    return Api(service.base, service.accounts[role].token)


def open_page(service: Service, chromium: Callable, path: str, role: str = "supervisor", **options: object) -> ChromiumPage:
    sign = "&" if "?" in path else "?"
    page = chromium(f"{service.base}/{path}{sign}token={service.accounts[role].token}", **({"size": DESK} | options))
    wait_for(lambda: page.evaluate("window.sightline !== undefined"), f"{path} has started")
    return page


def exercise(service: Service, role: str = "trainer", **change: object) -> dict:
    order = {"callers": 2, "priority": "P1", "scenario": "cardiacArrest"} | change
    return json.loads(person(service, role).ask("POST", "/api/v1/exercises", order).body)


def incident(service: Service, name: str, role: str = "supervisor") -> dict:
    return person(service, role).get(f"/api/v1/incidents/{name}")


def audit(service: Service, query: str = "") -> list[dict]:
    return person(service, "auditor").get(f"/api/v1/audit?before=0&limit=1000{query}")["events"]


def journal(service: Service, name: str, kind: str) -> list[dict]:
    events = person(service).get(f"/api/v1/incidents/{name}/events?limit=1000")["events"]
    return [event for event in events if event["kind"] == kind]


def wait_for_still(service: Service, name: str) -> bytes:
    still = lambda: person(service).ask("GET", f"/api/v1/incidents/{name}/still")
    return wait_for(lambda: (answer := still()).status == 200 and answer.body, "a still", 30)


# Stills


def test_a_still_is_small_recent_and_noted_once(demo: Service) -> None:
    picture = wait_for_still(demo, demo.incident)
    assert picture[:2] == b"\xff\xd8" and len(picture) < 60_000
    supervisor = person(demo)
    for _ in range(5):
        answer = supervisor.ask("GET", f"/api/v1/incidents/{demo.incident}/still")
        assert answer.status == 200 and answer.headers["Sightline-Picture-Time"].endswith("Z")
    looks = [event for event in audit(demo, f"&incident={demo.incident}") if "stills" in event["payload"]["what"]]
    assert len(looks) == 1, "one entry a session of looking"


def test_without_a_picture_the_answer_is_empty(service: Service) -> None:
    assert person(service).ask("GET", f"/api/v1/incidents/{service.incident}/still").status == 204
    person(service).post(
        f"/api/v1/incidents/{service.incident}/events",
        {"kind": "incident.state", "payload": {"state": "cancelled"}})
    over = person(service).ask("GET", f"/api/v1/incidents/{service.incident}/still")
    assert over.status == 404 and "replay" in over.json["detail"]


# The wall


def test_the_wall_is_blurred_until_it_is_revealed(demo: Service, chromium: Callable) -> None:
    page = open_page(demo, chromium, "wall")
    tile = f'[data-incident="{demo.incident}"]'
    wait_for(lambda: page.evaluate("window.sightline?.pictures.length") == 1, "a still on the wall", 30)
    blur = lambda: page.evaluate(f"getComputedStyle(document.querySelector('{tile} img')).filter")
    assert "blur" in blur() and journal(demo, demo.incident, "media.revealed") == []
    page.press("r")
    wait_for(lambda: blur() == "none", "the picture is clear")
    wait_for(lambda: len(journal(demo, demo.incident, "media.revealed")) == 1, "the journal knows who looks")
    page.press("r")
    wait_for(lambda: "blur" in blur(), "it is blurred again")
    wait_for(
        lambda: [event["payload"]["on"] for event in journal(demo, demo.incident, "media.revealed")] == [True, False],
        "the journal knows that it is over")
    first = page.evaluate(f"document.querySelector('{tile} img').src")
    wait_for(lambda: page.evaluate(f"document.querySelector('{tile} img').src") != first, "a newer still", 20)
    assert page.messages == []


def test_enlarging_says_that_one_is_announced_before_it_shows(demo: Service, chromium: Callable) -> None:
    page = open_page(demo, chromium, "wall")
    wait_for(lambda: page.evaluate("window.sightline?.incidents.length") == 1, "the incident")
    page.press("ArrowRight")
    page.press("e")
    assert "announced" in page.page.inner_text("#enlarged")
    assert journal(demo, demo.incident, "media.watching") == []
    page.press("Enter")
    wait_for(lambda: page.evaluate("window.sightline?.enlarged.state") == "live", "the live picture", 30)
    [watching] = journal(demo, demo.incident, "media.watching")
    assert watching["payload"]["role"] == "supervisor" and watching["payload"]["on"] is True
    assert page.evaluate("document.querySelector('#enlarged video').muted"), "sound is a choice as well"
    page.press("Escape")
    wait_for(lambda: len(journal(demo, demo.incident, "media.watching")) == 2, "nobody watches any more")
    assert page.messages == []


def test_the_wall_is_ordered_by_urgency_and_marks_exercises(service: Service, chromium: Callable) -> None:
    operator = person(service, "operator")
    ids = [operator.post("/api/v1/incidents", {"priority": each})["id"] for each in ("P3", "P1")]
    drill = person(service, "trainer").post("/api/v1/incidents", {"priority": "P1", "exercise": True})["id"]
    page = open_page(service, chromium, "wall")
    wait_for(
        lambda: page.evaluate("window.sightline?.incidents") == [ids[1], drill, service.incident, ids[0]],
        "P1 first, then P2 and P3, the oldest of equals first")
    assert page.page.locator(".tile .exercise-mark").all_inner_texts() == ["EXERCISE"]
    page.page.get_by_role("button", name="Without exercises").click()
    wait_for(lambda: page.page.locator(".tile").count() == 3, "the exercise is left out")


# Exercises


def test_simulated_callers_call_and_leave(service: Service) -> None:
    running = exercise(service, callers=2, minutes=5)
    [name] = [each["id"] for each in running["incidents"]]
    stages = lambda: [caller["stage"] for caller in incident(service, name, "trainer")["callers"]]
    wait_for(lambda: stages() == ["live", "live"], "both are live", 30)
    seen = incident(service, name, "trainer")
    assert seen["exercise"] is True and seen["type"] == "Cardiac arrest"
    first = [stage["stage"] for stage in seen["callers"][0]["stages"]]
    assert first == ["requested", "opened", "locationOK", "cameraOK", "connecting", "live"]
    assert all(caller["location"]["accuracy"] < 50 for caller in seen["callers"])
    wait_for(lambda: journal(service, name, "chat"), "they write", 30)
    assert person(service, "operator").ask("DELETE", f"/api/v1/exercises/{running['id']}").status == 403
    assert person(service, "trainer").ask("DELETE", f"/api/v1/exercises/{running['id']}").status == 204
    wait_for(lambda: stages() == ["ended", "ended"], "the callers have left")
    assert incident(service, name)["state"] == "ended"
    assert person(service, "trainer").get("/api/v1/exercises")["exercises"] == []


def test_a_simulated_caller_answers_what_it_is_asked(service: Service) -> None:
    name = exercise(service, callers=1)["incidents"][0]["id"]
    caller = wait_for(lambda: [each for each in incident(service, name)["callers"] if each["stage"] == "live"], "live", 30)[0]
    ask = lambda command: person(service, "operator").post(
        f"/api/v1/incidents/{name}/events",
        {"kind": "command", "payload": {"caller": caller["id"], "command": command, "argument": "Move closer"}})
    ask("guidance")
    ask("torch")
    wait_for(
        lambda: [each["payload"]["status"] for each in journal(service, name, "command.result")]
        == ["shown", "unsupported"], "both answers")
    ask("stop")
    wait_for(lambda: incident(service, name)["callers"][0]["stage"] == "ended", "the caller has hung up")


def test_no_more_callers_than_the_node_bears(service: Service) -> None:
    for _ in range(2):
        exercise(service, callers=8)
    late = person(service).ask("POST", "/api/v1/exercises", {"callers": 1, "priority": "P3", "scenario": "fire"})
    assert late.code == "full" and "16 simulated callers" in late.json["detail"]
    assert person(service).ask("POST", "/api/v1/exercises", {"callers": 9, "priority": "P3", "scenario": "fire"}).status == 400


def test_the_exercise_page_starts_and_stops_with_two_presses(service: Service, chromium: Callable) -> None:
    page = open_page(service, chromium, "exercise", "trainer")
    page.page.get_by_label("Simulated callers, 1 to 8").fill("1")
    page.page.get_by_role("button", name="Start the exercise").click()
    wait_for(lambda: page.evaluate("window.sightline?.running.length") == 1, "it runs")
    name = page.evaluate("window.sightline.running[0].incidents[0].id")
    page.page.locator("#running button", has_text="Stop").click()
    assert incident(service, name)["state"] == "new", "one press stops nothing"
    page.page.locator("#running button", has_text="Really stop").click()
    wait_for(lambda: incident(service, name)["state"] == "ended", "the second does")
    wait_for(lambda: page.page.locator("#none").is_visible(), "nothing runs")
    assert page.messages == []


# Figures


def test_figures_outlive_a_restart_and_leave_exercises_out(tmp_path: pathlib.Path) -> None:
    import service as services

    def figures(running: Service, query: str = "") -> dict:
        return wait_for(
            lambda: (answer := person(running).get(f"/api/v1/figures{query}"))["complete"] and answer, "all is read", 30)

    running = services.start(tmp_path, "--no-caller")
    try:
        operator = person(running, "operator")
        name = operator.post("/api/v1/incidents", {"priority": "P2"})["id"]
        operator.post(f"/api/v1/incidents/{name}/events", {"kind": "incident.state", "payload": {"state": "active"}})
        link = operator.post(f"/api/v1/incidents/{name}/links", {"role": "caller"})
        tell = Api(running.base, link["token"])
        for payload in ({"stage": "opened"}, {"stage": "failed", "reason": "permissionDenied"}):
            caller = incident(running, name)["callers"][0]["id"]
            tell.post(
                f"/api/v1/incidents/{name}/events", {"kind": "caller.stage", "payload": {"caller": caller} | payload})
        person(running, "trainer").post("/api/v1/incidents", {"priority": "P1", "exercise": True})
        before = wait_for(lambda: (seen := figures(running))["funnel"]["dropOuts"] and seen, "the drop-out")
    finally:
        running.stop()
    running = services.start(tmp_path, "--no-caller")
    try:
        after = figures(running)
        assert (after["answers"], after["funnel"]) == (before["answers"], before["funnel"])
        assert after["answers"]["opened"] == 2 and after["answers"]["count"] == 1, "the demo's own and this one"
        assert after["answers"]["targets"][0] == {"seconds": 15, "share": 0.9, "within": 1}
        assert after["funnel"]["dropOuts"] == [{"after": "opened", "reason": "permissionDenied", "count": 1}]
        assert figures(running, "?exercise=true")["answers"]["opened"] == 1
        space = lambda: person(running, "admin").get("/api/v1/figures")["space"]
        wait_for(lambda: space()["diskCapacity"] > 0, "the disk is measured")
    finally:
        running.stop()


def test_the_figures_page_says_in_words_what_it_draws(demo: Service, chromium: Callable) -> None:
    person(demo, "operator").post(
        f"/api/v1/incidents/{demo.incident}/events", {"kind": "incident.state", "payload": {"state": "active"}})
    page = open_page(demo, chromium, "dashboard")
    wait_for(lambda: page.evaluate("window.sightline?.figures?.complete") is True, "all is read")
    text = lambda: page.page.inner_text("#figures")
    wait_for(lambda: "100 % of 1 session came to a picture" in text(), "the funnel", 40)
    wait_for(lambda: "100 % within 15 s (target met: 90 %)" in text(), "answer times", 40)
    assert page.page.locator("svg.chart[role=img]").count() >= 3
    page.page.locator("summary", has_text="Numbers").first.click()
    assert page.page.locator("#figures table").first.is_visible()
    page.press("x")
    wait_for(lambda: "No incident in this time." in text(), "no exercise")
    page.press("2")
    wait_for(lambda: page.evaluate("window.sightline?.days") == 7, "a week")
    assert page.messages == []


# Audit


def test_the_audit_page_filters_and_pages(service: Service, chromium: Callable) -> None:
    for number in range(120):
        person(service, "admin").ask("POST", "/api/v1/sign-in", {"userName": f"guess-{number % 3}", "password": "wrong"})
        if number >= 5:
            break
    page = open_page(service, chromium, "audit", "auditor")
    entries = lambda: page.evaluate("window.sightline?.entries")
    wait_for(lambda: len(entries()) > 5, "entries")
    assert not any("Looked at audit" in entry["text"] for entry in entries())
    page.page.get_by_label("Words").fill("guess-1")
    wait_for(lambda: entries() and all("guess-1" in entry["text"] for entry in entries()), "those with the words")
    page.page.get_by_label("Words").fill("")
    page.page.get_by_label("What").select_option("audit.account")
    wait_for(lambda: entries() and all(entry["kind"] == "audit.account" for entry in entries()), "those of a kind")
    assert page.messages == []


def test_an_incident_has_a_trail_of_its_own(service: Service, chromium: Callable) -> None:
    person(service).post(f"/api/v1/incidents/{service.incident}/hold", {"held": True, "reason": "complaint 7"})
    page = open_page(service, chromium, f"audit?incident={service.incident}", "custodian")
    wait_for(lambda: "complaint 7" in page.page.inner_text("#entries"), "the hold with its reason")
    page.page.get_by_label("Incident").fill("nonesuch")
    wait_for(lambda: page.page.inner_text("#problem") != "", "words for one that is not there")


# Replay


def open_replay(service: Service, chromium: Callable, role: str = "supervisor") -> ChromiumPage:
    wait_for_still(service, service.incident)
    page = open_page(service, chromium, f"replay/{service.incident}", role)
    page.page.fill("#reason", "to learn from it")
    page.page.click("#why-form button")
    wait_for(lambda: page.evaluate("window.sightline?.isPlaying && !window.sightline?.isWaiting"), "it plays", 30)
    page.run("document.activeElement.blur()")
    return page


def test_revealing_a_replay_is_in_the_audit_journal(demo: Service, chromium: Callable) -> None:
    page = open_replay(demo, chromium)
    page.press("r")
    looks = lambda: [event for event in audit(demo, f"&incident={demo.incident}") if "revealed" in event["payload"]["what"]]
    [look] = wait_for(looks, "the look")
    assert look["actor"]["id"] == demo.accounts["supervisor"].id and "r-" in look["payload"]["reason"]
    assert page.messages == []


def test_a_part_is_played_again_and_again(demo: Service, chromium: Callable) -> None:
    wait_for_still(demo, demo.incident)
    wait_for(lambda: person(demo).get(f"/api/v1/incidents/{demo.incident}")["callers"], "a caller")
    page = open_replay(demo, chromium)
    see = lambda name: page.evaluate(f"window.sightline.{name}")
    wait_for(lambda: see("span")["end"] - see("span")["start"] > 4, "four seconds", 30)
    page.press("k")
    page.press("Home")
    page.press("[")
    page.press("Shift+ArrowRight")
    page.press("Shift+ArrowRight")
    page.press("]")
    loop = see("loop")
    assert loop["end"] - loop["start"] == pytest.approx(2, abs=0.1)
    page.press(" ")
    wait_for(lambda: see("position") > loop["start"] + 1, "it goes on")
    wait_for(lambda: see("position") < loop["start"] + 0.7, "and begins anew")
    page.press("\\")
    wait_for(lambda: see("position") > loop["end"] + 0.3, "without the loop it goes on", 20)


def test_a_rectangle_over_the_picture_becomes_a_redacted_copy(demo: Service, chromium: Callable) -> None:
    page = open_replay(demo, chromium)
    page.press("d")
    assert page.evaluate("window.sightline.isPlaying") is False, "one draws on a picture that stands"
    box = page.page.locator(".picture").first.bounding_box()
    at = lambda x, y: (box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.page.mouse.move(*at(0.45, 0.4))
    page.page.mouse.down()
    page.page.mouse.move(*at(0.55, 0.6))
    page.page.mouse.up()
    [region] = page.evaluate("window.sightline.redaction.regions")
    assert region["h"] == pytest.approx(0.2, abs=0.02) and region["y"] == pytest.approx(0.4, abs=0.02)
    page.page.get_by_label("Left, per cent").fill("10")
    page.page.get_by_label("Left, per cent").press("Tab")
    assert page.evaluate("window.sightline.redaction.regions[0].x") == pytest.approx(0.1)
    page.page.click("#export")
    assert "hides 1 part" in page.page.inner_text("#package")
    page.page.fill("#export-reason", "for the court")
    page.page.locator("#package form .primary").click()
    asked = lambda: journal(demo, demo.incident, "export.requested")
    [wish] = wait_for(asked, "the wish is in the journal")
    assert wish["payload"]["redacted"] is True


def test_hold_and_trail_are_reachable_from_the_replay(demo: Service, chromium: Callable) -> None:
    page = open_replay(demo, chromium)
    page.page.click("#hold")
    page.page.fill("#hold-reason", "complaint 8")
    page.page.locator("dialog .primary", has_text="Hold").click()
    wait_for(lambda: incident(demo, demo.incident)["held"] is True, "it is held")
    wait_for(lambda: page.page.inner_text("#hold") == "Held against deletion", "the page says so")
    assert f"incident={demo.incident}" in page.page.get_attribute("#trail", "href")


# The archive


def test_pictures_of_results_take_a_reason(demo: Service, chromium: Callable) -> None:
    wait_for_still(demo, demo.incident)
    page = open_page(demo, chromium, "archive")
    wait_for(lambda: page.page.locator("#pictures").is_visible(), "pictures can be asked for")
    assert journal(demo, demo.incident, "replay.opened") == []
    page.press("s")
    page.page.fill("#strips-reason", "looking for the red car")
    page.page.locator("dialog .primary").click()
    wait_for(lambda: page.evaluate("window.sightline?.strips") == 1, "a strip", 30)
    assert page.page.locator(".strip img").count() == 4
    [look] = journal(demo, demo.incident, "replay.opened")
    assert look["payload"]["reason"] == "looking for the red car"
    assert page.messages == []


# All of them


@pytest.mark.parametrize("size", [NARROW, DESK])
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_at_every_size(
    demo: Service, chromium: Callable, path: str, size: tuple[int, int], artifacts: pathlib.Path
) -> None:
    exercise(demo, callers=1)
    page = open_page(demo, chromium, path, size=size)
    page.page.wait_for_load_state("networkidle")
    for theme in THEMES:
        set_theme(page, theme)
        assert violations(page) == [], theme
        page.screenshot(artifacts / f"{path}-{theme}-{size[0]}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.run("document.documentElement.style.fontSize = '200%';")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.messages == []


def test_replay_and_archive_are_accessible(demo: Service, chromium: Callable) -> None:
    page = open_replay(demo, chromium)
    page.press("d")
    page.page.get_by_role("button", name="Add by numbers").click()
    for theme in THEMES:
        set_theme(page, theme)
        assert violations(page) == [], theme
