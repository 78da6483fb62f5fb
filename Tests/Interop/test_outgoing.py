"""Links by text message, mail and QR code, and webhooks: against receivers that are not the server's own."""

import contextlib
import json
import pathlib
import re
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

import journal
from api import Api
from node import Node, free_port
from receivers import Answer, HTTPReceiver, MailReceiver, Request, http_receiver, is_signed, mail_receiver
from waiting import wait_for

PHONE, MASKED_PHONE = "+4915112345678", "+49…78"
EMAIL, MASKED_EMAIL = "ada.lovelace@example.org", "a…@example.org"
SECRET = "a secret of sender and receiver"
LINK = re.compile(r"http://\S+/call/\S+\?token=\S+")


def provider_settings(url: str) -> dict:
    """A provider that Sightline does not know, in its general form."""
    parts = {"number": "{{to}}", "words": "{{text}}", "name": "{{reference}}", "reportTo": "{{receiptURL}}"}
    return {
        "provider": "generic", "url": f"{url}/messages?from={{{{from}}}}", "from": "Leitstelle & Söhne", "secret": "s3cret",
        "headers": {"Content-Type": "application/json", "X-Key": "{{secret}}"}, "body": json.dumps(parts),
        "referencePath": "message.id", "receipt": {"reference": "message.id", "state": "message.state", "detail": "why"},
    }


@dataclass
class Desk:
    """A node with a provider and a mail server, its operator, and what must not stand in the node's log."""

    node: Node
    provider: HTTPReceiver
    mailbox: MailReceiver
    operator: Api
    secrets: set[str] = field(default_factory=lambda: {PHONE, PHONE[1:], EMAIL, EMAIL.partition("@")[0]})

    def invite(self, **more: object) -> tuple[str, dict]:
        """A new incident with a link for its caller; the incident and the answer."""
        incident = self.node.open_incident()
        link = self.operator.post(f"/api/v1/incidents/{incident}/links", {"role": "caller", "name": "Ada"} | more)
        self.secrets |= {link["token"], link["token"].split(".")[-1]}
        return incident, link

    def told(self, incident: str, kind: str | None = None) -> list[tuple[str, dict]]:
        """Kind and payload of what the journal says after the opening."""
        events = journal.read(self.operator, incident)
        return [(each["kind"], each["payload"]) for each in events[1:] if kind in (None, each["kind"])]

    def deliveries(self, incident: str) -> list[str]:
        return [payload["state"] for _, payload in self.told(incident, "link.delivery")]

    def stages(self, incident: str) -> list[tuple[str, str | None]]:
        return [(payload["stage"], payload.get("reason")) for _, payload in self.told(incident, "caller.stage")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all; at its end nothing that is secret stands in the log."""
    data = tmp_path_factory.mktemp("desk")
    with http_receiver() as provider, mail_receiver() as mailbox:
        (data / "sms.json").write_text(json.dumps(provider_settings(provider.url)))
        (data / "mail.json").write_text(
            json.dumps({"host": "127.0.0.1", "port": mailbox.port, "from": "video@leitstelle.example"}))
        names = message_names()
        provider.answer = lambda request: Answer.of_json(201, {"message": {"id": next(names)}})
        options = ("--sms-gateway", str(data / "sms.json"), "--mail-server", str(data / "mail.json"))
        with Node(data, options) as node, Api(node.base, node.accounts["operator"]["token"]) as operator:
            desk = Desk(node, provider, mailbox, operator)
            yield desk
        log = (data / "service.log").read_text()
        assert not [secret for secret in desk.secrets if secret in log]


def message_names() -> Iterator[str]:
    """The provider's names for messages."""
    number = 0
    while True:
        number += 1
        yield f"message-{number}"


def open_page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        assert response.status == 200 and response.headers.get_content_type() == "text/html"
        return response.read().decode()


# Text messages


def test_link_goes_out_as_text_message_and_its_stages_are_told(desk: Desk) -> None:
    incident, link = desk.invite(phone=PHONE, send="sms")
    request = desk.provider.next()
    message = request.json()
    assert request.headers["x-key"] == "s3cret"
    assert request.query() == {"from": "Leitstelle & Söhne"}
    assert message["number"] == PHONE
    assert LINK.findall(message["words"]) == [link["url"]]
    assert "caller" in open_page(link["url"])
    reference = link["sent"]["reference"]
    assert link["sent"] == {"by": "sms", "state": "accepted", "reference": reference}
    told = desk.told(incident)
    assert [kind for kind, _ in told] == ["caller.added", "link.created", "link.sent", "caller.stage", "link.delivery"]
    by_kind = dict(told)
    assert by_kind["link.sent"] == {"link": link["link"], "by": "sms", "to": MASKED_PHONE, "reference": reference}
    assert by_kind["link.delivery"] == {"link": link["link"], "state": "accepted"}
    assert by_kind["caller.stage"] == {"caller": link["link"], "stage": "linkSent"}


@pytest.mark.parametrize("state", ["delivered", "failed"])
def test_receipt_tells_what_became_of_the_message(desk: Desk, state: str) -> None:
    incident, link = desk.invite(phone=PHONE, send="sms")
    receipts = desk.provider.next().json()["reportTo"]
    assert receipts.startswith(f"{desk.node.base}/api/v1/sms/receipts/")
    provider = Api(desk.node.base)
    receipt = {"message": {"id": link["sent"]["reference"], "state": state}, "why": "code 7"}
    assert provider.post(receipts.removeprefix(desk.node.base), receipt) == {"known": True}
    assert desk.deliveries(incident) == ["accepted", state]
    assert "code 7" in desk.told(incident, "link.delivery")[-1][1]["detail"]


def test_receipt_of_a_failure_is_the_callers_stage_too(desk: Desk) -> None:
    incident, link = desk.invite(phone=PHONE, send="sms")
    receipts = desk.provider.next().json()["reportTo"].removeprefix(desk.node.base)
    Api(desk.node.base).post(receipts, {"message": {"id": link["sent"]["reference"], "state": "failed"}})
    assert desk.stages(incident) == [("linkSent", None), ("failed", "linkNotReceived")]


def test_receipts_of_strangers_change_nothing(desk: Desk) -> None:
    incident, link = desk.invite(phone=PHONE, send="sms")
    receipts = desk.provider.next().json()["reportTo"].removeprefix(desk.node.base)
    stranger = Api(desk.node.base)
    receipt = {"message": {"id": link["sent"]["reference"], "state": "delivered"}}
    guessed = receipts[:-1] + ("0" if receipts[-1] != "0" else "1")
    for path in (guessed, receipts.rpartition("/")[0] + "/", receipts + "0"):
        assert stranger.ask("POST", path, receipt).status == 404, path
    assert stranger.post(receipts, {"message": {"id": "nobody's", "state": "delivered"}}) == {"known": False}
    assert stranger.ask("POST", receipts, b"\xff\xfe{", content_type="application/json").status == 400
    assert desk.deliveries(incident) == ["accepted"]


def test_provider_that_refuses_is_told_at_once(desk: Desk) -> None:
    desk.provider.fail(1, 503)
    incident, link = desk.invite(phone=PHONE, send="sms")
    desk.provider.next()
    assert (link["sent"]["by"], link["sent"]["state"]) == ("sms", "failed") and "503" in link["sent"]["detail"]
    assert desk.deliveries(incident) == ["failed"]
    assert desk.stages(incident) == [("failed", "linkNotReceived")]
    assert not desk.told(incident, "link.sent")
    assert "caller" in open_page(link["url"]), "the link is good, and can be shown"


# Mail, QR code


def test_link_goes_out_as_mail(desk: Desk) -> None:
    incident, link = desk.invite(email=EMAIL, send="email")
    mail = desk.mailbox.next()
    assert (mail.sender, mail.recipients) == ("video@leitstelle.example", [EMAIL])
    assert LINK.findall(mail.text) == [link["url"]]
    assert (link["sent"]["by"], link["sent"]["state"]) == ("email", "accepted")
    assert [(sent["by"], sent["to"]) for _, sent in desk.told(incident, "link.sent")] == [("email", MASKED_EMAIL)]
    assert desk.stages(incident) == [("linkSent", None)] and desk.deliveries(incident) == ["accepted"]


def test_mail_that_is_refused_is_told_at_once(desk: Desk) -> None:
    desk.mailbox.refusals["nobody@example.org"] = "550 5.1.1 unknown"
    incident, link = desk.invite(email="nobody@example.org", send="email")
    assert link["sent"]["state"] == "failed"
    assert desk.stages(incident) == [("failed", "linkNotReceived")] and desk.deliveries(incident) == ["failed"]


def test_shown_link_is_in_the_code_to_scan(desk: Desk, tmp_path: pathlib.Path) -> None:
    incident, link = desk.invite(send="shown")
    (tmp_path / "code.svg").write_text(link["qr"])
    picture = tmp_path / "code.png"
    subprocess.run(
        ["rsvg-convert", "--width", "600", "--background-color", "white", "-o", picture, tmp_path / "code.svg"], check=True)
    scan = subprocess.run(["zbarimg", "--quiet", "--raw", picture], check=True, capture_output=True, text=True)
    assert scan.stdout.removesuffix("\n") == link["url"]
    assert [sent["by"] for _, sent in desk.told(incident, "link.sent")] == ["shown"]
    assert desk.stages(incident) == [("linkSent", None)]


@pytest.mark.parametrize(
    "wish", [{"send": "sms"}, {"send": "email"}, {"send": "pigeon"}, {"send": "sms", "phone": "0151 1234567"}],
    ids=["no number", "no address", "unknown way", "number without country"])
def test_link_that_cannot_be_addressed_is_not_made(desk: Desk, wish: dict) -> None:
    incident = desk.node.open_incident()
    answer = desk.operator.ask("POST", f"/api/v1/incidents/{incident}/links", {"role": "caller"} | wish)
    assert (answer.status, answer.code) == (400, "badPayload"), answer.body
    assert not desk.told(incident)


def test_node_without_gateways_says_so_and_still_makes_the_link(tmp_path: pathlib.Path) -> None:
    with Node(tmp_path) as node, Api(node.base, node.accounts["operator"]["token"]) as operator:
        for wish, word in (({"send": "sms", "phone": PHONE}, "SMS gateway"), ({"send": "email", "email": EMAIL}, "mail")):
            incident = node.open_incident()
            link = operator.post(f"/api/v1/incidents/{incident}/links", {"role": "caller"} | wish)
            assert link["sent"]["state"] == "failed" and word in link["sent"]["detail"]
            assert "caller" in open_page(link["url"])
            reasons = [each["payload"].get("reason") for each in journal.read(operator, incident)]
            assert "linkNotReceived" in reasons


# Webhooks


@dataclass
class Sender:
    """A node with webhooks, and the people that the tests need."""

    node: Node
    admin: Api
    operator: Api

    def add(self, receiver: HTTPReceiver | str, **more: object) -> str:
        """Adds a webhook; its id."""
        url = receiver if isinstance(receiver, str) else receiver.url
        return self.admin.post("/api/v1/webhooks", {"url": f"{url}/events", "secret": SECRET} | more)["id"]

    def remove(self, webhook: str) -> None:
        assert self.admin.ask("DELETE", f"/api/v1/webhooks/{webhook}").status == 204

    def note(self, incident: str, text: str) -> int:
        """Something that happens; its event's number."""
        return self.operator.post(f"/api/v1/incidents/{incident}/events", {"kind": "note", "payload": {"text": text}})["number"]

    def pending(self, webhook: str) -> int:
        return next(each["pending"] for each in self.admin.get("/api/v1/webhooks")["webhooks"] if each["id"] == webhook)

    def dead_letters(self, webhook: str) -> list[dict]:
        letters = self.admin.get("/api/v1/webhooks/dead-letters")["deadLetters"]
        return [letter for letter in letters if letter["webhook"] == webhook]


@contextlib.contextmanager
def sender_on(node: Node) -> Iterator[Sender]:
    with Api(node.base, node.accounts["admin"]["token"]) as admin, Api(node.base, node.accounts["operator"]["token"]) as operator:
        yield Sender(node, admin, operator)


@pytest.fixture(scope="module")
def webhook_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("webhooks")) as node:
        yield node


@pytest.fixture
def sender(webhook_node: Node) -> Iterator[Sender]:
    with sender_on(webhook_node) as sender:
        yield sender
        for webhook in sender.admin.get("/api/v1/webhooks")["webhooks"]:
            sender.remove(webhook["id"])


def events(requests: list[Request], incident: str) -> list[dict]:
    """The events of an incident in the order in which they came."""
    return [event for request in requests if (event := request.json()["event"])["incident"] == incident]


def deliveries(requests: list[Request]) -> list[str]:
    return [request.headers["sightline-delivery"] for request in requests]


def test_events_come_signed_whole_and_in_order(sender: Sender) -> None:
    with http_receiver() as receiver:
        webhook = sender.add(receiver)
        incidents = [sender.node.open_incident(type="Übung <1>") for _ in range(3)]
        for number in range(8):
            for incident in incidents:
                sender.note(incident, f"{number}: \"Brücke\" & 🚒\u2028")
        requests = receiver.wait(3 * 9)
        for request in requests:
            assert request.method == "POST" and request.headers["content-type"] == "application/json"
            assert request.headers["sightline-webhook-id"] == webhook
            assert is_signed(request, SECRET) and not is_signed(request, SECRET + "x")
        assert len(set(deliveries(requests))) == 27
        for incident in incidents:
            heard = events(requests, incident)
            journal.check_chain(heard)
            assert heard == journal.read(sender.operator, incident)
        wait_for(lambda: sender.pending(webhook) == 0, "nothing waits", 2)


def test_receiver_gets_the_kinds_that_it_asked_for(sender: Sender) -> None:
    with http_receiver() as receiver:
        sender.add(receiver, kinds=["incident.classified"])
        incident = sender.node.open_incident()
        sender.note(incident, "not this")
        body = {"kind": "incident.classified", "payload": {"priority": "P1"}}
        sender.operator.post(f"/api/v1/incidents/{incident}/events", body)
        assert receiver.next().json()["event"]["payload"]["priority"] == "P1"
        assert len(receiver.requests) == 1


def test_removed_webhook_gets_nothing_more(sender: Sender) -> None:
    with http_receiver() as removed, http_receiver() as kept:
        webhook = sender.add(removed)
        sender.add(kept)
        sender.remove(webhook)
        sender.node.open_incident()
        kept.next()
        assert not removed.requests
        assert sender.admin.ask("DELETE", f"/api/v1/webhooks/{webhook}").status == 404


@pytest.mark.parametrize("role", ["operator", "supervisor", "integration"])
def test_only_admins_see_and_change_webhooks(sender: Sender, role: str) -> None:
    person = Api(sender.node.base, sender.node.accounts[role]["token"])
    webhook = {"url": "http://127.0.0.1:9/", "secret": SECRET}
    for method, path, body in (
        ("GET", "", None), ("POST", "", webhook), ("GET", "/dead-letters", None), ("DELETE", "/w-1", None),
        ("POST", "/dead-letters/retry", {"key": "w-1/26-000001/1"}),
    ):
        assert person.ask(method, f"/api/v1/webhooks{path}", body).status == 403, (method, path)


def test_secret_is_never_told_again(sender: Sender) -> None:
    sender.add("http://127.0.0.1:9")
    assert SECRET not in sender.admin.ask("GET", "/api/v1/webhooks").body.decode()


def test_receivers_in_trouble_get_everything_in_the_end(sender: Sender) -> None:
    """One answers 500 twice, one refuses with 400 until it is mended; side by side, because the pauses take seconds."""
    with http_receiver() as stumbling, http_receiver() as refusing:
        stumbling.fail(2)
        refusing.fail(3, 400)
        stumbler, refuser = sender.add(stumbling), sender.add(refusing)
        incident = sender.node.open_incident()
        sender.note(incident, "after it")

        requests = stumbling.wait(4, 20)
        assert [event["number"] for event in events(requests, incident)] == [1, 1, 1, 2], "order holds while one fails"
        ids = deliveries(requests)
        assert ids[0] == ids[1] == ids[2] != ids[3]
        assert all(is_signed(request, SECRET) for request in requests)
        pauses = [after.arrived - before.arrived for before, after in zip(requests[:3], requests[1:3])]
        assert 1.5 < pauses[0] < pauses[1], "each pause is longer"

        requests = refusing.wait(4, 20)
        assert [event["number"] for event in events(requests, incident)] == [1, 1, 1, 2], "the rest goes on"
        letter, = wait_for(lambda: sender.dead_letters(refuser), "the dead letter", 3)
        assert (letter["incident"], letter["number"], letter["tries"]) == (incident, 1, 3) and "400" in letter["error"]
        assert not sender.dead_letters(stumbler)
        answer = sender.admin.ask("POST", "/api/v1/webhooks/dead-letters/retry", {"key": letter["key"]})
        assert answer.status == 204, answer.body
        again = refusing.next()
        assert events([again], incident)[0]["number"] == 1 and deliveries([again]) == deliveries(requests[:1])
        assert not sender.dead_letters(refuser)
        assert sender.admin.ask("POST", "/api/v1/webhooks/dead-letters/retry", {"key": letter["key"]}).status == 404


def test_dead_receivers_do_not_delay_a_healthy_one(sender: Sender) -> None:
    with http_receiver() as hanging, http_receiver() as healthy:
        hanging.hang()
        down = sender.add(f"http://127.0.0.1:{free_port()}")
        hung = sender.add(hanging)
        first = [sender.node.open_incident() for _ in range(12)]
        hanging.wait(4)
        sender.add(healthy)
        for incident in first:
            sender.note(incident, "now")
        requests = healthy.wait(12, 3)
        assert {request.json()["event"]["incident"] for request in requests} == set(first)
        assert sender.pending(hung) == sender.pending(down) == 24


def test_nothing_is_lost_when_the_node_is_killed_while_the_receiver_is_down(tmp_path: pathlib.Path) -> None:
    port = free_port()
    with Node(tmp_path) as node:
        with sender_on(node) as sender:
            webhook = sender.add(f"http://127.0.0.1:{port}")
            incidents = [node.open_incident() for _ in range(3)]
            accepted = talk_until_killed(sender, incidents)
        node.start()
        with sender_on(node) as sender, http_receiver(port=port) as receiver:
            stored = {name: journal.read(sender.operator, name) for name in incidents}
            for name, number in accepted:
                assert len(stored[name]) >= number, "what was accepted is stored"

            def heard() -> dict[str, list[int]]:
                return {name: [each["number"] for each in events(list(receiver.requests), name)] for name in incidents}

            wanted = {name: [event["number"] for event in stored[name]] for name in incidents}
            wait_for(lambda: all(set(wanted[name]) <= set(heard()[name]) for name in incidents), "all is delivered", 15)
            assert {name: sorted(set(numbers)) for name, numbers in heard().items()} == wanted
            assert all(numbers == sorted(numbers) for numbers in heard().values()), "in order, also when said twice"
            assert all(is_signed(request, SECRET) for request in receiver.requests)
            for name in incidents:
                assert all(event in stored[name] for event in events(receiver.requests, name))
            wait_for(lambda: sender.pending(webhook) == 0, "nothing waits", 2)


def talk_until_killed(sender: Sender, incidents: list[str]) -> list[tuple[str, int]]:
    """Writes notes, and kills the node between two instructions while it is at it; (incident, number) of what it accepted."""
    accepted: list[tuple[str, int]] = []
    ended = threading.Event()

    def talk() -> None:
        with contextlib.suppress(OSError):
            while True:
                for incident in incidents:
                    accepted.append((incident, sender.note(incident, "said")))
        ended.set()

    threading.Thread(target=talk, daemon=True).start()
    wait_for(lambda: len(accepted) > 30, "some notes are accepted", 10, every=0.01)
    sender.node.kill()
    assert ended.wait(5)
    return accepted
