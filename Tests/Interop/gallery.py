"""Every page in every state that people meet it in: what is tested page by page, and what `make screenshots` takes pictures of."""

import argparse
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Playwright, sync_playwright

import service as services
from api import Api
from cast import CONTROL_ROOM, LAPTOP, PHONE, Cast, Person
from service import Service

SIZES = {"phone": PHONE, "laptop": LAPTOP, "control-room": CONTROL_ROOM}
THEMES = ("dark", "light")
PICTURE_SECONDS = 30
MOVES = "[...document.querySelectorAll('video')].some((video) => video.videoWidth > 0 && video.currentTime > 0)"


@dataclass(frozen=True)
class Scene:
    """One state of one page. `who` is a role, a link (`caller`, `guest`), or nobody."""

    name: str
    who: str
    path: str
    #: Brings the page from its opening into the state.
    reach: Callable[[Person], None] = lambda person: None
    size: tuple[int, int] = LAPTOP
    locale: str = "en-GB"
    #: Whether people use it on a phone; staff pages of the control room need 1100 pixels.
    is_for_phones: bool = False

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        return SIZES if self.is_for_phones else {name: size for name, size in SIZES.items() if name != "phone"}


def click(selector: str) -> Callable[[Person], None]:
    return lambda person: person.page.click(selector)


def then(*steps: Callable[[Person], object]) -> Callable[[Person], None]:
    def run(person: Person) -> None:
        for step in steps:
            step(person)

    return run


def press(*keys: str) -> Callable[[Person], None]:
    return lambda person: person.press(*keys)


def when(expression: str, what: str = "the state", seconds: float = PICTURE_SECONDS) -> Callable[[Person], None]:
    return lambda person: person.until(expression, what, seconds)


def tab(name: str) -> Callable[[Person], None]:
    return lambda person: person.page.get_by_role("tab", name=name).first.click()


LIVE_CALL = then(click("#start-video"), when("window.sightline.state === 'connected'"), when(MOVES, "the picture moves"))
SEEN = when("document.getElementById('scene')?.sightline?.state.kind === 'live'", "the picture moves")
FIELD = when(MOVES, "the picture moves")
REPLAY = then(
    lambda person: person.page.fill("#reason", "quality review"), press("Tab", "Enter"),
    when("document.querySelectorAll('#pictures video').length > 0", "the pictures"))


def caller(name: str, reach: Callable[[Person], None] = lambda person: None, locale: str = "en-GB") -> Scene:
    return Scene(f"caller-{name}", "caller", "", reach, PHONE, locale, is_for_phones=True)


SCENES = (
    caller("start"),
    caller("start-arabic", locale="ar"),
    caller("live", LIVE_CALL),
    caller("live-arabic", LIVE_CALL, locale="ar"),
    caller("text", then(LIVE_CALL, click("#text"))),
    caller("text-only", click("#start-text")),
    caller("silent", then(LIVE_CALL, click("#hide-live"))),
    caller("ended", then(LIVE_CALL, click("#stop"))),
    Scene("console-queue", "operator", "/console"),
    Scene("console-new", "operator", "/console", press("n")),
    Scene("console-incident", "operator", "/console/{incident}", SEEN),
    Scene("console-revealed", "operator", "/console/{incident}", then(SEEN, press("r"))),
    Scene("console-guide", "operator", "/console/{incident}", then(SEEN, press("g"))),
    Scene("console-invite", "operator", "/console/{incident}", then(SEEN, click("#invite"))),
    Scene("console-notes", "operator", "/console/{incident}", then(SEEN, tab("Notes"))),
    Scene("console-triage", "operator", "/console/{incident}", then(SEEN, tab("Triage"))),
    Scene("console-timeline", "operator", "/console/{incident}", then(SEEN, tab("Timeline"))),
    Scene("console-files", "operator", "/console/{incident}", then(SEEN, tab("Files"))),
    Scene("console-keys", "operator", "/console/{incident}", then(SEEN, press("?"))),
    Scene("console-hand-over", "operator", "/console/{incident}", then(SEEN, press("h"))),
    Scene("console-end", "operator", "/console/{incident}", then(SEEN, press("e"))),
    Scene("field-incidents", "responder", "/field?list", size=PHONE, is_for_phones=True),
    Scene("field-incident", "responder", "/field/{incident}", FIELD, PHONE, is_for_phones=True),
    Scene("field-revealed", "responder", "/field/{incident}", then(FIELD, click("#reveal")), PHONE, is_for_phones=True),
    Scene("field-text", "responder", "/field/{incident}", then(FIELD, click("#tab-chat")), PHONE, is_for_phones=True),
    Scene("field-notes", "responder", "/field/{incident}", then(FIELD, click("#tab-notes")), PHONE, is_for_phones=True),
    Scene("guest", "guest", "", FIELD, is_for_phones=True),
    Scene("wall", "supervisor", "/wall", when("document.querySelectorAll('main img').length > 0", "a still")),
    Scene("dashboard", "supervisor", "/dashboard"),
    Scene("archive", "supervisor", "/archive"),
    Scene("replay-why", "supervisor", "/replay/{incident}"),
    Scene("replay", "supervisor", "/replay/{incident}", REPLAY),
    Scene("audit", "supervisor", "/audit"),
    Scene("exercise", "trainer", "/exercise"),
    Scene("wrong-role", "responder", "/admin"),
    *(
        Scene(f"admin-{name.lower()}", "admin", "/admin", tab(name))
        for name in ("Accounts", "Service", "Messages", "Retention", "Keys", "Webhooks", "Health", "Alarms")
    ),
    Scene("home", "", "/", is_for_phones=True),
    Scene("sign-in", "", "/sign-in", is_for_phones=True),
    Scene("account", "operator", "/account", is_for_phones=True),
)


class Gallery:
    """A node with a live incident, a unit on its way, notes and words, to look at pages with."""

    unit = "ems-1"

    def __init__(self, playwright: Playwright, running: Service) -> None:
        self.service = running
        self.cast = Cast(playwright, running.base, running.accounts)
        self.api = Api(running.base, running.accounts["operator"].token)
        self._furnish()

    def _furnish(self) -> None:
        happens = lambda kind, **payload: self.api.post(  # noqa: E731
            f"/api/v1/incidents/{self.service.incident}/events", {"kind": kind, "payload": payload})
        happens("incident.classified", priority="P1", type="Cardiac arrest")
        happens("unit.assigned", unit=self.unit, name=self.unit, service="ems")
        happens("chat", text="Help is on its way. Stay with him.")
        happens("note", text="Third floor, the door code is 4711", guests=True)
        happens("triage", fields={"conscious": "no", "breathing": "no"})
        for priority, kind in (("P2", "Traffic accident"), ("P3", "Smoke from a roof"), ("P4", "Lost child, found again")):
            self.api.post("/api/v1/incidents", {"priority": priority, "type": kind})

    def open(self, scene: Scene, size: tuple[int, int] | None = None, theme: str = "dark") -> Person:
        """Somebody brings a page into the scene's state."""
        options = {"size": size or scene.size, "theme": theme, "locale": scene.locale, "is_phone": (size or scene.size) == PHONE}
        if scene.who in ("caller", "guest"):
            link = self.api.post(
                f"/api/v1/incidents/{self.service.incident}/links", {"role": scene.who, "name": scene.who.capitalize()})
            person = self.cast.enter(scene.name, link["url"], **options)
        elif scene.who:
            path = scene.path.replace("{incident}", self.service.incident)
            person = self.cast.staff(scene.who, path, **options)
        else:
            person = self.cast.enter(scene.name, None, **options).go(scene.path)
        person.name = scene.name
        scene.reach(person)
        settle(person)
        return person

    def close(self) -> None:
        self.cast.close()


def settle(person: Person) -> None:
    """Two frames later, with all requests answered that the page waits for."""
    person.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def set_theme(person: Person, theme: str) -> None:
    person.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")


def take_pictures(gallery: Gallery, folder: pathlib.Path, wanted: str) -> Iterator[pathlib.Path]:
    """Every scene in each of its sizes and themes."""
    for scene in SCENES:
        if wanted not in scene.name:
            continue
        for size_name, size in scene.sizes.items():
            person = gallery.open(scene, size)
            for theme in THEMES:
                set_theme(person, theme)
                settle(person)
                path = folder / f"{scene.name}-{size_name}-{theme}.png"
                person.photograph(path)
                yield path
            person.leave()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="where the pictures go")
    parser.add_argument("--only", default="", help="part of the names of the scenes that are wanted")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        running = services.start(pathlib.Path(data), "--no-phone")
        try:
            gallery = Gallery(playwright, running)
            for path in take_pictures(gallery, arguments.folder, arguments.only):
                print(path, flush=True)
            gallery.close()
        finally:
            if running.stop() != 0:
                sys.exit("the service did not end cleanly")


if __name__ == "__main__":
    main()
