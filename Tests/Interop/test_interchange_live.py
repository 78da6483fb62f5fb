"""A running node and other systems: network locations in, documents out, and incidents followed over NENA-STA-024."""

import contextlib
import html
import json
import pathlib
import re
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from lxml import etree
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import journal
from api import Api
from node import Node
from receivers import LOOPBACK
from validation import validate_cap, validate_cot, validate_eido, validate_pidf
from waiting import wait_for

PHONE, OTHER_PHONE = "+4915112345678", "+4915187654321"
PLACE = {"lat": 53.5503, "lon": 9.9920, "radius": 50}
#: Whatever a careless writer of XML or JSON trips over.
NASTY = "<b>\"Straße\" & 'Köln'</b> ]]> &amp; 🚑 \\ \u2028 \ufffe {{x}} %00 \t done"
NOTES = [NASTY, "two\nlines", "x" * 4_000]
ACCEPTS = 'application/emergency.eido+json; version="1"'
#: What the issue promises from a change to its notification.
AT_ONCE = 1.0


@dataclass
class Desk:
    node: Node
    operator: Api
    integration: Api

    def open(self, **facts: object) -> str:
        return self.node.open_incident(**facts)

    def add_caller(self, incident: str, phone: str, name: str = "Ada") -> str:
        body = {"role": "caller", "name": name, "phone": phone}
        return self.operator.post(f"/api/v1/incidents/{incident}/links", body)["link"]

    def happen(self, incident: str, kind: str, **payload: object) -> None:
        self.operator.post(f"/api/v1/incidents/{incident}/events", {"kind": kind, "payload": payload})

    def places(self, incident: str) -> list[dict]:
        return [each["payload"] for each in journal.read(self.operator, incident) if each["kind"] == "location"]

    def location(self, incident: str) -> dict:
        """The one place that comes; it may be written down after the request was answered."""
        place, = wait_for(lambda: self.places(incident), "the place", 3, every=0.02)
        return place

    def sms(self, text: str, sender: str = PHONE) -> dict:
        return self.integration.post("/api/v1/aml/sms", {"from": sender, "text": text})

    def form(self, **fields: object) -> dict:
        body = urllib.parse.urlencode(fields)
        return self.integration.post("/api/v1/aml", body, content_type="application/x-www-form-urlencoded")

    def close(self, incident: str) -> None:
        """So that its caller's number means nobody any more."""
        self.happen(incident, "incident.state", state="ended", outcome="handled")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Node(tmp_path_factory.mktemp("interchange")) as node:
        yield Desk(node, *(Api(node.base, node.accounts[role]["token"]) for role in ("operator", "integration")))


@pytest.fixture
def incident(desk: Desk) -> Iterator[str]:
    incident = desk.open(place=PLACE)
    yield incident
    desk.happen(incident, "incident.state", state="active")
    desk.close(incident)


# Network locations


def aml_text(**changes: object) -> str:
    """An AML message, its length said as ETSI TS 103 625 wants it."""
    fields = {
        "ML": 1, "lt": "+53.55031", "lg": "+009.99201", "rd": 14, "lc": 68, "pm": "W",
        "top": time.strftime("%Y%m%d%H%M%S", time.gmtime())} | changes
    return 'A"' + ";".join(f"{name}={value}" for name, value in fields.items())


def test_place_by_text_message_belongs_to_the_caller_of_that_number(desk: Desk, incident: str) -> None:
    desk.add_caller(incident, OTHER_PHONE, "Bob")
    ada = desk.add_caller(incident, PHONE)
    assert desk.sms(aml_text()) == {"matched": 1, "problems": []}
    place = desk.location(incident)
    assert (place["caller"], place["source"]) == (ada, "aml")
    assert (place["lat"], place["lon"], place["accuracy"], place["confidence"]) == (53.55031, 9.99201, 14, 68)


def test_place_by_https_belongs_to_the_caller_of_that_number(desk: Desk, incident: str) -> None:
    ada = desk.add_caller(incident, PHONE)
    now = int(time.time() * 1_000)
    answer = desk.form(
        device_number=PHONE, location_latitude="53.55031", location_longitude="9.99201", location_accuracy="14.5",
        location_confidence="0.68", location_time=now, location_source="GPS", location_altitude="6", v=3,
        emergency_number=112, device_imei="490154203237518", device_imsi="262011234567890")
    assert answer == {"matched": 1, "problems": []}
    place = desk.location(incident)
    assert (place["caller"], place["source"], place["altitude"]) == (ada, "aml", 6)
    assert (place["lat"], place["lon"], place["accuracy"], place["confidence"]) == (53.55031, 9.99201, 14.5, 68)
    everything = json.dumps(journal.read(desk.operator, incident))
    assert "490154203237518" not in everything and "262011234567890" not in everything


def test_json_says_the_same_as_the_form(desk: Desk, incident: str) -> None:
    desk.add_caller(incident, PHONE)
    body = {"device_number": PHONE, "location_latitude": 53.5, "location_longitude": 9.9, "location_accuracy": 20}
    assert desk.integration.post("/api/v1/aml", body)["matched"] == 1
    assert desk.location(incident)["accuracy"] == 20


@pytest.mark.parametrize("way", ["sms", "form"])
def test_place_that_comes_before_the_caller_waits_for_them(desk: Desk, incident: str, way: str) -> None:
    phone = {"sms": "+4917600000001", "form": "+4917600000002"}[way]
    if way == "sms":
        assert desk.sms(aml_text(), phone)["matched"] == 0
    else:
        fields = {"device_number": phone, "location_latitude": 53.55031, "location_longitude": 9.99201}
        assert desk.form(**fields)["matched"] == 0
    assert not desk.places(incident)
    caller = desk.add_caller(incident, phone)
    place = desk.location(incident)
    assert (place["caller"], place["source"], place["lat"]) == (caller, "aml", 53.55031)


@pytest.mark.parametrize("role", ["operator", "supervisor", "responder", "admin", "auditor"])
def test_only_integrations_report_places(desk: Desk, incident: str, role: str) -> None:
    desk.add_caller(incident, PHONE)
    person = Api(desk.node.base, desk.node.accounts[role]["token"])
    assert person.ask("POST", "/api/v1/aml/sms", {"from": PHONE, "text": aml_text()}).status == 403
    assert person.ask("POST", "/api/v1/aml", {"device_number": PHONE}).status == 403
    assert Api(desk.node.base).ask("POST", "/api/v1/aml", {"device_number": PHONE}).status == 401
    assert not desk.places(incident)


@pytest.mark.parametrize(
    "fields",
    [
        {"location_latitude": "north", "location_longitude": "9.9"}, {"location_latitude": "91", "location_longitude": "9.9"},
        {"location_latitude": "nan", "location_longitude": "inf"}, {"location_latitude": "53.5"},
        {"location_latitude": "53.5", "location_longitude": "9.9", "location_accuracy": "-3", "location_time": "yesterday"},
    ], ids=["no number", "no place on earth", "infinite", "half a place", "odd accuracy and time"])
def test_odd_report_is_answered_with_what_is_odd(desk: Desk, incident: str, fields: dict) -> None:
    desk.add_caller(incident, PHONE)
    answer = desk.form(device_number=PHONE, **fields)
    assert answer["problems"], answer
    assert len(desk.places(incident)) == answer["matched"], "what can be used is used, and nothing else"


@pytest.mark.parametrize(
    "text", ["hello", 'A"ML=1', 'A"ML=9;lt=x;lg=y;rd=N', ";;;===", aml_text(lt="+00.0", lg="+00.0")],
    ids=["words", "no place", "unknown version", "separators", "nowhere"])
def test_odd_text_message_is_answered_with_what_is_odd(desk: Desk, incident: str, text: str) -> None:
    desk.add_caller(incident, PHONE)
    answer = desk.sms(text)
    assert answer["matched"] == 0 and answer["problems"]
    assert not desk.places(incident)


# Documents


@pytest.fixture(scope="module")
def lively(desk: Desk) -> str:
    """An incident with all that there may be in one, and texts that are hard to write."""
    incident = desk.open(type=NASTY[:60], place=PLACE | {"text": NASTY})
    desk.happen(incident, "incident.state", state="active")
    desk.happen(incident, "incident.classified", priority="P1", type="<fire> & \"smoke\"")
    for number, phone in enumerate(("+4915100000001", "+4915100000002", "+4915100000003")):
        caller = desk.add_caller(incident, phone, f"{NASTY[:40]} {number}")
        desk.happen(
            incident, "location", caller=caller, source="manual", lat=53.55 + number / 100, lon=-9.9, accuracy=5 * number,
            altitude=12.5)
    operator = desk.node.accounts["operator"]["id"]
    desk.happen(incident, "assignment.added", account=operator, role="operator", name="Öperator <1>")
    for number, service in enumerate(("ems", "fire", "police")):
        desk.happen(incident, "unit.assigned", unit=f"unit-{number}", name=f"Wagen <{number}> & Söhne", service=service)
    desk.happen(incident, "unit.status", unit="unit-0", status="enroute")
    desk.happen(incident, "unit.location", unit="unit-0", lat=53.56, lon=9.98, accuracy=8, heading=90, speed=12)
    for text in NOTES:
        desk.happen(incident, "note", text=text)
    desk.happen(incident, "chat", text=NASTY)
    return incident


def document(desk: Desk, path: str, type: str) -> bytes:
    answer = desk.integration.ask("GET", path)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].split(";")[0] == type
    return answer.body


def test_eido_of_a_lively_incident_is_valid_and_tells_it_all(desk: Desk, lively: str) -> None:
    eido = json.loads(document(desk, f"/EIDO/{lively}", "application/emergency.eido+json"))
    validate_eido(eido)
    assert eido["incidentComponent"]["incidentCommonPriorityNumber"] == 9
    assert len(eido["callComponent"]) == 3 and len(eido["emergencyResourceComponent"]) == 3
    # Notes are HTML (NENA-STA-021.1 on notesActionComments).
    notes = [note["notesActionComments"] for note in eido["notesComponent"]]
    assert [html.unescape(re.sub("<br ?/?>", "\n", note)) for note in notes] == NOTES
    assert not re.search("<(?!br)", "".join(notes)), "no markup of the writer's"


def test_place_of_a_lively_incident_is_valid(desk: Desk, lively: str) -> None:
    validate_pidf(document(desk, f"/api/v1/incidents/{lively}/location.pidf", "application/pidf+xml"))


def test_alert_of_a_lively_incident_is_valid(desk: Desk, lively: str) -> None:
    alert = document(desk, f"/api/v1/incidents/{lively}/cap.xml", "application/cap+xml")
    validate_cap(alert)
    assert '<fire> & "smoke"' in "".join(etree.fromstring(alert).itertext()), "texts come out as they went in"


def test_map_objects_of_a_lively_incident_are_valid(desk: Desk, lively: str) -> None:
    events = list(etree.fromstring(document(desk, f"/api/v1/incidents/{lively}/cot.xml", "application/xml")))
    for event in events:
        validate_cot(etree.tostring(event, with_tail=False))
    callsigns = {event.find("detail/contact").get("callsign") for event in events}
    assert "Wagen <0> & Söhne" in callsigns, callsigns
    assert len({event.get("uid") for event in events}) == len(events) >= 5, "the incident, its callers, a unit"


def test_feeds_are_valid_and_have_the_open_incidents(desk: Desk, lively: str) -> None:
    alerts = document(desk, "/api/v1/feeds/cap", "application/atom+xml")
    validate_cap(alerts)
    assert lively in alerts.decode()
    events = list(etree.fromstring(document(desk, "/api/v1/feeds/cot", "application/xml")))
    for event in events:
        validate_cot(etree.tostring(event, with_tail=False))
    assert any(lively in event.get("uid") for event in events)
    ended = desk.open(place=PLACE)
    desk.happen(ended, "incident.state", state="active")
    desk.close(ended)
    assert ended not in document(desk, "/api/v1/feeds/cap", "application/atom+xml").decode()


def test_place_of_an_incident_that_has_none_is_not_found(desk: Desk) -> None:
    assert desk.integration.ask("GET", f"/api/v1/incidents/{desk.open()}/location.pidf").status == 404


@pytest.mark.parametrize("path", ["/EIDO/{}", "/api/v1/incidents/{}/location.pidf", "/api/v1/incidents/{}/cap.xml",
                                  "/api/v1/incidents/{}/cot.xml"])
def test_documents_are_for_those_who_may_export(desk: Desk, lively: str, path: str) -> None:
    path = path.format(lively)
    assert Api(desk.node.base).ask("GET", path).status == 401
    for role in ("admin", "trainer", "dispatcher"):
        person = Api(desk.node.base, desk.node.accounts[role]["token"])
        assert person.ask("GET", path).status in (403, 404), role
    caller = desk.node.make_link(lively, "caller", "Eve")
    assert Api(desk.node.base, caller.token).ask("GET", path).status == 403
    assert desk.integration.ask("GET", path.replace(lively, "26-999999")).status in (403, 404)


# NENA-STA-024


class Subscriber:
    """A conversation as a foreign system has it: requests, answers, notifications that it answers."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.waiting: list[dict] = []
        self.count = 0

    def say(self, kind: str, **body: object) -> dict:
        """Says something that is answered; the answer. Notifications that come meanwhile are kept."""
        self.count += 1
        name = f"request-{self.count}"
        self.socket.send(json.dumps({kind: {"requestId": name} | body}))
        while True:
            message = self.receive()
            if f"{kind}Response" in message:
                assert message[f"{kind}Response"]["requestId"] == name
                return message[f"{kind}Response"]
            self.waiting.append(message)

    def subscribe(self, scope: str = "new", **body: object) -> dict:
        return self.say("subscribe", requestType="EIDO", requestSubType=scope, requestAccepts=ACCEPTS, **body)

    def receive(self, seconds: float = 5) -> dict:
        return json.loads(self.socket.recv(timeout=seconds))

    def event(self, seconds: float = AT_ONCE) -> dict:
        """The next notification, checked and answered."""
        event = (self.waiting.pop(0) if self.waiting else self.receive(seconds))["event"]
        assert event["notification"]
        for eido in event["notification"]:
            validate_eido(eido)
        response = {"transactionId": event["transactionId"], "statusCode": 200, "statusText": "OK"}
        self.socket.send(json.dumps({"eventResponse": response}))
        return event

    def is_quiet(self, seconds: float = 0.6) -> bool:
        with contextlib.suppress(TimeoutError):
            self.waiting.append(self.receive(seconds))
        return not self.waiting


def address(node: Node) -> str:
    return f"ws://{LOOPBACK}:{node.port}/EIDO"


@pytest.fixture
def subscriber(desk: Desk) -> Iterator[Subscriber]:
    headers = {"Authorization": f"Bearer {desk.node.accounts['integration']['token']}"}
    with connect(address(desk.node), additional_headers=headers, proxy=None, max_size=None, close_timeout=1) as socket:
        yield Subscriber(socket)


def test_subscriber_hears_of_every_incident(desk: Desk, subscriber: Subscriber) -> None:
    answer = subscriber.subscribe(expires=60)
    assert (answer["statusCode"], answer["expires"]) == (200, 60)
    incidents = [desk.open(place=PLACE, type=NASTY[:60]) for _ in range(2)]
    heard, ids = "", set()
    while not all(incident in heard for incident in incidents):
        event = subscriber.event()
        assert event["subscriptionId"] == answer["subscriptionId"] and event["transactionId"] not in ids
        ids.add(event["transactionId"])
        heard += json.dumps(event["notification"])


def test_subscriber_hears_of_one_incident_now_and_when_it_changes(desk: Desk, subscriber: Subscriber, incident: str) -> None:
    assert subscriber.subscribe("single", incidentId=incident)["statusCode"] == 200
    first, = subscriber.event()["notification"]
    assert incident in first["$id"]
    desk.open()
    assert subscriber.is_quiet(), "other incidents are not its business"
    began = time.monotonic()
    desk.happen(incident, "note", text=NASTY)
    changed, = subscriber.event()["notification"]
    assert time.monotonic() - began < AT_ONCE
    assert changed["$id"] == first["$id"] and "Köln" in json.dumps(changed, ensure_ascii=False)
    assert not first.get("notesComponent") and len(changed["notesComponent"]) == 1


def test_incident_is_the_same_over_http_and_websocket(desk: Desk, subscriber: Subscriber, incident: str) -> None:
    """A system that fetched an EIDO follows it by the name that stands in it."""
    fetched = desk.integration.get(f"/EIDO/{incident}")
    assert subscriber.subscribe("single", incidentId=fetched["$id"])["statusCode"] == 200
    pushed, = subscriber.event()["notification"]
    assert without_times(pushed) == without_times(fetched)


def without_times(document: dict) -> str:
    """A document says when it was made."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "…", json.dumps(document, sort_keys=True))


def test_subscription_ends_when_it_is_asked_to(desk: Desk, subscriber: Subscriber, incident: str) -> None:
    subscription = subscriber.subscribe("single", incidentId=incident)["subscriptionId"]
    subscriber.event()
    answer = subscriber.say("unsubscribe", subscriptionId=subscription)
    assert (answer["statusCode"], answer["subscriptionId"]) == (200, subscription)
    desk.happen(incident, "note", text="nobody hears")
    assert subscriber.is_quiet()
    assert subscriber.say("unsubscribe", subscriptionId=subscription)["statusCode"] == 481


def test_subscription_expires_with_a_word_and_can_be_renewed(desk: Desk, subscriber: Subscriber, incident: str) -> None:
    short = subscriber.subscribe("single", incidentId=incident, expires=1)["subscriptionId"]
    subscriber.event()
    long = subscriber.subscribe("single", incidentId=incident, expires=1)["subscriptionId"]
    subscriber.event()
    renewed = subscriber.say("subscribe", subscriptionId=long, expires=60)
    assert (renewed["statusCode"], renewed["subscriptionId"], renewed["expires"]) == (200, long, 60)
    while "terminate" not in (message := subscriber.receive(3)):
        assert "event" in message
    ended = message["terminate"]
    assert ended["subscriptionId"] == short
    subscriber.socket.send(json.dumps({"terminateResponse": {"requestId": ended["requestId"], "statusCode": 200}}))
    desk.happen(incident, "note", text="who still hears")
    assert subscriber.event()["subscriptionId"] == long and subscriber.is_quiet()
    assert subscriber.say("subscribe", subscriptionId=short, expires=60)["statusCode"] == 481


def test_changes_come_no_faster_than_the_subscriber_wishes(desk: Desk, subscriber: Subscriber, incident: str) -> None:
    subscriber.subscribe("single", incidentId=incident, maxRate=2)
    subscriber.event()
    for number in range(5):
        desk.happen(incident, "note", text=str(number))
    assert subscriber.is_quiet(1.2)
    last, = subscriber.event(2)["notification"]
    assert len(last["notesComponent"]) == 5, "what it missed is in what it gets"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"subscriptionId": "nobody's"}, 481),
        ({"requestType": "EIDO", "requestSubType": "single", "requestAccepts": ACCEPTS, "incidentId": "26-999999"}, 404),
        ({"requestType": "EIDO", "requestSubType": "single", "requestAccepts": ACCEPTS}, 400),
        ({"requestType": "EIDO", "requestSubType": "all", "requestAccepts": ACCEPTS}, 400),
        ({"requestType": "CAP", "requestSubType": "new", "requestAccepts": ACCEPTS}, 400),
        ({"requestType": "EIDO", "requestSubType": "new", "requestAccepts": 'application/emergency.eido+json; version="2"'}, 406),
        ({"requestType": "EIDO", "requestSubType": "new", "requestAccepts": ACCEPTS, "expires": -1}, 400),
    ], ids=["unknown subscription", "unknown incident", "no incident", "odd scope", "odd type", "other version", "odd expiry"])
def test_request_that_cannot_be_granted_is_answered(subscriber: Subscriber, body: dict, status: int) -> None:
    assert subscriber.say("subscribe", **body)["statusCode"] == status
    assert subscriber.subscribe()["statusCode"] == 200, "the connection is still good"


@pytest.mark.parametrize(
    "garbage", ["hello", "[]", "{}", '{"dance": {}}', '{"subscribe": 7}', "{" * 200, b"\x00\xff", "x" * 20_000],
    ids=["word", "array", "nothing", "unknown", "number", "deep", "bytes", "long"])
def test_garbage_ends_its_own_connection_alone(desk: Desk, subscriber: Subscriber, incident: str, garbage: str | bytes) -> None:
    headers = {"Authorization": f"Bearer {desk.node.accounts['integration']['token']}"}
    subscriber.subscribe("single", incidentId=incident)
    subscriber.event()
    with connect(address(desk.node), additional_headers=headers, proxy=None, close_timeout=1) as hostile:
        hostile.send(garbage)
        with pytest.raises(ConnectionClosed):
            hostile.recv(timeout=3)
    desk.happen(incident, "note", text="go on")
    subscriber.event()


@pytest.mark.parametrize("token", [None, "sl_nobody"], ids=["none", "unknown"])
def test_strangers_follow_nothing(desk: Desk, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with connect(address(desk.node), additional_headers=headers, proxy=None, close_timeout=1) as socket:
        stranger = Subscriber(socket)
        with pytest.raises((ConnectionClosed, AssertionError, KeyError)):
            while True:
                assert stranger.receive(3)["kind"] == "error"
        assert (socket.close_code or 0) >= 4000


def test_caller_hears_of_no_incident(desk: Desk, incident: str) -> None:
    key = desk.node.make_link(incident, "caller", "Eve")
    with connect(f"{address(desk.node)}?token={key.token}&key=page", proxy=None, close_timeout=1) as socket:
        caller = Subscriber(socket)
        assert caller.subscribe("single", incidentId=incident)["statusCode"] == 404
        caller.subscribe()
        desk.happen(incident, "note", text="secret")
        assert caller.is_quiet()


def test_suspended_integration_hears_nothing_more(tmp_path: pathlib.Path) -> None:
    """On a node of its own: it loses its integration."""
    with Node(tmp_path) as node:
        incident, account = node.open_incident(), node.accounts["integration"]
        headers = {"Authorization": f"Bearer {account['token']}"}
        with connect(address(node), additional_headers=headers, proxy=None, close_timeout=1) as socket:
            subscriber = Subscriber(socket)
            subscriber.subscribe("single", incidentId=incident)
            subscriber.event()
            admin = Api(node.base, node.accounts["admin"]["token"])
            assert admin.ask("PATCH", f"/api/v1/accounts/{account['id']}", {"suspended": True}).status == 200
            body = {"kind": "note", "payload": {"text": "not for them"}}
            Api(node.base, node.accounts["operator"]["token"]).post(f"/api/v1/incidents/{incident}/events", body)
            with pytest.raises(ConnectionClosed):
                heard = json.loads(socket.recv(timeout=2))
                assert heard["code"] == "signInRequired", "they are told why, and nothing else"
                raise AssertionError(f"they still hear {socket.recv(timeout=2)[:400]}")
