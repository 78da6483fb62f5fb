"""The pages against axe's rules, in every theme and at the narrowest width, and by keyboard."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe

from browser import ChromiumPage, start_call
from service import Service
from waiting import wait_for

THEMES = ["dark", "light", "sunlight"]
NARROW = (360, 640)


def violations(page: ChromiumPage) -> list[str]:
    found = Axe().run(page.page).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def set_theme(page: ChromiumPage, theme: str) -> None:
    page.run(f"document.documentElement.dataset.theme = '{theme}';")


def test_caller_page(service: Service, chromium: Callable) -> None:
    page = chromium(service.caller, size=NARROW)
    for theme in THEMES:
        set_theme(page, theme)
        assert violations(page) == [], theme
    start_call(page)
    for theme in THEMES:
        set_theme(page, theme)
        assert violations(page) == [], theme
    page.click("stop")
    assert violations(page) == []


@pytest.mark.parametrize("size", [NARROW, (1280, 800)])
def test_viewer_page(service: Service, chromium: Callable, size: tuple[int, int]) -> None:
    page = chromium(service.viewer, size=size)
    for theme in THEMES:
        set_theme(page, theme)
        assert violations(page) == [], theme


@pytest.mark.parametrize("address", ["caller", "viewer"])
def test_nothing_scrolls_sideways_at_360_pixels(service: Service, chromium: Callable, address: str) -> None:
    page = chromium(getattr(service, address), size=NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_start_and_stop_are_within_reach(service: Service, chromium: Callable) -> None:
    page = chromium(service.caller, size=NARROW)
    for button in ("start-video", "stop"):
        if button == "stop":
            start_call(page)
        box = page.page.locator(f"#{button}").bounding_box()
        assert box["height"] >= 56 and box["y"] + box["height"] <= NARROW[1]


def test_keys_of_the_viewer(service: Service, chromium: Callable) -> None:
    page = chromium(service.viewer)
    wait_for(lambda: page.evaluate("window.sightline !== undefined"), "the page's script")
    for key, outcome in (
        ("r", "document.body.hasAttribute('data-hidden')"),
        ("r", "!document.body.hasAttribute('data-hidden')"),
        ("a", "window.sightline.isMuted === false"),
        ("?", "document.getElementById('help').open"),
        ("Escape", "!document.getElementById('help').open"),
    ):
        page.press(key)
        wait_for(lambda outcome=outcome: page.evaluate(outcome), f"{key}: {outcome}")


def test_operator_sees_a_new_picture_blurred(service: Service, chromium: Callable) -> None:
    page = chromium(f"{service.viewer}&role=operator")
    page.page.wait_for_selector("body[data-hidden]")
