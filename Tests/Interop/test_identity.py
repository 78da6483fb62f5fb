"""Who comes in, and who does not any more: accounts, sessions, second factors, bearer tokens and links."""

import base64
import hashlib
import hmac
import itertools
import json
import pathlib
import secrets
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import service as services
import tokens
from api import Answer, Api
from service import Account, Service
from waiting import wait_for

COOKIE = "sightline-session"
#: What DOMAIN and the issue promise: whoever has lost a right has lost what it opened within a second.
AT_ONCE = 1.0
FAILURES = 10
names = itertools.count(1)


@dataclass
class Room:
    """A running service and those of its people who need no introduction."""

    service: Service
    key: object

    @property
    def base(self) -> str:
        return self.service.base

    def person(self, role: str) -> Api:
        return Api(self.base, self.service.accounts[role].token)

    def newcomer(self, role: str = "operator", **more: str) -> Account:
        """An account of the test's own, made by the admin."""
        body = {"userName": f"someone-{next(names)}", "displayName": "Someone", "role": role, "password": secrets.token_hex(12)}
        made = self.person("admin").post("/api/v1/accounts", body | more)
        return Account(id=made["id"], userName=body["userName"], password=body["password"], token="")

    def sign_in(self, account: Account, **more: str) -> Answer:
        body = {"userName": account.userName, "password": account.password} | more
        return Api(self.base).ask("POST", "/api/v1/sign-in", body)

    def browser(self, account: Account, **more: str) -> "Browser":
        return Browser(self.base, self.sign_in(account, **more))

    def open_incident(self) -> str:
        return self.person("operator").post("/api/v1/incidents", {"priority": "P2"})["id"]

    def link(self, incident: str, role: str = "caller") -> dict:
        return self.person("operator").post(f"/api/v1/incidents/{incident}/links", {"role": role})


class Browser(Api):
    """A signed-in page: it sends the session's cookie, and repeats the CSRF token unless it is a forged one."""

    def __init__(self, base: str, answer: Answer) -> None:
        assert answer.status == 200, answer
        self.secret = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value
        self.csrf = answer.json["csrfToken"]
        super().__init__(base, None, Cookie=f"other=1; {COOKIE}={self.secret}")
        self.origin = base

    def change(self, method: str, path: str, body: object = None) -> Answer:
        return self.ask(method, path, body, X_CSRF_Token=self.csrf)

    def line(self) -> "Line":
        return Line(self.origin, headers={"Cookie": f"{COOKIE}={self.secret}"}, origin=self.origin)


class Line:
    """One WebSocket: the first message, and how it ends."""

    def __init__(
        self, base: str, token: str | None = None, key: str | None = None, *, headers: dict | None = None,
        origin: str | None = None,
    ) -> None:
        parts = {"token": token, "key": key}
        query = "&".join(f"{name}={value}" for name, value in parts.items() if value)
        self.connection: ClientConnection = connect(
            base.replace("http", "ws", 1) + f"/ws?{query}", subprotocols=["sightline.v1"], additional_headers=headers,
            origin=origin, proxy=None, legacy=True)
        self.first = json.loads(self.connection.recv(timeout=5))

    @property
    def code(self) -> str | None:
        """Why it was refused; None when it was not."""
        return self.first.get("code")

    def ends_after(self, change: Callable[[], Answer]) -> tuple[float, str | None]:
        """Seconds from a change to the end, and the last error that was told before."""
        started = time.monotonic()
        answer = change()
        assert answer.status < 300, answer
        return self.end() - started, self.error

    def end(self, seconds: float = 5) -> float:
        """When it ended."""
        self.error: str | None = None
        deadline = time.monotonic() + seconds
        try:
            while True:
                message = json.loads(self.connection.recv(timeout=max(0.01, deadline - time.monotonic())))
                if message["kind"] == "error":
                    self.error = message["code"]
        except ConnectionClosed:
            return time.monotonic()
        except TimeoutError:
            raise AssertionError(f"the WebSocket is still open after {seconds:g} s") from None

    def is_open(self) -> bool:
        """Whether it answers."""
        try:
            self.connection.send(json.dumps({"v": 1, "kind": "ping", "id": "are-you-there"}))
            while json.loads(self.connection.recv(timeout=5))["kind"] != "pong":
                pass
        except ConnectionClosed:
            return False
        return True

    def close(self) -> None:
        self.connection.close()


def run(folder: pathlib.Path) -> Iterator[Room]:
    service = services.start(folder, "--no-caller")
    yield Room(service, tokens.load_key(folder))
    assert service.stop() == 0, "the service ends cleanly on SIGTERM"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    yield from run(tmp_path_factory.mktemp("identity"))


@pytest.fixture
def door(tmp_path: pathlib.Path) -> Iterator[Room]:
    """A room at whose door nobody has been refused yet: those who were too often are told to wait, and no longer why."""
    yield from run(tmp_path)


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer
    assert len(answer.json["detail"]) >= 20, "the reason is in words"


# Signing in


def test_sign_in_gives_a_cookie_that_scripts_cannot_read(room: Room) -> None:
    account = room.newcomer()
    answer = room.sign_in(account)
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert cookie["httponly"] and cookie["samesite"].lower() == "strict" and cookie["path"] == "/"
    assert not cookie["max-age"] and not cookie["expires"], "it is for as long as the browser runs"
    assert len(cookie.value) >= 43, "256 bits"
    assert cookie.value not in answer.body.decode()
    assert account.password not in answer.body.decode()
    me = Browser(room.base, answer).get("/api/v1/me")
    assert (me["id"], me["role"]) == (account.id, "operator")
    assert me["csrfToken"] == answer.json["csrfToken"], "a page that was loaded anew finds it"


def test_every_sign_in_is_a_session_of_its_own(room: Room) -> None:
    account = room.newcomer()
    one, other = room.browser(account), room.browser(account)
    assert one.secret != other.secret and one.csrf != other.csrf
    assert one.change("POST", "/api/v1/sign-out").status == 204
    refused(one.ask("GET", "/api/v1/me"), 401, "signInRequired")
    assert other.ask("GET", "/api/v1/me").status == 200


def test_wrong_name_and_wrong_password_look_the_same(room: Room) -> None:
    account = room.newcomer()
    wrong = room.sign_in(account, password=account.password[:-1] + "X")
    unknown = room.sign_in(account, userName="nobody-of-that-name")
    for answer in (wrong, unknown):
        refused(answer, 401, "badCredentials")
        assert "Set-Cookie" not in answer.headers
    assert wrong.body == unknown.body


def test_changes_need_the_csrf_token(room: Room) -> None:
    account = room.newcomer()
    page, other = room.browser(account), room.browser(account)
    path, body = "/api/v1/incidents", {"priority": "P4"}
    refused(page.ask("POST", path, body), 403, "csrf")
    refused(page.ask("POST", path, body, X_CSRF_Token="x"), 403, "csrf")
    refused(page.ask("POST", path, body, X_CSRF_Token=other.csrf), 403, "csrf")
    assert page.ask("GET", path).status == 200, "looking needs none"
    assert page.change("POST", path, body).status == 201


def test_foreign_page_cannot_use_the_cookie(room: Room) -> None:
    page = room.browser(room.newcomer())
    line = page.line()
    assert line.first["kind"] == "welcome"
    line.close()
    with pytest.raises(Exception, match="403"):
        Line(room.base, headers={"Cookie": f"{COOKIE}={page.secret}"}, origin="https://elsewhere.example")
    without_origin = Line(room.base, headers={"Cookie": f"{COOKIE}={page.secret}", "Content-Type": "x"}, token="-")
    assert without_origin.code == "invalidToken", "whoever shows a token means it"


def test_guesser_is_locked_out(room: Room) -> None:
    account, neighbour = room.newcomer(), room.newcomer()
    for _ in range(FAILURES - 1):
        refused(room.sign_in(account, password="not the password"), 401, "badCredentials")
    last = room.sign_in(account, password="not the password")
    refused(last, 429, "lockedOut")
    right = room.sign_in(account)
    refused(right, 429, "lockedOut")
    for answer in (last, right):
        assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert room.sign_in(neighbour).status == 200, "others are not locked out"


def test_sign_ins_are_in_the_audit(room: Room) -> None:
    account = room.newcomer()
    room.sign_in(account, password="not the password")
    room.browser(account).change("POST", "/api/v1/sign-out")
    answer = room.person("auditor").ask("GET", "/api/v1/audit?limit=1000")
    events = [event["payload"] for event in answer.json["events"] if event["kind"] == "audit.signIn"]
    assert [each["result"] for each in events if each["userName"] == account.userName] == ["refused", "signedIn", "signedOut"]
    assert account.password not in answer.body.decode() and "not the password" not in answer.body.decode()


def test_resting_session_is_locked_and_unlocked(room: Room) -> None:
    account = room.newcomer()
    page = room.browser(account)
    assert page.change("POST", "/api/v1/lock").status == 204
    refused(page.ask("GET", "/api/v1/me"), 423, "sessionLocked")
    refused(page.ask("POST", "/api/v1/unlock", {"password": "not the password"}), 401, "badCredentials")
    answer = page.ask("POST", "/api/v1/unlock", {"password": account.password})
    assert answer.status == 200 and answer.json["csrfToken"]
    assert page.ask("GET", "/api/v1/me").status == 200


# The second factor, with a calculator of our own (RFC 4226, RFC 6238)


def one_time_password(key: bytes, step: int, digits: int = 6) -> str:
    digest = hmac.digest(key, struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"), (20000000000, "65353130")])
def test_calculator_agrees_with_the_standard(seconds: int, expected: str) -> None:
    """RFC 6238, appendix B."""
    assert one_time_password(b"12345678901234567890", seconds // 30, 8) == expected


def begin_factor(page: Browser, account: Account) -> bytes:
    answer = page.change("POST", "/api/v1/me/second-factor", {"password": account.password})
    assert answer.status == 200, answer
    assert f"secret={answer.json['secret']}" in answer.json["address"]
    return base64.b32decode(answer.json["secret"])


def test_second_factor(room: Room) -> None:
    account = room.newcomer()
    page = room.browser(account)
    refused(page.change("POST", "/api/v1/me/second-factor", {"password": "wrong"}), 401, "badCredentials")
    key = begin_factor(page, account)
    assert room.sign_in(account).status == 200, "it does not count before a code was shown"
    # A code is good in the step before and after its own as well, so that none of this depends on when it runs.
    step = int(time.time()) // 30
    confirm = lambda code: page.change("POST", "/api/v1/me/second-factor/confirm", {"code": code})  # noqa: E731
    refused(confirm(one_time_password(key, step - 10)), 401, "badCredentials")
    used = one_time_password(key, step)
    assert confirm(used).status == 204
    refused(room.sign_in(account), 401, "codeRequired")
    refused(room.sign_in(account, code="000000"), 401, "badCredentials")
    refused(room.sign_in(account, code=used), 401, "badCredentials")
    code = one_time_password(key, step + 1)
    refused(room.sign_in(account, code=code, password="wrong"), 401, "badCredentials")
    assert room.sign_in(account, code=code).status == 200
    refused(room.sign_in(account, code=code), 401, "badCredentials")


def test_second_factor_is_taken_off_by_the_admin(room: Room) -> None:
    account = room.newcomer()
    page = room.browser(account)
    key = begin_factor(page, account)
    code = one_time_password(key, int(time.time()) // 30)
    assert page.change("POST", "/api/v1/me/second-factor/confirm", {"code": code}).status == 204
    refused(room.sign_in(account), 401, "codeRequired")
    answer = room.person("admin").ask("PATCH", f"/api/v1/accounts/{account.id}", {"removeSecondFactor": True})
    assert answer.status == 200 and answer.json["secondFactor"] is False
    assert room.sign_in(account).status == 200


# Losing a right


def make_token(page: Browser) -> dict:
    answer = page.change("POST", "/api/v1/me/tokens", {"name": "a script"})
    assert answer.status == 201 and answer.json["secret"].startswith("sl_")
    return answer.json


def test_suspended_account_is_out_at_once(room: Room) -> None:
    account = room.newcomer()
    page = room.browser(account)
    token = make_token(page)["secret"]
    lines = [page.line(), Line(room.base, token)]
    assert [line.first["kind"] for line in lines] == ["welcome", "welcome"]
    admin, path = room.person("admin"), f"/api/v1/accounts/{account.id}"
    seconds, code = lines[0].ends_after(lambda: admin.ask("PATCH", path, {"suspended": True}))
    assert seconds < AT_ONCE and code == "signInRequired"
    assert lines[1].end(0.5), "the token's WebSocket ends as well"
    refused(page.ask("GET", "/api/v1/me"), 401, "signInRequired")
    assert Api(room.base, token).ask("GET", "/api/v1/me").status == 401
    refused(room.sign_in(account), 401, "badCredentials")
    assert admin.ask("PATCH", path, {"suspended": False}).status == 200
    assert room.sign_in(account).status == 200
    assert page.ask("GET", "/api/v1/me").status == 401, "what was ended stays ended"
    assert Api(room.base, token).ask("GET", "/api/v1/me").status == 401


def test_new_password_ends_other_sessions(room: Room) -> None:
    account = room.newcomer()
    page, elsewhere = room.browser(account), room.browser(account)
    line, new = elsewhere.line(), secrets.token_hex(12)
    refused(page.change("POST", "/api/v1/me/password", {"present": "wrong", "new": new}), 401, "badCredentials")
    refused(page.change("POST", "/api/v1/me/password", {"present": account.password, "new": "short"}), 400, "badPayload")
    change = {"present": account.password, "new": new}
    seconds, _ = line.ends_after(lambda: page.change("POST", "/api/v1/me/password", change))
    assert seconds < AT_ONCE
    refused(elsewhere.ask("GET", "/api/v1/me"), 401, "signInRequired")
    refused(room.sign_in(account), 401, "badCredentials")
    assert room.sign_in(account, password=new).status == 200


def test_changed_role_counts_at_once(room: Room) -> None:
    account = room.newcomer()
    page = room.browser(account)
    assert page.change("POST", "/api/v1/incidents", {"priority": "P4"}).status == 201
    line = page.line()
    admin = room.person("admin")
    seconds, _ = line.ends_after(lambda: admin.ask("PATCH", f"/api/v1/accounts/{account.id}", {"role": "auditor"}))
    assert seconds < AT_ONCE
    refused(page.change("POST", "/api/v1/incidents", {"priority": "P4"}), 403, "forbidden")


def test_revoked_token_is_worthless_at_once(room: Room) -> None:
    page = room.browser(room.newcomer())
    kept, revoked = make_token(page), make_token(page)
    listed = page.get("/api/v1/me/tokens")["tokens"]
    assert {each["id"] for each in listed} == {kept["id"], revoked["id"]} and not any("secret" in each for each in listed)
    line, other = Line(room.base, revoked["secret"]), Line(room.base, kept["secret"])
    seconds, _ = line.ends_after(lambda: page.change("DELETE", f"/api/v1/me/tokens/{revoked['id']}"))
    assert seconds < AT_ONCE
    assert Api(room.base, revoked["secret"]).ask("GET", "/api/v1/me").status == 401
    assert Api(room.base, kept["secret"]).ask("GET", "/api/v1/me").status == 200
    assert other.is_open(), "what another token opened goes on"


def test_sign_out_ends_the_websocket(room: Room) -> None:
    account = room.newcomer()
    page, elsewhere = room.browser(account), room.browser(account)
    line, other = page.line(), elsewhere.line()
    seconds, _ = line.ends_after(lambda: page.change("POST", "/api/v1/sign-out"))
    assert seconds < AT_ONCE
    assert other.is_open(), "what another session opened goes on"


def test_token_of_somebody_else_cannot_be_revoked(room: Room) -> None:
    owner, stranger = room.browser(room.newcomer()), room.browser(room.newcomer())
    token = make_token(owner)
    assert stranger.change("DELETE", f"/api/v1/me/tokens/{token['id']}").status == 404
    assert Api(room.base, token["secret"]).ask("GET", "/api/v1/me").status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("password", "short"), ("userName", "a b"), ("userName", "ab"), ("role", "caller"), ("role", "king"), ("displayName", "")])
def test_impossible_account_is_explained(room: Room, field: str, value: str) -> None:
    body = {"userName": f"new-{next(names)}", "displayName": "New", "role": "operator", "password": secrets.token_hex(12)}
    refused(room.person("admin").ask("POST", "/api/v1/accounts", body | {field: value}), 400, "badPayload")


def test_name_is_taken_once(room: Room) -> None:
    account = room.newcomer()
    body = {"userName": account.userName.upper(), "displayName": "New", "role": "operator", "password": secrets.token_hex(12)}
    answer = room.person("admin").ask("POST", "/api/v1/accounts", body)
    assert answer.status in (400, 409), answer


# Links


def test_callers_link_is_for_one_page(door: Room) -> None:
    link = door.link(door.open_incident())
    first = Line(door.base, link["token"], "page-1")
    assert first.first["kind"] == "welcome" and first.first["actor"] == link["link"]
    assert Line(door.base, link["token"], "page-2").code == "linkUsed"
    assert Line(door.base, link["token"]).code == "linkUsed", "nor for one without a key"
    second = Line(door.base, link["token"], "page-1")
    assert second.first["kind"] == "welcome", "the page may be loaded anew"
    offer = (services.ROOT / "fixtures/sdp/chromium-sendonly.sdp").read_text()
    publish = lambda key: Api(door.base, link["token"]).ask(  # noqa: E731
        "POST", f"/whip/{second.first['incident']}", offer, content_type="application/sdp", Sightline_Key=key)
    refused(publish("page-2"), 401, "linkUsed")
    assert publish("page-1").status == 201
    assert first.is_open(), "who was refused has harmed nobody"


def test_expired_link_opens_nothing(door: Room) -> None:
    incident, now = door.open_incident(), int(time.time())
    token = tokens.sign(door.key, incident=incident, kind="caller", iat=now - 1000, exp=now - 100)
    assert Line(door.base, token, "page").code == "expiredToken"
    answer = Api(door.base, token).ask("GET", f"/api/v1/incidents/{incident}")
    refused(answer, 401, "expiredToken")


def test_call_outlives_its_link_and_a_look_does_not(door: Room) -> None:
    incident, expires = door.open_incident(), int(time.time()) + 2
    call, unopened, look = (
        tokens.sign(door.key, incident=incident, kind=kind, exp=expires, sub=f"{name}-{expires}")
        for name, kind in (("call", "caller"), ("unopened", "caller"), ("look", "guest")))
    caller, guest = Line(door.base, call, "page"), Line(door.base, look)
    assert caller.first["kind"] == guest.first["kind"] == "welcome"
    assert guest.end() - time.monotonic() + time.time() < expires + AT_ONCE
    assert guest.error == "linkExpired"
    assert Line(door.base, unopened, "page").code in ("expiredToken", "linkExpired")
    assert Line(door.base, look).code in ("expiredToken", "linkExpired")
    assert caller.is_open()
    assert Line(door.base, call, "page").first["kind"] == "welcome", "a reload goes on"
    assert Line(door.base, call, "other").code == "linkUsed"


@pytest.mark.parametrize("role", ["caller", "guest"])
def test_revoked_link_is_worthless_at_once(door: Room, role: str) -> None:
    incident = door.open_incident()
    link, other = door.link(incident, role), door.link(incident, role)
    line, neighbour = Line(door.base, link["token"], "page"), Line(door.base, other["token"], "page")
    operator = door.person("operator")
    seconds, code = line.ends_after(lambda: operator.ask("DELETE", f"/api/v1/incidents/{incident}/links/{link['link']}"))
    assert seconds < AT_ONCE and code == "linkRevoked"
    assert Line(door.base, link["token"], "page").code == "linkRevoked"
    refused(Api(door.base, link["token"]).ask("GET", f"/api/v1/incidents/{incident}"), 401, "linkRevoked")
    assert neighbour.is_open()


def test_unopened_link_can_be_revoked(door: Room) -> None:
    incident = door.open_incident()
    link = door.link(incident)
    path = f"/api/v1/incidents/{incident}/links/{link['link']}"
    assert door.person("operator").ask("DELETE", path).status == 204
    assert Line(door.base, link["token"], "page").code == "linkRevoked"


def test_call_that_is_over_needs_a_new_link(door: Room) -> None:
    incident = door.open_incident()
    link = door.link(incident)
    line = Line(door.base, link["token"], "page")
    message = {"kind": "caller.stage", "incident": incident, "payload": {"caller": link["link"], "stage": "ended"}}
    line.connection.send(json.dumps({"v": 1, "id": "end"} | message))
    ended = lambda: Line(door.base, link["token"], "page").code == "linkEnded"  # noqa: E731
    wait_for(ended, "the link opens nothing any more", AT_ONCE)
    assert Line(door.base, door.link(incident)["token"], "page").first["kind"] == "welcome"


def test_link_is_for_its_incident_only(door: Room) -> None:
    incident, other = door.open_incident(), door.open_incident()
    link = door.link(incident, "guest")
    guest = Api(door.base, link["token"])
    assert guest.ask("GET", f"/api/v1/incidents/{incident}").status == 200
    assert guest.ask("GET", f"/api/v1/incidents/{other}").status == 404
    path = f"/api/v1/incidents/{other}/links/{link['link']}"
    assert door.person("operator").ask("DELETE", path).status == 404, "nor can it be withdrawn from elsewhere"
    assert guest.ask("GET", f"/api/v1/incidents/{incident}").status == 200


def test_stranger_is_slowed_down_and_harms_nobody(door: Room) -> None:
    incident = door.open_incident()
    link = door.link(incident, "guest")
    codes = [Api(door.base, "nonsense").ask("GET", "/api/v1/me").code for _ in range(30)]
    assert codes == ["invalidToken"] * 20 + ["tooManyFailures"] * 10
    answer = Api(door.base, "nonsense").ask("GET", "/api/v1/me")
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= 60
    assert Line(door.base, "nonsense").code == "tooManyFailures"
    assert Line(door.base, link["token"]).first["kind"] == "welcome", "a good link passes all the same"
