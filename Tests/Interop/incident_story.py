"""The incident's story: who takes part in it, what they do one after the other, and the record of what came of it."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field

import pytest

import journal
from api import Answer, Api
from metadata_client import Refused
from service import Service
from story_people import PICTURE_SECONDS, Person, Publisher

PLACE = {"lat": 53.5503, "lon": 9.9920, "radius": 50, "text": "Jungfernstieg"}
PHONE = "+4915112345678"
#: Not a picture that anybody could see, but one by its type.
PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + b"\xff\xd9"
#: Kinds whose number depends on how the network and the machine fare: they are held against rules of their own.
FLUCTUATING = {"media.source", "media.view", "media.recording"}


def send_aml(integration: Api) -> None:
    """A location that the caller's phone sends by SMS when it dials, as the gateway passes it on."""
    now = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    text = f'A"ML=1;lt=+53.55031;lg=+009.99201;rd=14;top={now};lc=68;pm=W'
    answer = integration.ask("POST", "/api/v1/aml/sms", {"from": PHONE, "text": text})
    assert answer.status < 300, answer


@dataclass
class Record:
    """What came of the story."""

    incident: str
    caller: str = ""
    callers: set[str] = field(default_factory=set)
    #: What was done, in order: (role, kind, part of the payload), by step. Within a step the order is nobody's choice.
    told: list[list[tuple[str, str, dict]]] = field(default_factory=list)
    #: Seconds from an act to the last frame, or to the end of a socket, by what it was.
    ends: dict[str, float] = field(default_factory=dict)
    #: As the supervisor reads it back at the end.
    journal: list[dict] = field(default_factory=list)
    #: As each person heard it.
    heard: dict[str, list[dict]] = field(default_factory=dict)
    carriers: dict[str, int] = field(default_factory=dict)
    repeats: int = 0
    #: EIDO and PIDF-LO, before the end and after it.
    documents: list[tuple[Answer, Answer]] = field(default_factory=list)

    def tell(self, *rows: tuple[str, str, dict]) -> None:
        self.told.append(list(rows))


class Story:
    """The people, and what they do one after the other."""

    def __init__(self, service: Service, codec: str) -> None:
        self.service, self.codec = service, codec
        self.operator_api, self.supervisor_api = self.api("operator"), self.api("supervisor")
        self.incident = self.operator_api.post(
            "/api/v1/incidents", {"priority": "P2", "type": "traffic accident", "place": PLACE})["id"]
        self.record = Record(self.incident)
        self.record.tell(("operator", "incident.opened", {"priority": "P2", "exercise": False, "origin": "operator"}))
        self.operator = self.staff("operator")
        self.supervisor = self.staff("supervisor")
        self.everyone = [self.operator, self.supervisor]
        self.publishers: list[Publisher] = []

    # Who they are

    def api(self, role: str) -> Api:
        return Api(self.service.base, self.service.accounts[role].token)

    def staff(self, role: str) -> Person:
        return self.person(self.service.accounts[role].token, role, sees_all=True)

    def person(self, token: str, name: str, **options: object) -> Person:
        return Person(self.service.base, token, self.incident, name, **options)

    def link(self, role: str, name: str, incident: str | None = None, **more: str) -> dict:
        links = f"/api/v1/incidents/{incident or self.incident}/links"
        return self.operator_api.post(links, {"role": role, "name": name} | more)

    def second_responder(self) -> tuple[str, str]:
        """An account that the admin makes for another unit, and its token, which its owner makes."""
        body = {"userName": "fire-7-chief", "displayName": "Fire 7", "role": "responder", "unit": "fire-7"}
        made = self.api("admin").post("/api/v1/accounts", body | {"password": "a long enough password 7"})
        browser = Api(self.service.base)
        answer = browser.ask("POST", "/api/v1/sign-in", {"userName": body["userName"], "password": "a long enough password 7"})
        cookie, csrf = answer.headers["Set-Cookie"].split(";")[0], answer.json["csrfToken"]
        token = browser.ask("POST", "/api/v1/me/tokens", {"name": "tablet"}, Cookie=cookie, X_CSRF_Token=csrf)
        return made["id"], token.json["secret"]

    async def run(self) -> Record:
        try:
            for chapter in (
                self.take_the_call, self.call, self.look, self.locate, self.talk, self.send_unit, self.second_unit,
                self.invite_guest, self.steer, self.upload, self.stand_down, self.revoke_guest, self.merge, self.end,
            ):
                await chapter()
                await self.settle()
            self.read_back()
            return self.record
        finally:
            for person in self.everyone:
                await person.leave()
            for publisher in self.publishers:
                await asyncio.to_thread(publisher.__exit__)

    async def settle(self) -> None:
        """Waits until the operator has heard of everything that is told so far: the next chapter begins after it."""
        wanted = sum(len(step) for step in self.record.told)
        await self.operator.until(lambda: len(steady(self.operator.client.core.events(self.incident))) >= wanted, "all is told")

    # The chapters

    async def take_the_call(self) -> None:
        snapshot = await self.operator.come()
        assert (snapshot["state"], snapshot["priority"]) == ("new", "P2")
        await self.supervisor.come()
        operator = self.service.accounts["operator"].id
        await self.do(self.operator, "incident.state", {"state": "active"})
        await self.do(self.operator, "assignment.added", {"account": operator, "role": "operator", "name": "Demo operator"})
        await self.do(self.operator, "incident.classified", {"priority": "P1"})
        present = await self.operator.client.expect(
            "presence", lambda payload: {"operator", "supervisor"} <= {each["role"] for each in payload["people"]})
        assert present["actor"]["role"] == "system"

    async def do(self, person: Person, kind: str, payload: dict, role: str | None = None, told: dict | None = None) -> int:
        """Sends a message and notes what the journal has to say of it; the event's number."""
        number = await person.client.send(kind, payload)
        self.record.tell((role or person.name, kind, payload if told is None else told))
        return number

    async def call(self) -> None:
        """The caller opens the link, shares the place, then the camera."""
        link = self.link("caller", "Ada", phone=PHONE)
        self.me = self.record.caller = link["link"]
        self.record.callers.add(self.me)
        self.record.tell(("operator", "caller.added", {"caller": self.me, "name": "Ada", "phone": PHONE}))
        self.record.tell(("operator", "link.created", {"link": self.me, "role": "caller"}))
        self.caller = self.person(link["token"], "caller", key="page-of-ada")
        self.everyone.append(self.caller)
        snapshot = await self.caller.come()
        assert "priority" not in snapshot and "links" not in snapshot, "callers do not learn what staff say of them"
        self.record.tell(("system", "caller.stage", {"caller": self.me, "stage": "opened"}))
        await self.settle()
        await self.do(self.caller, "caller.stage", {"caller": self.me, "stage": "locationOK"})
        fix = {"caller": self.me, "source": "device", "lat": 53.5504, "lon": 9.9921, "accuracy": 25.5, "altitude": 6}
        await self.do(self.caller, "location", fix, told=fix | {"marks": None})
        await self.do(self.caller, "caller.stage", {"caller": self.me, "stage": "cameraOK"})
        self.publisher = await self.publish(self.caller)
        self.record.tell(
            ("system", "caller.stage", {"caller": self.me, "stage": "connecting"}),
            ("system", "caller.stage", {"caller": self.me, "stage": "live"}))
        await self.streams_are_live(2)
        await self.caller.client.send("caller.device", {"caller": self.me, "battery": 0.62, "network": "cellular"})
        device = await self.operator.client.expect("caller.device")
        assert device["payload"]["battery"] == 0.62 and "number" not in device

    async def streams_are_live(self, count: int) -> None:
        def live() -> set[str]:
            events = self.operator.client.core.events(self.incident, "media.source")
            return {each["payload"]["source"] for each in events if each["payload"]["state"] == "live"}

        await self.operator.until(lambda: len(live()) >= count, f"{count} streams are live", PICTURE_SECONDS)

    async def publish(self, caller: Person) -> Publisher:
        """Sends camera and microphone, and opens a second carrier in the same peer connection."""
        publisher = Publisher("", "")
        await asyncio.to_thread(publisher.__enter__)
        self.publishers.append(publisher)
        await asyncio.to_thread(publisher.carry, caller.client, asyncio.get_running_loop())
        offer = await asyncio.to_thread(publisher.offer, self.codec)
        answer = await caller.client.ask("offer", sdp=offer)
        await asyncio.to_thread(publisher.accept, answer["sdp"])
        return publisher

    async def look(self) -> None:
        assert self.operator_api.get(f"/api/v1/incidents/{self.incident}")["callers"][0]["stage"] == "live"
        for person in (self.operator, self.supervisor):
            await person.watch()
            self.tell_watching(person, True)
            await self.settle()
        await self.do(self.operator, "media.revealed", {"on": True})
        # The caller is told who looks.
        seen = await self.caller.client.expect("media.watching", lambda payload: payload["role"] == "supervisor")
        assert seen["payload"]["on"] is True

    def tell_watching(self, person: Person, on: bool) -> None:
        self.record.tell(self.watching(person, on))

    def watching(self, person: Person, on: bool) -> tuple[str, str, dict]:
        return ("system", "media.watching", {"on": on, "role": person.name.split("-")[0]})

    async def locate(self) -> None:
        """Odd fixes are kept, but marked."""
        late = {"caller": self.me, "source": "device", "lat": 53.5504, "lon": 9.9922, "accuracy": 30}
        late["fixedAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        await self.do(self.caller, "location", late, told={"lat": 53.5504, "lon": 9.9922, "marks": ["outOfOrder"]})
        far = {"caller": self.me, "source": "device", "lat": -33.8568, "lon": 151.2153, "accuracy": 10}
        await self.do(self.caller, "location", far, told={"lat": -33.8568, "marks": ["impossible"]})
        snapshot = self.operator_api.get(f"/api/v1/incidents/{self.incident}")
        assert snapshot["callers"][0]["location"]["lat"] == 53.5504, "the best place is the sound one"
        # The network has its own word, and finds the incident by the caller's number.
        send_aml(self.api("integration"))
        self.record.tell(("integration", "location", {"caller": self.me, "source": "aml", "lat": 53.55031, "accuracy": 14}))

    async def talk(self) -> None:
        asked = await self.do(self.operator, "chat", {"text": "Are you safe where you are?"})
        heard = await self.caller.client.expect("chat")
        assert (heard["number"], heard["payload"]["text"]) == (asked, "Are you safe where you are?")
        await self.do(self.caller, "chat.delivered", {"upTo": asked})
        await self.do(self.caller, "chat.read", {"upTo": asked})
        await self.caller.client.send("typing", {"on": True})
        await self.operator.client.expect("typing")
        answered = await self.do(self.caller, "chat", {"text": "Ja, am Straßenrand 🚑"})
        await self.do(self.operator, "chat.read", {"upTo": answered})
        await self.caller.client.expect("chat.read", lambda payload: payload["upTo"] == answered)
        await self.do(self.operator, "chat", {"text": "Two injured, one trapped.", "to": "team"})
        await self.do(self.supervisor, "note", {"text": "Fire service informed."})
        await self.do(self.operator, "triage", {"fields": {"breathing": "yes", "conscious": "no"}})

    async def send_unit(self) -> None:
        """The first responder's unit is sent: until then the incident does not exist for them."""
        responder = self.first = self.person(self.service.accounts["responder"].token, "responder-1")
        self.everyone.append(responder)
        await responder.client.connect()
        with pytest.raises(Refused, match="notFound"):
            await responder.client.follow()
        await self.do(self.operator, "unit.assigned", {"unit": "ems-1", "service": "ems"})
        await responder.client.follow()
        await responder.watch()
        self.tell_watching(responder, True)
        await self.settle()
        await self.report(responder, "ems-1", "acknowledged", "enroute")
        place = {"unit": "ems-1", "lat": 53.56, "lon": 9.98, "speed": 16.7, "heading": 131}
        await self.do(responder, "unit.location", place | {"eta": "2030-01-01T00:00:00Z"}, "responder", place)
        await self.report(responder, "ems-1", "onscene")
        await self.do(responder, "chat", {"text": "On scene."}, "responder")

    async def report(self, responder: Person, unit: str, *states: str) -> None:
        for status in states:
            await self.do(responder, "unit.status", {"unit": unit, "status": status}, "responder")

    async def second_unit(self) -> None:
        """The second one puts themselves on the incident: until then it does not exist for them."""
        account, token = self.second_responder()
        responder = self.second = self.person(token, "responder-2")
        self.everyone.append(responder)
        await responder.client.connect()
        with pytest.raises(AssertionError, match="404"):
            await responder.watch()
        assert await responder.client.refusal("chat", {"text": "Hello?"}) == "notFound"
        assert Api(self.service.base, token).ask("POST", f"/api/v1/incidents/{self.incident}/join").status == 204
        self.record.tell(("responder", "assignment.added", {"account": account, "role": "responder"}))
        snapshot = await responder.client.follow()
        assert snapshot["triage"] == {"breathing": "yes", "conscious": "no"}
        await responder.watch()
        self.tell_watching(responder, True)

    async def invite_guest(self) -> None:
        link = self.link("guest", "Prof. Holm")
        self.record.tell(("operator", "link.created", {"link": link["link"], "role": "guest", "name": "Prof. Holm"}))
        guest = self.guest = self.person(link["token"], "guest")
        self.guest_link = link["link"]
        self.everyone.append(guest)
        snapshot = await guest.come()
        assert snapshot["callers"] == [] and "triage" not in snapshot, "a guest learns the minimum"
        await guest.watch()
        self.tell_watching(guest, True)
        await self.do(guest, "chat", {"text": "Do not move the neck."})
        assert await guest.client.refusal("note", {"text": "x"}) == "forbidden"

    async def steer(self) -> None:
        command = {"caller": self.me, "command": "torch", "argument": "true"}
        asked = await self.do(self.operator, "command", command)
        heard = await self.caller.client.expect("command")
        assert heard["number"] == asked and heard["payload"] == command
        await self.do(self.caller, "command.result", {"caller": self.me, "command": asked, "status": "done"})
        await self.operator.client.expect("command.result", lambda payload: payload["command"] == asked)
        assert await self.caller.client.refusal("command", command) == "forbidden"

    async def upload(self) -> None:
        """A photo of the caller's: everybody of the incident may have it, but a guest takes nothing away."""
        files, sha256 = f"/api/v1/incidents/{self.incident}/files", hashlib.sha256(PHOTO).hexdigest()
        page = Api(self.service.base, self.caller.token, **{"Sightline-Key": "page-of-ada"})
        file = page.post(f"{files}?name=street.jpg&purpose=photo", PHOTO, content_type="image/jpeg")["file"]
        self.record.tell(("caller", "file.added", {"file": file, "name": "street.jpg", "sha256": sha256, "size": len(PHOTO)}))
        assert self.operator_api.ask("GET", f"{files}/{file}").body == PHOTO
        assert Api(self.service.base, self.guest.token).ask("GET", f"{files}/{file}").status == 403
        await self.settle()
        await self.do(self.operator, "snapshot.taken", {"file": file})

    async def stand_down(self) -> None:
        started = time.monotonic()
        await self.do(self.operator, "unit.stoodDown", {"unit": "ems-1", "reason": "others are nearer"})
        self.record.ends["responder's picture after stand-down"] = await self.first.picture_ends(started)
        self.tell_watching(self.first, False)
        ended = await self.first.until(lambda: self.first.client.core.followed[self.incident].ended, "it is told so")
        assert ended["code"] == "forbidden"
        assert await self.first.client.refusal("chat", {"text": "Still there?"}) == "notFound"
        assert not self.second.watcher.is_over, "the other responder goes on"

    async def revoke_guest(self) -> None:
        started = time.monotonic()
        answer = self.operator_api.ask("DELETE", f"/api/v1/incidents/{self.incident}/links/{self.guest_link}")
        assert answer.status == 204
        self.record.tell(("operator", "link.revoked", {"link": self.guest_link}))
        self.record.ends["guest's picture after revocation"] = await self.guest.picture_ends(started)
        at, code, _ = await self.guest.client.ended()
        self.record.ends["guest's WebSocket after revocation"] = at - started
        assert code == 4401
        self.tell_watching(self.guest, False)

    async def merge(self) -> None:
        """Somebody else has called about the same: the operator makes one incident of two."""
        duplicate = self.operator_api.post(
            "/api/v1/incidents", {"priority": "P3", "place": PLACE | {"lat": 53.5505}})["id"]
        self.record.tell(("system", "incident.mergeSuggested", {"other": duplicate}))
        link = self.link("caller", "Ben", duplicate)
        self.record.callers.add(link["link"])
        ben = Person(self.service.base, link["token"], duplicate, "caller", key="page-of-ben")
        self.everyone.append(ben)
        await ben.come()
        first = await self.publish(ben)
        await ben.client.expect("caller.stage", lambda payload: payload["stage"] == "live", seconds=PICTURE_SECONDS)
        await self.settle()
        started = time.monotonic()
        await self.operator.client.send("incident.merged", {"into": self.incident}, incident=duplicate)
        await ben.until(lambda: first.is_over, "the peer in the merged incident is ended", 5)
        self.record.ends["second caller's peer after the merge"] = time.monotonic() - started
        callers = [{"caller": link["link"], "name": "Ben", "stage": "live"}]
        self.record.tell(("operator", "incident.absorbed", {"from": duplicate, "callers": callers}))
        await ben.client.expect("incident.merged")
        ben.client.incident = self.incident
        await ben.client.follow()
        await self.publish(ben)
        self.record.tell(
            ("system", "caller.stage", {"caller": link["link"], "stage": "connecting"}),
            ("system", "caller.stage", {"caller": link["link"], "stage": "live"}))
        await self.streams_are_live(4)
        await self.settle()
        await self.do(ben, "chat", {"text": "I called about the same."})
        refusal = await ben.client.refusal("chat", {"text": "x"}, incident=duplicate)
        assert refusal == "wrongState"

    async def end(self) -> None:
        """All media ends, whatever else goes on."""
        self.export()
        watching = (self.operator, self.supervisor, self.second)
        assert not any(person.watcher.is_over for person in watching)
        started = time.monotonic()
        await self.do(self.operator, "incident.state", {"state": "ended", "outcome": "handled"})
        for person in watching:
            self.record.ends[f"{person.name}'s picture after the end"] = await person.picture_ends(started)
        for publisher in self.publishers:
            await self.caller.until(lambda: publisher.is_over, "the callers' peers are ended", 5)
        self.record.tell(*(self.watching(person, False) for person in watching))
        await self.settle()
        await self.do(self.supervisor, "note", {"text": "Reviewed: well done."})
        assert await self.caller.client.refusal("chat", {"text": "Thank you!"}) == "wrongState"
        await self.do(self.operator, "chat.read", {"upTo": 1})

    def export(self) -> None:
        """Takes the documents for other systems, as the incident stands."""
        incident, other = self.incident, self.api("integration")
        self.record.documents.append((
            other.ask("GET", f"/EIDO/{incident}"), other.ask("GET", f"/api/v1/incidents/{incident}/location.pidf")))

    def read_back(self) -> None:
        self.export()
        record = self.record
        record.journal = journal.read(self.supervisor_api, self.incident)
        people = {"operator": self.operator, "supervisor": self.supervisor, "caller": self.caller}
        people |= {"responder": self.first, "guest": self.guest}
        record.heard = {name: person.client.core.events(self.incident) for name, person in people.items()}
        record.carriers, record.repeats = dict(self.caller.client.core.received), self.caller.client.core.repeats


def steady(events: list[dict]) -> list[dict]:
    """Without what depends on how network and machine fare: streams that stall, and the pauses that come of it."""
    kept, live = [], set()
    for event in events:
        stage = event["payload"]["stage"] if event["kind"] == "caller.stage" else None
        caller = event["payload"].get("caller")
        # A call that the end of its incident ends is told as soon as the media has ended.
        is_after = stage == "ended" and event["actor"]["role"] == "system"
        if event["kind"] in FLUCTUATING or stage == "paused" or is_after or (stage == "live" and caller in live):
            continue
        if stage == "live":
            live.add(caller)
        kept.append(event)
    return kept
