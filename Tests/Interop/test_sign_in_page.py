"""The first page, the sign-in page and one's own account, in a real browser with its cookie."""

import base64
import itertools
import pathlib
import secrets
import subprocess
import time
import urllib.parse
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright

from api import Api
from browser import CHROMIUM
from node import Node
from staff_pages import LAPTOP, PHONE, StaffPages, check_access, path_of, sign_in, wait_for_path
from test_identity import one_time_password
from waiting import wait_for

HOMES = {
    "operator": "/console", "dispatcher": "/console", "responder": "/field", "supervisor": "/console", "trainer": "/console",
    "custodian": "/archive", "auditor": "/archive", "admin": "/admin", "integration": "/account",
}
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    data = tmp_path_factory.mktemp("door")
    # Wrong passwords of all tests come from one address.
    with Node(data, ("--service-name", "112 Leitstelle Nord", "--maximum-failures", "200")) as node:
        yield node


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def staff(browser: Browser) -> Iterator[StaffPages]:
    pages = StaffPages(browser)
    yield pages
    pages.close()
    assert pages.complaints == []


class Newcomer:
    """An account that no other test uses."""

    def __init__(self, node: Node, role: str = "operator") -> None:
        self.name, self.password = f"newcomer-{next(numbers)}", secrets.token_hex(8)
        body = {"userName": self.name, "displayName": self.name.title(), "role": role, "password": self.password}
        self.id = Api(node.base, node.accounts["admin"]["token"]).post("/api/v1/accounts", body)["id"]


@pytest.fixture
def newcomer(node: Node) -> Newcomer:
    return Newcomer(node)


def signed_in(staff: StaffPages, node: Node, newcomer: Newcomer, next_path: str = "/account", **options: object) -> Page:
    page = staff.open(f"{node.base}/sign-in?next={urllib.parse.quote(next_path)}", **options)
    sign_in(page, newcomer.name, newcomer.password)
    wait_for_path(page, next_path)
    wait_for(lambda: page.evaluate("window.sightline !== undefined"), "the page's script")
    return page


def problem(page: Page) -> str:
    return wait_for(lambda: page.inner_text("#problem"), "a refusal in words")


# The door


@pytest.mark.parametrize("role", HOMES)
def test_everybody_lands_on_the_page_of_their_role(node: Node, staff: StaffPages, role: str) -> None:
    account = node.accounts[role]
    page = staff.open(f"{node.base}/sign-in")
    sign_in(page, account["userName"], account["password"])
    page.wait_for_url(lambda url: "/sign-in" not in url, wait_until="commit")
    assert path_of(page) == HOMES[role]


def test_first_page_says_whose_it_is_and_leads_on(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = staff.open(node.base)
    wait_for(lambda: page.inner_text("#service-name") == "112 Leitstelle Nord", "the service's name")
    page.click("text=Sign in")
    wait_for_path(page, "/sign-in")
    sign_in(page, newcomer.name, newcomer.password)
    wait_for_path(page, "/console")
    page.goto(node.base)
    wait_for_path(page, "/console")


def test_whoever_is_signed_in_already_may_go_on(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = signed_in(staff, node, newcomer)
    page.goto(f"{node.base}/sign-in?next=/account")
    page.click("#present a")
    wait_for_path(page, "/account")


@pytest.mark.parametrize(
    "wish",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example/", "/\t/evil.example", "javascript:alert(1)", "\\\\evil.example",
        "/sign-in", "console", "/%5c/../..//evil.example\n",
    ])
def test_nobody_is_led_elsewhere(node: Node, staff: StaffPages, newcomer: Newcomer, wish: str) -> None:
    page = staff.open(f"{node.base}/sign-in?next={urllib.parse.quote(wish)}")
    sign_in(page, newcomer.name, newcomer.password)
    wait_for_path(page, "/console")


def test_next_keeps_its_query(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    signed_in(staff, node, newcomer, "/account?from=a%20b&x=1#tokens")


def test_wrong_password_is_told_and_the_right_one_opens(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = staff.open(f"{node.base}/sign-in?next=/account")
    page.click("#submit")
    assert problem(page) == "Type your user name."
    sign_in(page, newcomer.name, "not the password")
    wait_for(lambda: "wrong" in page.inner_text("#problem"), "a refusal")
    assert page.get_attribute("#password", "aria-invalid") == "true"
    sign_in(page, newcomer.name, newcomer.password)
    wait_for_path(page, "/account")


def test_lock_out_says_how_long(tmp_path: pathlib.Path, staff: StaffPages) -> None:
    with Node(tmp_path, ("--maximum-failures", "2", "--lockout-minutes", "1")) as node:
        check_lock_out(staff.open(f"{node.base}/sign-in"), node.accounts["operator"]["userName"])


def check_lock_out(page: Page, name: str) -> None:
    sign_in(page, name, "first guess")
    problem(page)
    sign_in(page, name, "second guess")
    wait_for(lambda: page.evaluate("window.sightline?.state.remaining") > 0, "the lock-out")
    assert 0 < page.evaluate("window.sightline.state.remaining") <= 60
    assert "too many failed tries" in page.inner_text("#problem")
    assert page.inner_text("#submit").startswith("Wait ") and page.is_disabled("#submit")
    # A minute later, by the page's clock and not by ours.
    page.evaluate("const real = performance.now.bind(performance); performance.now = () => real() + 61_000")
    wait_for(lambda: page.is_enabled("#submit"), "the button")
    assert page.inner_text("#problem") == "You can try again now."


def test_password_managers_know_the_fields(node: Node, staff: StaffPages) -> None:
    page = staff.open(f"{node.base}/sign-in")
    fields = {name: page.get_attribute(f"#{name}", "autocomplete") for name in ("user-name", "password", "code")}
    assert fields == {"user-name": "username", "password": "current-password", "code": "one-time-code"}
    assert page.is_hidden("#code"), "nobody is asked for a code that they may not have"


def test_sign_in_is_by_keyboard_alone(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = staff.open(f"{node.base}/sign-in?next=/account")
    wait_for(lambda: page.evaluate("document.activeElement.id") == "user-name", "the focus")
    page.keyboard.type(newcomer.name)
    page.keyboard.press("Tab")
    page.keyboard.type(newcomer.password)
    page.keyboard.press("Enter")
    wait_for_path(page, "/account")


def test_page_without_a_session_leads_to_the_door_and_back(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = staff.open(f"{node.base}/account")
    wait_for_path(page, "/sign-in?next=%2Faccount")
    sign_in(page, newcomer.name, newcomer.password)
    wait_for_path(page, "/account")


def test_strangers_are_not_refused_for_looking(node: Node) -> None:
    nobody = Api(node.base)
    assert [nobody.ask("GET", "/api/v1/session").json for _ in range(40)] == [{"state": "none"}] * 40
    assert Api(node.base, None, Cookie="sightline-session=made-up").get("/api/v1/session") == {"state": "none"}


# The account


def test_password_is_changed_and_all_sessions_end(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page, elsewhere = signed_in(staff, node, newcomer), signed_in(staff, node, newcomer)
    page.fill("#present-password", newcomer.password)
    fresh = secrets.token_hex(8)
    for field in ("#new-password", "#new-password-again"):
        page.fill(field, fresh)
    page.click("text=Change password")
    wait_for_path(page, "/sign-in?next=/account")
    elsewhere.reload()
    wait_for_path(elsewhere, "/sign-in?next=%2Faccount")
    sign_in(page, newcomer.name, newcomer.password)
    wait_for(lambda: "wrong" in page.inner_text("#problem"), "the old one is refused")
    sign_in(page, newcomer.name, fresh)
    wait_for_path(page, "/account")


def test_bad_new_password_is_explained(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = signed_in(staff, node, newcomer)
    page.fill("#present-password", newcomer.password)
    for field in ("#new-password", "#new-password-again"):
        page.fill(field, newcomer.name + newcomer.name)
    page.click("text=Change password")
    words = wait_for(lambda: page.inner_text("#password .problem"), "the objection")
    assert words[0].isupper() and not words.startswith("Password:")


def scan(page: Page, folder: pathlib.Path) -> str:
    """What the picture on the page says to a phone."""
    page.locator("#factor img").screenshot(path=folder / "code.png")
    return subprocess.run(["zbarimg", "--quiet", "--raw", folder / "code.png"], check=True, capture_output=True, text=True).stdout.strip()


def test_second_factor_from_its_picture_to_its_end(
    node: Node, staff: StaffPages, newcomer: Newcomer, tmp_path: pathlib.Path
) -> None:
    page = signed_in(staff, node, newcomer, device_scale_factor=3)
    page.fill("#factor-password", newcomer.password)
    page.click("text=Set up a second factor")
    page.wait_for_selector("#factor-code")
    address = urllib.parse.urlsplit(scan(page, tmp_path))
    assert address.scheme == "otpauth" and "112" in urllib.parse.unquote(address.path)
    secret = urllib.parse.parse_qs(address.query)["secret"][0]
    assert page.inner_text("#factor-secret").replace(" ", "") == secret
    key, step = base64.b32decode(secret), int(time.time()) // 30
    page.fill("#factor-code", "000000")
    page.click("text=Confirm")
    wait_for(lambda: "not the one" in page.inner_text("#factor .problem"), "a wrong code is refused")
    page.fill("#factor-code", one_time_password(key, step))
    page.click("text=Confirm")
    page.wait_for_selector("#factor >> text=On.")

    door = staff.open(f"{node.base}/sign-in?next=/account")
    sign_in(door, newcomer.name, newcomer.password)
    door.wait_for_selector("#code:focus")
    door.fill("#code", one_time_password(key, step))
    wait_for(lambda: "code is not right" in door.inner_text("#problem"), "a code is good once")
    door.fill("#code", one_time_password(key, step + 1))
    wait_for_path(door, "/account")

    door.click("text=Remove…")
    door.fill("dialog input", newcomer.password)
    door.click("dialog >> text=Remove it")
    door.wait_for_selector("#factor-password")
    plain = staff.open(f"{node.base}/sign-in?next=/account")
    sign_in(plain, newcomer.name, newcomer.password)
    wait_for_path(plain, "/account")


def test_token_is_shown_once_works_and_is_revoked(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = signed_in(staff, node, newcomer)
    page.fill("#token-name", "dispatch system")
    page.select_option("#token-days", "7")
    page.click("text=Make a token")
    secret = page.wait_for_selector("#token-secret").inner_text()
    assert Api(node.base, secret).get("/api/v1/me")["id"] == newcomer.id
    page.reload()
    page.wait_for_selector("#tokens tbody tr")
    assert secret not in page.content()
    page.click("#tokens >> text=Revoke…")
    page.click("dialog >> button:text-is('Revoke')")
    page.wait_for_selector("#tokens >> text=There are none.")
    assert Api(node.base, secret).ask("GET", "/api/v1/me").status == 401
    words = page.inner_text("#audit tbody")
    assert "Token made: dispatch system" in words and "Token revoked: dispatch system" in words and "Signed in" in words


def test_locked_session_asks_for_the_password_and_goes_on(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = signed_in(staff, node, newcomer)
    page.click(".menu summary")
    page.click(".menu >> button:text-is('Lock')")
    page.fill("#unlock-password", newcomer.password)
    page.click("#unlock >> button:text-is('Go on')")
    page.wait_for_selector("#unlock", state="detached")
    page.fill("#token-name", "after the lock")
    page.click("text=Make a token")
    page.wait_for_selector("#token-secret")


def test_locked_session_is_told_at_the_door(node: Node, staff: StaffPages, newcomer: Newcomer) -> None:
    page = signed_in(staff, node, newcomer)
    page.click(".menu summary")
    page.click(".menu >> button:text-is('Lock')")
    page.wait_for_selector("#unlock")
    page.reload()
    page.wait_for_selector("text=Your session was locked")
    sign_in(page, newcomer.name, newcomer.password)
    wait_for_path(page, "/account")


# Everybody


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_pages_are_accessible(node: Node, staff: StaffPages, newcomer: Newcomer, size: dict) -> None:
    page = staff.open(node.base, size)
    check_access(page, "the first page")
    page.goto(f"{node.base}/sign-in?next=/account")
    check_access(page, "the door")
    sign_in(page, newcomer.name, "not the password")
    problem(page)
    check_access(page, "the door, refusing")
    sign_in(page, newcomer.name, newcomer.password)
    wait_for_path(page, "/account")
    page.wait_for_selector("#audit tbody tr")
    check_access(page, "the account")
    page.fill("#factor-password", newcomer.password)
    page.click("text=Set up a second factor")
    page.wait_for_selector("#factor img")
    check_access(page, "the second factor")
    page.fill("#token-name", "axe")
    page.click("text=Make a token")
    page.wait_for_selector("#token-secret")
    check_access(page, "a token")
    page.click("#tokens >> text=Revoke…")
    check_access(page, "the second step")


@pytest.mark.parametrize("path", ["/", "/sign-in"])
def test_text_at_twice_its_size_does_not_break_the_door(node: Node, staff: StaffPages, path: str) -> None:
    page = staff.open(node.base + path, PHONE)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
