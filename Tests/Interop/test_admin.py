"""Administration: what an admin does in the pages, and what everybody else then sees."""

import json
import pathlib
import secrets
from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, Playwright

from api import Api
from browser import CHROMIUM
from node import Node
from receivers import Answer, HTTPReceiver, MailReceiver, http_receiver, mail_receiver
from staff_pages import LAPTOP, PHONE, StaffPages, check_access, path_of, sign_in
from test_outgoing import PHONE as NUMBER
from test_outgoing import provider_settings
from waiting import wait_for

TABS = ("accounts", "service", "messages", "retention", "keys", "webhooks", "health", "alarms")
NAME = "112 Leitstelle Nord"


class Office:
    """A node with a provider of text messages and a mail server, and its admin."""

    def __init__(self, node: Node, provider: HTTPReceiver, mailbox: MailReceiver) -> None:
        self.node, self.provider, self.mailbox = node, provider, mailbox
        self.base = node.base
        self.admin = self.person("admin")

    def person(self, role: str) -> Api:
        return Api(self.base, self.node.accounts[role]["token"])

    def address(self, tab: str, role: str = "admin") -> str:
        return f"{self.base}/admin?token={self.node.accounts[role]['token']}#{tab}"

    def set(self, **settings: object) -> dict:
        answer = self.admin.ask("PATCH", "/api/v1/settings", settings)
        assert answer.status == 200, answer
        return answer.json

    def audited(self, kind: str = "audit.settings") -> list[dict]:
        """Payloads of the audit's events of a kind, oldest first."""
        events = self.person("auditor").get("/api/v1/audit?limit=1000")["events"]
        return [event["payload"] for event in events if event["kind"] == kind]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = tmp_path_factory.mktemp("office")
    with http_receiver() as provider, mail_receiver() as mailbox:
        (data / "sms.json").write_text(json.dumps(provider_settings(provider.url)))
        (data / "mail.json").write_text(json.dumps({"host": "127.0.0.1", "port": mailbox.port, "from": "video@leitstelle.example"}))
        provider.answer = lambda request: Answer.of_json(201, {"message": {"id": request.json()["name"]}, "text": "Queued."})
        options = ("--sms-gateway", str(data / "sms.json"), "--mail-server", str(data / "mail.json"), "--service-name", NAME)
        with Node(data, options) as node:
            yield Office(node, provider, mailbox)


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


@pytest.fixture
def reset(office: Office) -> Iterator[None]:
    """Settings are the command line's again afterwards."""
    yield
    office.set(reset=list(office.admin.get("/api/v1/settings")["settings"]))


def open_tab(staff: StaffPages, office: Office, tab: str, size: dict = LAPTOP) -> Page:
    page = staff.open(office.address(tab), size)
    wait_for(lambda: page.evaluate("window.sightline?.tab") == tab, f"the tab {tab}")
    return page


def row(page: Page, name: str) -> str:
    return f"tr:has(b:text-is('{name}'))"


# Accounts


def test_account_is_made_signs_in_and_is_suspended(office: Office, staff: StaffPages) -> None:
    page = open_tab(staff, office, "accounts")
    page.click("#add-account")
    page.fill("#new-user-name", "rosa.luna")
    page.fill("#account-display-name", "Rosa Luna")
    page.select_option("#account-form-role", "responder")
    assert "Paramedic" in page.inner_text(".role-words")
    page.fill("#account-unit", "ems-7")
    page.click("dialog >> button:text-is('Add')")
    password = page.wait_for_selector("#new-password-shown").inner_text()
    account = next(each for each in office.admin.get("/api/v1/accounts")["accounts"] if each["userName"] == "rosa.luna")
    assert (account["role"], account["unit"], account["displayName"]) == ("responder", "ems-7", "Rosa Luna")

    own = staff.open(f"{office.base}/sign-in?next=/account")
    sign_in(own, "rosa.luna", password)
    own.wait_for_selector("#person >> text=ems-7")

    page.click(f"{row(page, 'Rosa Luna')} >> text=Suspend…")
    page.click("dialog >> button:text-is('Suspend')")
    page.wait_for_selector(f"{row(page, 'Rosa Luna')} >> text=Suspended")
    own.reload()
    own.wait_for_selector("#user-name")
    assert path_of(own).startswith("/sign-in"), "the session has ended"
    sign_in(own, "rosa.luna", password)
    wait_for(lambda: "wrong" in own.inner_text("#problem"), "the suspended are out")

    page.click(f"{row(page, 'Rosa Luna')} >> text=Restore…")
    page.click("dialog >> button:text-is('Restore')")
    page.wait_for_selector(f"{row(page, 'Rosa Luna')} >> text=Active")
    own.fill("#password", password)
    own.click("#submit")
    own.wait_for_selector("#person >> text=ems-7")
    words = [(payload["change"], payload.get("detail")) for payload in office.audited("audit.account") if payload["account"] == account["id"]]
    assert words == [("added", "responder"), ("suspended", None), ("restored", None)]


def make_account(office: Office, name: str, role: str = "operator") -> tuple[dict, str]:
    password = secrets.token_hex(8)
    body = {"userName": name, "displayName": name, "role": role, "password": password}
    return office.admin.post("/api/v1/accounts", body), password


def test_second_step_can_be_left(office: Office, staff: StaffPages) -> None:
    account, password = make_account(office, "left-alone")
    page = open_tab(staff, office, "accounts")
    page.click(f"{row(page, 'left-alone')} >> text=Suspend…")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert office.admin.get(f"/api/v1/accounts/{account['id']}")["state"] == "active"


def test_role_desk_and_password_are_changed(office: Office, staff: StaffPages) -> None:
    account, old = make_account(office, "to-change")
    page = open_tab(staff, office, "accounts")
    page.fill("#account-search", "to-chan")
    wait_for(lambda: page.locator("tbody tr").count() == 1, "the search")
    page.click("tbody >> text=Change…")
    assert page.is_hidden("#account-desk")
    page.select_option("#account-form-role", "dispatcher")
    page.fill("#account-desk", "desk-9")
    page.click("dialog >> button:text-is('Save')")
    page.wait_for_selector("tbody >> text=desk desk-9")
    page.click("tbody >> text=Password…")
    page.click("dialog >> text=Set the password")
    password = page.wait_for_selector("#new-password-shown").inner_text()
    sign = lambda word: Api(office.base).ask("POST", "/api/v1/sign-in", {"userName": "to-change", "password": word}).status  # noqa: E731
    assert (sign(old), sign(password)) == (401, 200)
    changed = office.admin.get(f"/api/v1/accounts/{account['id']}")
    assert (changed["role"], changed["desk"]) == ("dispatcher", "desk-9")


def test_bad_account_is_explained_in_the_dialog(office: Office, staff: StaffPages) -> None:
    make_account(office, "taken")
    page = open_tab(staff, office, "accounts")
    page.click("#add-account")
    page.fill("#new-user-name", "Taken")
    page.fill("#account-display-name", "Somebody")
    page.click("dialog >> button:text-is('Add')")
    wait_for(lambda: "account taken already" in page.inner_text("dialog .problem"), "the refusal")


@pytest.mark.parametrize("change", [{"suspended": True}, {"role": "operator"}])
def test_last_admin_stays_admin(office: Office, change: dict) -> None:
    account = office.node.accounts["admin"]["id"]
    answer = office.admin.ask("PATCH", f"/api/v1/accounts/{account}", change)
    assert (answer.status, answer.code) == (409, "wrongState")
    other, _ = make_account(office, f"admin-{next(iter(change))}", "admin")
    assert office.admin.ask("PATCH", f"/api/v1/accounts/{other['id']}", change).status == 200


def test_own_account_is_not_suspended_from_the_list(office: Office, staff: StaffPages) -> None:
    page = open_tab(staff, office, "accounts")
    own = page.wait_for_selector(row(page, "Demo admin"))
    assert "(you)" in own.inner_text() and "Suspend" not in own.inner_text()


def test_other_roles_find_nothing_here(office: Office, staff: StaffPages) -> None:
    page = staff.open(office.address("accounts", "operator"))
    page.wait_for_selector("text=This page is not for your role")


# Settings


def test_name_counts_at_once_for_callers_and_messages(office: Office, staff: StaffPages, reset: None) -> None:
    incident = office.node.open_incident()
    link = office.person("operator").post(f"/api/v1/incidents/{incident}/links", {"role": "caller"})
    page = open_tab(staff, office, "service")
    page.fill("#setting-name", "Feuerwehr Süd")
    page.click("#panel-service >> button:text-is('Save')")
    page.wait_for_selector(".toast >> text=Saved")
    assert Api(office.base).get("/api/v1/service")["name"] == "Feuerwehr Süd", "what the caller's page asks for"
    first = staff.open(office.base, PHONE)
    wait_for(lambda: first.inner_text("#service-name") == "Feuerwehr Süd", "the first page says whose it is")
    caller = staff.open(link["url"], PHONE)
    wait_for(lambda: "Feuerwehr Süd" in caller.inner_text("body"), "the caller's page says who asks")
    office.person("operator").post(f"/api/v1/incidents/{incident}/links", {"role": "caller", "phone": NUMBER, "send": "sms"})
    assert office.provider.next().json()["words"].startswith("Feuerwehr Süd asks")
    assert {"setting": "serviceName", "detail": "Feuerwehr Süd"} in office.audited()
    assert page.inner_text(".bar-name") == "Feuerwehr Süd"


def test_text_is_previewed_and_sent(office: Office, staff: StaffPages, reset: None) -> None:
    page = open_tab(staff, office, "service")
    page.fill("#setting-text", "Hilfe von {service}: {link} öffnen")
    preview = wait_for(lambda: page.inner_text("#message-preview"), "the preview")
    assert preview.startswith(f"Hilfe von {NAME}: http") and preview.endswith("… öffnen")
    length = page.inner_text("#message-length")
    page.click("text=Save the text")
    page.wait_for_selector(".toast >> text=Saved")
    incident = office.node.open_incident()
    link = office.person("operator").post(
        f"/api/v1/incidents/{incident}/links", {"role": "caller", "phone": NUMBER, "send": "sms"})
    words = office.provider.next().json()["words"]
    assert words == f"Hilfe von {NAME}: {link['url']} öffnen"
    said = int(length.partition(" characters")[0].rpartition(" ")[2])
    assert abs(said - len(words)) < 40, "the length that was foretold"
    page.fill("#setting-text", "no link")
    wait_for(lambda: "{link} is missing" in page.inner_text("#message-length"), "what is missing")
    page.click("text=Save the text")
    wait_for(lambda: "{link} has to stand" in page.inner_text(".problem:not(:empty)"), "the refusal")


@pytest.mark.parametrize(
    "wish",
    [
        {"serviceName": ""}, {"serviceName": "x" * 65}, {"serviceName": "two\nlines"}, {"callerLinkMinutes": 0},
        {"guestLinkMinutes": 100_000}, {"messageText": "no link"}, {"messageText": "{link}."}, {"messageText": "{link} {link}"},
        {"mapTiles": "ftp://tiles.example/{z}/{x}/{y}.png"}, {"mapTiles": "https://tiles.example/{z}/{x}.png"},
        {"mapTiles": "https://tiles.example;script-src/{z}/{x}/{y}"}, {"mapTiles": "https://*.example/{z}/{x}/{y}.png"},
        {"mapTiles": "//tiles.example/{z}/{x}/{y}.png"}, {"mapTiles": "https://{s}.example/{z}/{x}/{y}.png"}, {"reset": ["nothing"]},
    ], ids=str)
def test_what_cannot_be_is_refused_and_changes_nothing(office: Office, wish: dict) -> None:
    before = office.admin.get("/api/v1/settings")
    answer = office.admin.ask("PATCH", "/api/v1/settings", wish)
    assert (answer.status, answer.code) == (400, "badPayload")
    assert office.admin.get("/api/v1/settings") == before


def test_tiles_are_let_in_by_the_policy_at_once(office: Office, reset: None) -> None:
    policy = lambda path: Api(office.base).ask("GET", path).headers["Content-Security-Policy"]  # noqa: E731
    for path in ("/call", "/sign-in", "/api/v1/service"):
        assert "tiles.example.org" not in policy(path)
    office.set(mapTiles="https://tiles.example.org:8443/{z}/{x}/{y}.png?key=1", mapAttribution="© Somebody")
    for path in ("/call", "/sign-in", "/api/v1/service"):
        assert "img-src 'self' data: blob: https://tiles.example.org:8443;" in policy(path), path
    told = Api(office.base).get("/api/v1/service")["map"]
    assert told["tiles"].startswith("https://tiles.example.org:8443/") and told["attribution"] == "© Somebody"


def test_link_minutes_are_the_settings(office: Office, reset: None) -> None:
    office.set(callerLinkMinutes=3, guestLinkMinutes=5)
    incident = office.node.open_incident()
    operator = office.person("operator")
    opened = operator.get(f"/api/v1/incidents/{incident}/events")["events"]
    for role, minutes in (("caller", 3), ("guest", 5)):
        link = operator.post(f"/api/v1/incidents/{incident}/links", {"role": role})
        events = operator.get(f"/api/v1/incidents/{incident}/events?after={opened[-1]['number']}")["events"]
        made = next(event for event in events if event["payload"].get("link") == link["link"])
        assert abs(seconds(link["expiresAt"]) - seconds(made["time"]) - minutes * 60) < 5


def seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def test_settings_survive_a_restart_and_go_back(tmp_path: pathlib.Path) -> None:
    with Node(tmp_path, ("--service-name", NAME)) as node:
        settings = lambda: Api(node.base, node.accounts["admin"]["token"]).get("/api/v1/settings")  # noqa: E731
        patch = lambda body: Api(node.base, node.accounts["admin"]["token"]).ask("PATCH", "/api/v1/settings", body)  # noqa: E731
        assert patch({"serviceName": "Another"}).status == 200
        node.kill()
        node.start()
        assert settings()["settings"]["serviceName"] == "Another" and settings()["changed"] == ["serviceName"]
        assert patch({"reset": ["serviceName"]}).json["settings"]["serviceName"] == NAME
        assert settings()["changed"] == []


# Messages


def stages(page: Page) -> dict[str, str]:
    """State of each stage of the latest trial."""
    items = page.locator(".trial >> nth=0 >> li")
    return {item.locator("b").inner_text().split(" ")[0]: item.get_attribute("data-state") for item in items.all()}


def try_message(page: Page, way: str, to: str) -> None:
    page.select_option("#trial-by", way)
    page.fill("#trial-to", to)
    before = page.locator(".trial").count()
    page.click("#panel-messages >> button:text-is('Send a test')")
    wait_for(lambda: page.locator(".trial").count() > before, "the trial")


def test_trial_by_text_message_shows_every_stage(office: Office, staff: StaffPages) -> None:
    page = open_tab(staff, office, "messages")
    page.wait_for_selector("text=Leitstelle & Söhne")
    try_message(page, "sms", NUMBER)
    sent = office.provider.next().json()
    assert sent["number"] == NUMBER and "test" in sent["words"] and NAME in sent["words"]
    wait_for(lambda: list(stages(page).values()) == ["done", "done", "done", "waiting"], "handed over")
    assert "Queued." in page.inner_text(".trial >> nth=0")
    receipt = {"message": {"id": sent["name"], "state": "delivered"}, "why": "on the phone"}
    assert Api(office.base).post(sent["reportTo"].removeprefix(office.base), receipt) == {"known": True}
    wait_for(lambda: list(stages(page).values())[-1] == "done", "delivered")
    assert "on the phone" in page.inner_text(".trial >> nth=0")
    assert NUMBER not in page.inner_text(".trial >> nth=0")


def test_refusal_is_shown_in_the_providers_words_and_is_an_alarm(office: Office, staff: StaffPages) -> None:
    answer = office.provider.answer
    office.provider.answer = lambda request: Answer.of_json(402, {"code": 1234, "message": "Your balance is empty"})
    page = open_tab(staff, office, "messages")
    page.wait_for_selector("#trial-to")
    try_message(page, "sms", NUMBER)
    office.provider.next()
    wait_for(lambda: "failed" in stages(page).values(), "the failure")
    assert "Your balance is empty" in page.inner_text(".trial >> nth=0") and "1234" in page.inner_text(".trial >> nth=0")
    alarm = next(each for each in office.admin.get("/api/v1/health")["alarms"] if each["id"] == "sms")
    assert alarm["level"] == "urgent" and "1234" in alarm["detail"]
    page.click("#tab-alarms")
    page.wait_for_selector("text=Text messages do not go out")
    # Advice is not counted; a machine with little room on its disk may have an alarm of its own.
    counted = [each for each in office.admin.get("/api/v1/health")["alarms"] if each["level"] != "advice"]
    wait_for(lambda: page.inner_text("#tab-alarms .count").startswith(str(len(counted))), "the count")
    office.provider.answer = answer
    office.admin.post("/api/v1/settings/test-message", {"by": "sms", "to": NUMBER})
    office.provider.next()
    health = office.admin.get("/api/v1/health")
    assert "sms" not in [each["id"] for each in health["alarms"]]
    assert health["pastAlarms"][0]["id"] == "sms" and health["pastAlarms"][0]["until"]


def test_trial_by_mail(office: Office, staff: StaffPages) -> None:
    page = open_tab(staff, office, "messages")
    page.wait_for_selector("#trial-to")
    try_message(page, "email", "ada@example.org")
    assert office.mailbox.next().recipients == ["ada@example.org"]
    wait_for(lambda: list(stages(page).values()) == ["done", "done", "done", "waiting"], "handed over")


def test_number_that_is_none_goes_nowhere(office: Office) -> None:
    steps = office.admin.post("/api/v1/settings/test-message", {"by": "sms", "to": "0151 1234567"})["steps"]
    assert [(step["stage"], step["state"]) for step in steps] == [("address", "failed")]
    assert "sms" not in [each["id"] for each in office.admin.get("/api/v1/health")["alarms"]]


# Keys, webhooks, retention


def test_keys_are_public_halves_and_nothing_else(office: Office, staff: StaffPages) -> None:
    report = office.admin.get("/api/v1/keys")
    page = open_tab(staff, office, "keys")
    page.wait_for_selector(f"text={report['archiveKeys'][-1]['key']}")
    said = json.dumps(report) + page.inner_text("body") + json.dumps(office.admin.get("/api/v1/settings"))
    for name in ("token-signing-key", "secret-box-key", "archive-keys/current"):
        secret = (office.node.data / name).read_text().split()[0]
        assert secret not in said, name
    assert "s3cret" not in said


def test_webhook_is_added_hears_and_is_removed(office: Office, staff: StaffPages) -> None:
    with http_receiver() as receiver:
        page = open_tab(staff, office, "webhooks")
        page.click("#add-webhook")
        page.fill("#webhook-url", f"{receiver.url}/cad")
        page.click("dialog >> button:text-is('Add')")
        page.wait_for_selector(f"tbody >> text={receiver.url}/cad")
        office.node.open_incident()
        assert receiver.next().json()["event"]["kind"] == "incident.opened"
        page.click("tbody >> text=Remove…")
        page.click("dialog >> button:text-is('Remove')")
        page.wait_for_selector("text=Nobody is told of anything yet.")


def test_shorter_retention_asks_twice(office: Office, staff: StaffPages) -> None:
    page = open_tab(staff, office, "retention")
    page.wait_for_selector("#retention-media")
    page.fill("#retention-media", "180")
    page.click("#panel-retention >> button:text-is('Save')")
    page.wait_for_selector("dialog >> text=older than 180 days")
    assert office.admin.get("/api/v1/retention")["policy"] == {}
    page.click("dialog >> text=Set these days")
    page.wait_for_selector(".toast >> text=Saved")
    assert office.admin.get("/api/v1/retention")["policy"] == {"media": 180}
    page.click("#retention-preview")
    page.wait_for_selector("text=Nothing is over")
    page.fill("#retention-media", "")
    page.click("#panel-retention >> button:text-is('Save')")
    wait_for(lambda: office.admin.get("/api/v1/retention")["policy"] == {}, "longer needs no second step")


# Health


def test_health_counts_and_names_no_incident(office: Office, staff: StaffPages) -> None:
    incident = office.node.open_incident(type="nobody's business")
    health = office.person("supervisor").get("/api/v1/health")
    assert health["journal"]["events"] > 0 and health["media"]["threads"] == 1 and health["version"]
    assert incident not in json.dumps(health) and "nobody's business" not in json.dumps(health)
    page = open_tab(staff, office, "health")
    page.wait_for_selector("#panel-health dt:text-is('Journal write')")
    wait_for(lambda: len(page.evaluate("window.sightline?.health.history")) >= 2, "two steps of the history", 20)
    wait_for(lambda: "highest" in page.inner_text(".plot >> nth=0"), "the plot")


def test_node_that_is_gone_is_told(tmp_path: pathlib.Path, staff: StaffPages) -> None:
    with Node(tmp_path) as node:
        page = staff.open(f"{node.base}/admin?token={node.accounts['admin']['token']}#health")
        page.wait_for_selector("#panel-health dt")
        node.kill()
        wait_for(lambda: "does not answer" in page.inner_text(".bar-state"), "the news", 20)
        node.start()
        wait_for(lambda: page.inner_text(".bar-state") == "", "it is back", 20)
    staff.complaints[:] = [text for text in staff.complaints if "ERR_CONNECTION_REFUSED" not in text]


# Everybody


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
@pytest.mark.parametrize("tab", TABS)
def test_tabs_are_accessible(office: Office, staff: StaffPages, tab: str, size: dict) -> None:
    page = open_tab(staff, office, tab, size)
    wait_for(lambda: "…" not in page.inner_text(f"#panel-{tab} >> p >> nth=0"), "the panel")
    page.wait_for_load_state("networkidle")
    check_access(page, tab)


@pytest.mark.parametrize(("tab", "button"), [("accounts", "#add-account"), ("webhooks", "#add-webhook")])
def test_dialogs_are_accessible(office: Office, staff: StaffPages, tab: str, button: str) -> None:
    page = open_tab(staff, office, tab, PHONE)
    page.click(button)
    check_access(page, button)


def test_tabs_by_keyboard(office: Office, staff: StaffPages) -> None:
    page = open_tab(staff, office, "accounts")
    page.focus("#tab-accounts")
    for key, tab in (("ArrowDown", "service"), ("End", "alarms"), ("ArrowDown", "accounts"), ("ArrowUp", "alarms"), ("Home", "accounts")):
        page.keyboard.press(key)
        assert page.evaluate("[window.sightline.tab, document.activeElement.id]") == [tab, f"tab-{tab}"]
    page.keyboard.press("3")
    assert page.evaluate("window.sightline.tab") == "messages" and path_of(page).endswith("#messages")
    page.keyboard.press("1")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "account-search"


def test_text_at_twice_its_size_does_not_break(office: Office, staff: StaffPages) -> None:
    page = open_tab(staff, office, "accounts")
    page.wait_for_selector("tbody tr")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= LAPTOP["width"]
