"""Every page in every state: axe finds nothing in any theme, the console is silent, nobody else's server is asked for anything,
nothing scrolls sideways, and large type breaks nothing."""

import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright

import service as services
from gallery import SCENES, Gallery, Scene, set_theme, settle

#: Text of a button or link that does not fit into it any more.
CUT_OFF = """
  [...document.querySelectorAll("button, a, [role=tab], h1, h2")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && each.innerText.trim() !== "")
    .filter((each) => !each.querySelector("img, video") && !each.closest(".unseen, .visually-hidden, dialog:not([open])"))
    .filter((each) => getComputedStyle(each).overflow !== "visible" && getComputedStyle(each).textOverflow !== "ellipsis")
    .filter((each) => each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)
    .map((each) => each.outerHTML.slice(0, 160))
"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, playwright: Playwright) -> Iterator[Gallery]:
    running = services.start(tmp_path_factory.mktemp("gallery"), "--no-phone")
    gallery = Gallery(playwright, running)
    yield gallery
    gallery.close()
    assert running.stop() == 0


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_page(gallery: Gallery, scene: Scene) -> None:
    person = gallery.open(scene)
    try:
        complaints = list(person.complaints)
        assert complaints == [] and person.strangers == []
        assert sideways(person) == 0
        for theme in ("dark", "light", "sunlight"):
            set_theme(person, theme)
            settle(person)
            assert person.violations() == [], theme
        large_type(person)
    finally:
        person.leave()


def large_type(person: object) -> None:
    """Text at 200 % (WCAG 2.2, 1.4.4)."""
    person.page.evaluate("document.documentElement.style.fontSize = '200%'")
    settle(person)
    assert sideways(person) == 0, "at 200 % text the page scrolls sideways"
    assert person.page.evaluate(CUT_OFF) == [], "at 200 % text something is cut off"


def sideways(person: object) -> int:
    """By how many pixels the page can be moved sideways."""
    return person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
