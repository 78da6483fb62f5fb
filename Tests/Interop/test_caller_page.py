"""The caller's page: how it begins, what is left after each refusal, its languages, the dark page, what staff shows on it."""

import base64
import json
import pathlib
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

from browser import CHROMIUM, start_call as start_in_any_browser
from desk import FLAGS, PHONE, PLACE, Desk, Ephemera, Pages, desk, look, pages, start_call, text  # noqa: F401
from service import ROOT, Service
from waiting import wait_for

SMALL = {"width": 360, "height": 640}
SIDEWAYS = {"width": 640, "height": 360}
LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "pl", "ro", "tr", "uk", "ru", "ar", "fa"]
#: The issue's own figures: compressed bytes of all that the page loads, and milliseconds to the first paint on a slow phone.
MAXIMUM_BYTES = 100_000
PAINT_TRIES = 10
MAXIMUM_PAINT = 1000
SLOW_PHONE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
#: A picture of one grey pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
CLIP = ROOT / "fixtures/media/street.webm"


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def open_page(
    browser: Browser, url: str, *, size: dict = PHONE, locale: str = "en", permissions: tuple[str, ...] = (), **more: object
) -> Page:
    """A page in a profile of its own that grants nothing but `permissions`."""
    context = browser.new_context(
        viewport=size, locale=locale, geolocation=PLACE, permissions=list(permissions), color_scheme="dark", **more)
    page = context.new_page()
    page.goto(url)
    return page


@pytest.fixture
def strict(playwright: Playwright) -> Iterator[Browser]:
    """A browser that asks before it gives a camera away, and takes silence for a no."""
    flags = [flag for flag in FLAGS if "fake-ui" not in flag] + ["--deny-permission-prompts"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
    yield browser
    browser.close()


def fits(page: Page) -> bool:
    """Nothing has to be scrolled to be seen."""
    return page.evaluate("""() => [document.documentElement, document.getElementById("page")].every(
      (box) => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1)""")


def upload(desk: Desk, content: bytes, type: str) -> str:
    """A file of the operator's; its identifier."""
    request = urllib.request.Request(
        f"{desk.base}/api/v1/incidents/{desk.service.incident}/files?purpose=clip&name=shown", method="POST", data=content,
        headers={"Authorization": f"Bearer {desk.token}", "Content-Type": type})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.loads(response.read())["file"]


# How it begins


def test_all_that_is_loaded_is_small(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    sizes = page.evaluate("""performance.getEntries().filter((each) => each.encodedBodySize > 0)
      .map((each) => [each.name, each.encodedBodySize])""")
    print("measured: bytes of the caller's page", sum(size for _, size in sizes))
    assert len(sizes) > 20
    assert sum(size for _, size in sizes) < MAXIMUM_BYTES
    assert pages.complaints == []


def test_first_paint_on_a_slow_phone(desk: Desk, pages: Pages) -> None:
    paints = []
    # Whatever else this machine does makes it later, never earlier: one try within the limit shows that it can be done.
    while len(paints) < PAINT_TRIES and not any(paint < MAXIMUM_PAINT for paint in paints):
        page = open_page(pages.browser, "about:blank", device_scale_factor=2)
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW_PHONE)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(desk.service.caller)
        paints.append(wait_for(
            lambda page=page: page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime"), "a paint"))
        page.context.close()
    print("measured: first paint, ms", [round(paint) for paint in paints])
    assert min(paints) < MAXIMUM_PAINT


def test_tap_before_the_script_is_there_counts(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    held: list = []
    page.route("**/assets/caller/caller.js", lambda route: held.append(route))
    page.goto(desk.service.caller, wait_until="commit")
    page.click("#start-video", no_wait_after=True)
    wait_for(lambda: held, "the script is asked for")
    held[0].continue_()
    look(page, "window.sightline?.state", "connected", "the call is connected")


def test_first_screen_needs_no_scrolling(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller, SMALL)
    look(page, "document.getElementById('is-recorded').hidden", False, "it says that it is recorded")
    for language in LANGUAGES:
        page.select_option("#language", language)
        look(page, "document.documentElement.lang", language, "the language")
        assert fits(page), language
        button = page.locator("#start-video").bounding_box()
        assert button["height"] >= 56 and button["y"] + button["height"] <= SMALL["height"]
        page.set_viewport_size(SIDEWAYS)
        assert fits(page), f"{language}, held sideways"
        page.set_viewport_size(SMALL)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.getElementById('page').scrollWidth") <= SMALL["width"], language
        assert page.locator("#start-video").bounding_box()["y"] < SMALL["height"] - 56, "Start stays in sight"
        page.evaluate("document.documentElement.style.fontSize = ''")


def test_service_says_its_name(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    name = desk.call("GET", "/api/v1/service")["name"]
    wait_for(lambda: text(page, "start-title") == f"{name} asks to see what you see", "the name")


# What is left


def test_refused_camera_leads_on_to_sound(desk: Desk, strict: Browser) -> None:
    page = open_page(strict, desk.service.caller, permissions=("microphone", "geolocation"))
    page.click("#start-video")
    look(page, "window.sightline?.problem", "refused", "the page explains")
    assert page.locator("#problem button:visible").count() == 3
    wait_for(lambda: desk.events("location"), "the place is known all the same")
    page.click("#retry-sound")
    look(page, "window.sightline?.state", "connected", "the call is connected")
    assert text(page, "hint") == "Sound only. They can hear you."
    assert page.locator("#use-camera").is_visible()


def test_refused_camera_and_microphone_lead_on_to_text(desk: Desk, strict: Browser) -> None:
    page = open_page(strict, desk.service.caller, permissions=("geolocation",))
    page.click("#start-sound")
    look(page, "window.sightline?.problem", "noSound", "the page explains")
    page.click("#retry-text")
    look(page, "window.sightline?.view", "plain", "text and place are left")
    wait_for(lambda: text(page, "plain-place") == "They see where you are.", "the place is known")
    page.fill("#chat-text", "Third floor")
    page.keyboard.press("Enter")
    wait_for(lambda: [each for each in desk.events("chat") if each["payload"]["text"] == "Third floor"], "the text arrives")


def test_refused_location_leads_on_to_text(desk: Desk, strict: Browser) -> None:
    page = open_page(strict, desk.service.caller)
    page.click("#start-location")
    wait_for(lambda: text(page, "plain-place") == "They cannot see where you are. Write where you are.", "the page says so")
    assert page.locator("#chat-text").is_visible()


def test_text_alone_asks_for_nothing_and_shows_guidance(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    page.click("#start-text")
    look(page, "window.sightline?.view", "plain", "text")
    assert text(page, "plain-place") == "They do not see where you are."
    look(page, "window.sightline?.metadata.state", "connected", "the line")
    assert desk.command("guidance", "Are you safe?")["status"] == "shown"
    assert page.locator("#guidance").is_visible() and text(page, "guidance") == "Are you safe?"
    assert desk.command("switchCamera")["status"] == "failed"
    page.click("#plain-locate")
    wait_for(lambda: desk.events("location"), "the place is known")
    page.click("#plain-video")
    look(page, "window.sightline?.state", "connected", "video goes on from there")
    page.click("#stop")
    assert text(page, "ended-title") == "The video has ended"


# Languages

SHAPE = """async (code) => {
  const module = await import(`/assets/languages/${code}.js`);
  const flat = (value, path, into) => {
    if (typeof value === "object") for (const [key, each] of Object.entries(value)) flat(each, `${path}.${key}`, into);
    else into[path] = typeof value === "function" ? `function ${value(3, "someone")}` : value;
    return into;
  };
  return { words: flat(module.words, "words", {}), phrases: module.phrases };
}"""


def test_every_language_says_all_that_english_says(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    listed = page.evaluate("import('/assets/languages/phrases.js').then((each) => [Object.keys(each.languages), each.phraseKeys])")
    assert set(listed[0]) == set(LANGUAGES) == {path.stem for path in
        (ROOT / "Sources/Gateway/Web/languages").glob("*.js")} - {"phrases"}
    english = page.evaluate(SHAPE, "en")
    assert set(english["phrases"]) == set(listed[1])
    for code in set(LANGUAGES) - {"en"}:
        found = page.evaluate(SHAPE, code)
        assert found["words"].keys() == english["words"].keys(), code
        assert found["phrases"].keys() == english["phrases"].keys(), code
        for part in ("words", "phrases"):
            for key, source in english[part].items():
                said = found[part][key]
                assert bool(said) == bool(source) and said.startswith("function") == source.startswith("function"), (code, key)
                assert "3" in said or "function 3" in said or "3" not in source, (code, key)
                assert len(source) < 16 or said != source or source.startswith("function"), f"{code} {key} is not translated"


def test_language_is_the_browsers_and_can_be_changed(desk: Desk, pages: Pages) -> None:
    page = open_page(pages.browser, desk.service.caller, locale="de-AT", permissions=("camera", "microphone", "geolocation"))
    wait_for(lambda: text(page, "start-video").lower() == "video starten", "German")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name.split('/').at(-1))")
    assert "de.js" in loaded and "en.js" not in loaded
    listener = Ephemera(desk)
    page.select_option("#language", "fa")
    look(page, "document.documentElement.dir", "rtl", "from right to left")
    assert page.evaluate("[document.documentElement.lang, document.title]") == ["fa", "ویدیوی اضطراری"]
    wait_for(lambda: [each for each in listener.of_kind("caller.device") if each.get("language") == "fa"], "staff knows", 15)
    page.reload()
    look(page, "document.documentElement.lang", "fa", "it is remembered")
    start_call(page)
    assert text(page, "state-words") == "زنده"
    assert text(page, "stop") == "توقف"
    listener.close()


# The dark page


def test_dark_page_gives_nothing_away(desk: Desk, pages: Pages) -> None:
    listener = Ephemera(desk)
    page = pages.open(desk.service.caller)
    start_call(page)
    page.click("#hide-live")
    wait_for(lambda: [each for each in listener.of_kind("caller.device") if each.get("silent")], "staff knows", 15)
    assert page.evaluate("document.getElementById('page').inert && document.getElementById('voices').muted")
    assert page.evaluate("document.title") == "·"
    answer = desk.command("guidance", "Stay where you are")
    assert answer["status"] == "done" and "dark" in answer["detail"]
    assert desk.command("torch", "true")["status"] == "refused"
    assert desk.command("stillPhoto")["status"] == "done", "the camera goes on"
    points = [(20, 20), (180, 370), (340, 720), (180, 500)]
    assert all(page.evaluate(f"document.elementFromPoint({x}, {y}).id") == "silent-back" for x, y in points)
    assert page.locator("#silent").evaluate("(each) => getComputedStyle(each).backgroundColor") == "rgb(0, 0, 0)"
    assert violations(page) == []
    page.mouse.click(100, 300)
    assert page.evaluate("window.sightline.isSilent"), "one touch may be a hand in a pocket"
    page.reload()
    look(page, "window.sightline?.isSilent", True, "it stays dark after a reload")
    look(page, "window.sightline?.state", "connected", "and the call goes on")
    page.mouse.dblclick(100, 300)
    look(page, "window.sightline?.isSilent", False, "it is back")
    assert text(page, "guidance") == "Stay where you are"
    wait_for(lambda: listener.of_kind("caller.device")[-1]["silent"] is False, "staff knows", 15)
    page.click("#hide-live")
    page.keyboard.press("Escape")
    look(page, "window.sightline?.isSilent", False, "a key brings it back as well")
    listener.close()
    assert pages.complaints == []


# What staff asks for


def test_quality_is_turned_down_and_up(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    # Of several sizes the smallest goes out first.
    width = wait_for(lambda: page.evaluate("window.sightline?.stats.video?.sizes?.h?.width"), "the picture's width", 30)
    assert desk.command("quality", "low")["status"] == "done"
    wait_for(lambda: page.evaluate("window.sightline?.stats.video.width") < width / 2, "a smaller picture goes out", 20)
    assert desk.command("quality", "perfect")["status"] == "unsupported"
    assert desk.command("quality", "high")["status"] == "done"
    assert page.evaluate("window.sightline.quality") == "high"


def test_pictures_and_clips_are_shown(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    assert desk.command("showFile", upload(desk, PIXEL, "image/png"))["status"] == "shown"
    assert page.evaluate("document.querySelector('#shown img').naturalWidth") == 1
    assert page.get_attribute("#shown img", "alt") == "Picture from the emergency service"
    assert desk.command("showFile", upload(desk, CLIP.read_bytes(), "video/webm"))["status"] == "shown"
    look(page, "document.querySelector('#shown video').currentTime > 0", True, "the clip plays by itself")
    assert page.locator("#stop").is_visible()
    page.screenshot(path=artifacts / "caller-shown.png")
    assert violations(page) == []
    page.click("#shown-close")
    assert page.locator("#shown").is_hidden()
    assert desk.command("showFile", "f-0000000000000000")["status"] == "failed"
    assert desk.command("showFile", "")["status"] == "shown"


def test_screen_is_shown_only_after_a_tap(desk: Desk, pages: Pages) -> None:
    listener = Ephemera(desk)
    page = pages.open(desk.service.caller)
    start_call(page)
    for button, status in (("screen-no", "refused"), ("screen-yes", "done")):
        number = desk.submit("command", caller=desk.caller, command="shareScreen")
        page.wait_for_selector(f"#{button}")
        page.click(f"#{button}")
        answer = wait_for(lambda: desk.answer(number), "an answer", 10)
        assert answer["status"] == status, answer
    wait_for(lambda: listener.of_kind("caller.device")[-1]["camera"] == "screen", "staff knows", 15)
    page.click("#camera-back")
    wait_for(lambda: listener.of_kind("caller.device")[-1]["camera"] != "screen", "the camera is back", 15)
    listener.close()


CONTROL_ROOM = """async ({ incident, token }) => {
  const load = (name) => import(`/assets/shared/${name}.js`);
  const [{ LivePeer }, { IncidentEvents }, { MetadataChannel }] = await Promise.all(["live", "events", "metadata"].map(load));
  const metadata = new MetadataChannel(incident);
  const events = new IncidentEvents(token, metadata);
  events.open();
  window.room = new LivePeer({ session: { token }, incident, metadata, events, pictures: 1, voices: 1, sends: true });
  window.room.start();
}"""


def test_control_room_is_seen_and_heard(desk: Desk, pages: Pages, artifacts: pathlib.Path) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    assert page.locator("#theirs").is_hidden()
    room = pages.open(f"{desk.base}/docs")
    room.evaluate(CONTROL_ROOM, {"incident": desk.service.incident, "token": desk.token})
    look(room, "window.room.state", "connected", "the control room is connected")
    room.evaluate("window.room.show('camera')")
    look(page, "window.sightline?.isShown", True, "their picture comes", 20)
    look(page, "document.getElementById('theirs').hidden", False, "it is shown")
    large, small = (page.locator(f"#{name}").bounding_box() for name in ("theirs", "preview"))
    assert large["width"] == PHONE["width"] and small["width"] < PHONE["width"] / 2
    before = page.evaluate("window.sightline.heard")
    room.evaluate("window.room.talk(true)")
    wait_for(lambda: page.evaluate("window.sightline?.heard") > before, "their voice comes", 20)
    assert page.evaluate("!document.getElementById('voices').paused && !document.getElementById('voices').muted")
    page.screenshot(path=artifacts / "caller-theirs.png")
    room.evaluate("window.room.show(undefined)")
    look(page, "window.sightline?.isShown", False, "the own picture is large again", 20)
    assert pages.complaints == []


# Photos


def test_photos_are_sent_during_and_after_the_call(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    start_call(page)
    page.click("#text")
    photo = {"name": "wound.png", "mimeType": "image/png", "buffer": PIXEL}
    page.set_input_files("#photo-file", photo)
    wait_for(lambda: text(page, "photo-state") == "The photo has arrived", "it is sent")
    page.click("#chat-stop")
    wait_for(lambda: desk.stages()[-1] == "ended", "the end is known")
    page.set_input_files("#photo-file", photo)
    look(page, "window.sightline?.photos.sent", 2, "it is taken after the end as well")
    assert text(page, "photo-ended") == "The photo has arrived"
    added = [each for each in desk.events("file.added")]
    assert [each["payload"]["purpose"] for each in added] == ["photo", "photo"]
    assert {each["actor"]["id"] for each in added} == {desk.caller}
    other = desk.call("POST", "/api/v1/incidents", {"priority": "P2"})["id"]
    status = page.evaluate("""async ([incident, token]) => (await fetch(`/api/v1/incidents/${incident}/files`, {
      method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "image/png" }, body: "x" })).status""",
      [other, desk.service.caller.split("token=")[1]])
    assert status in (401, 403, 404)


def test_photo_waits_for_the_network(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)
    page.click("#start-text")
    page.route("**/files?*", lambda route: route.abort())
    page.set_input_files("#photo-file", {"name": "a.png", "mimeType": "image/png", "buffer": PIXEL})
    look(page, "window.sightline?.photos.state", "waiting", "it waits")
    assert text(page, "photo-state") == "The photo is sent when the network is back. Keep this page open."
    page.unroute("**/files?*")
    look(page, "window.sightline?.photos.sent", 1, "it is sent", 20)


# For everybody


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_state_can_be_used_by_everybody(desk: Desk, pages: Pages, artifacts: pathlib.Path, language: str) -> None:
    page = open_page(
        pages.browser, desk.service.caller, size=SMALL, locale=language, permissions=("camera", "microphone", "geolocation"))

    def check(state: str) -> None:
        for theme in ("dark", "light", "sunlight"):
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            assert violations(page) == [], (state, theme)
            page.screenshot(path=artifacts / f"caller-{state}-{language}-{theme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"], state

    look(page, "document.documentElement.lang", language, "the language")
    check("start")
    page.click("#start-text")
    look(page, "window.sightline?.metadata.state", "connected", "the line")
    desk.submit("chat", text="Is anybody hurt?")
    desk.command("guidance", "Move closer to the person's face")
    check("plain")
    page.click("#plain-video")
    look(page, "window.sightline?.state", "connected", "the call is connected")
    check("live")
    small = page.evaluate("""[...document.querySelectorAll("button, select, textarea")].filter((each) => each.checkVisibility())
      .map((each) => [each.id, each.getBoundingClientRect()]).filter(([, box]) => box.width < 44 || box.height < 44)""")
    assert small == []
    page.click("#text")
    assert page.locator("#guidance").is_visible(), "what they say stays in sight"
    check("chat")
    page.click("#chat-stop")
    look(page, "window.sightline?.view", "ended", "the end")
    check("ended")


def test_problems_can_be_used_by_everybody(desk: Desk, strict: Browser) -> None:
    page = open_page(strict, desk.service.caller, size=SMALL)
    page.click("#start-video")
    look(page, "window.sightline?.view", "problem", "the page explains")
    assert violations(page) == []
    assert fits(page)


def test_keyboard_alone_is_enough(desk: Desk, pages: Pages) -> None:
    page = pages.open(desk.service.caller)

    def focus(element_id: str) -> None:
        for _ in range(12):
            if page.evaluate("document.activeElement.id") == element_id:
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{element_id} is not reached")

    focus("start-video")
    page.keyboard.press("Enter")
    look(page, "window.sightline?.state", "connected", "the call is connected")
    focus("text")
    page.keyboard.press("Enter")
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    wait_for(lambda: desk.events("chat"), "the text arrives")
    page.keyboard.press("Escape")
    look(page, "document.activeElement.id", "text", "the focus is back where it was")
    focus("hide-live")
    page.keyboard.press("Enter")
    look(page, "window.sightline?.isSilent", True, "dark")
    page.keyboard.press("Escape")
    look(page, "document.activeElement.id", "hide-live", "the focus is back where it was")
    focus("stop")
    page.keyboard.press("Enter")
    look(page, "window.sightline?.view", "ended", "the end")


def test_firefox(service: Service, firefox: Callable, artifacts: pathlib.Path) -> None:
    page = firefox(service.caller, size=(360, 740))
    start_in_any_browser(page)
    page.click("hide-live")
    assert page.evaluate("window.sightline.isSilent")
    page.press("\ue00c")  # Escape, as WebDriver calls it
    assert page.evaluate("window.sightline.isSilent") is False
    page.click("text")
    page.screenshot(artifacts / "caller-firefox.png")
    page.click("chat-stop")
    assert page.evaluate("window.sightline.view") == "ended"
