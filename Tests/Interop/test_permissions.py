"""Who may do what: every operation, message kind and media subscription, tried by every role in every relation.

What is expected stands in permission_matrix.py. What the server offers and that file does not list fails, and so does
what it lists and the server does not offer.
"""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiortc import RTCDataChannel
from websockets.asyncio.client import ClientConnection, connect

import service as services
from aiortc_peer import AiortcPeer
from api import Answer, Api
from archives import Archive, Media, data_folder
from service import Service
from permission_matrix import (
    BEARERS, BOTH, KINDS, NOBODY, OPERATIONS, OUTSIDE, OWNER, PLACES, REQUESTS, ROLES, SDP, SENDING, STAFF, Try,
    WATCHING, is_expected,
)
from waiting import run_async, wait_for

# The world in which it is tried


@dataclass
class World:
    """A service with an incident a place, and everybody's way in."""

    service: Service
    tokens: dict[str, str | None]
    incidents: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    people: dict[str, Api] = field(default_factory=dict)

    def name(self, role: str) -> str:
        """What the person's page calls itself: links are for one page."""
        return f"page-of-{role}"


def open_incident(operator: Api, trainer: Api, place: str) -> str:
    opener = trainer if place == "exercise" else operator
    return opener.post("/api/v1/incidents", {"priority": "P3", "exercise": place == "exercise"})["id"]


def happen(person: Api, incident: str, kind: str, payload: dict) -> int:
    return person.post(f"/api/v1/incidents/{incident}/events", {"kind": kind, "payload": payload})["number"]


def write_archive(service: Service, incident: str) -> None:
    """An archive with a file of each kind, all named `none`, for those who may look at it."""
    archive = Archive(data_folder(service) / "archive" / incident, incident, datetime.now(UTC))
    for folder in ("stills", "late"):
        archive.file(f"{folder}/none", b"content", "still" if folder == "stills" else "late", "image/jpeg")
    archive.track("video-1", "video")
    archive.begin("video-1", Media("VP9", (640, 360), b"header", ()), path="media/none")


def make_world(service: Service) -> World:
    world = World(service, {role: service.accounts[role].token for role in STAFF} | {NOBODY: None})
    operator, trainer = (Api(service.base, world.tokens[role]) for role in ("operator", "trainer"))
    for place in PLACES:
        incident = world.incidents[place] = open_incident(operator, trainer, place)
        world.files[place] = operator.post(
            f"/api/v1/incidents/{incident}/files?name=a.txt", "content", content_type="text/plain")["file"]
        link = operator.post(f"/api/v1/incidents/{incident}/links", {"role": "caller"})
        write_archive(service, incident)
        happen(operator, incident, "location", {"caller": link["link"], "lat": 53.5, "lon": 10, "source": "manual"})
    for place in ("own", "left"):
        desk = {"account": "desk-1", "role": "dispatcher", "name": "desk"}
        happen(operator, world.incidents[place], "assignment.added", desk)
        happen(operator, world.incidents[place], "unit.assigned", {"unit": "ems-1"})
    happen(operator, world.incidents["left"], "assignment.removed", {"account": "desk-1"})
    happen(operator, world.incidents["left"], "unit.stoodDown", {"unit": "ems-1"})
    for role in BEARERS:
        link = operator.post(f"/api/v1/incidents/{world.incidents['own']}/links", {"role": role})
        world.tokens[role] = link["token"]
    for role in ROLES:
        world.people[role] = Api(service.base, world.tokens[role], **{"Sightline-Key": world.name(role)})
    return world


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = services.start(tmp_path_factory.mktemp("permissions"), "--no-caller")
    yield service
    assert service.stop() == 0, "the service ends cleanly on SIGTERM"


@pytest.fixture
def world(running: Service) -> World:
    """Incidents of the test's own, so that no test stands in another's footprints."""
    return make_world(running)


# The HTTP interface


def operations_of(document: dict) -> dict[str, str]:
    return {
        f"{method.upper()} {path}": operation["x-sightline-access"]
        for path, methods in document["paths"].items() for method, operation in methods.items()
    }


def is_refused(answer: Answer) -> bool:
    # Whoever shows nothing again and again is told to slow down, which is a refusal as well.
    return answer.status in (401, 403, 404) or answer.code == "tooManyFailures"


def test_every_operation_is_listed(world: World) -> None:
    served = operations_of(world.people["operator"].get("/openapi.json"))
    assert set(served) == set(OPERATIONS) - OUTSIDE
    for operation, tries in OPERATIONS.items():
        if tries[0].action != "everyone" and operation not in OUTSIDE and "{secret}" not in operation:
            assert served[operation] != "everyone", operation


class Paths:
    """Fills an operation's path in, with names of nothing: for requests that must not get as far as to look."""

    def __init__(self, world: World) -> None:
        self.world = world

    def path(self, operation: str, role: str, place: str) -> str:
        template = operation.split(" ", 1)[1]
        names = [part.strip("{}") for part in template.split("/") if part.startswith("{")]
        for name in names:
            template = template.replace(f"{{{name}}}", self.part(name, template, role, place))
        return template

    def part(self, name: str, template: str, role: str, place: str) -> str:
        return self.world.incidents[place] if name == "incident" else "none"


class LivePaths(Paths):
    """With names of things that are there."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.looks: dict[tuple[str, str], str] = {}
        self.exports: dict[tuple[str, str], str] = {}
        self.peers = {kind: self.start(kind) for kind in OWNER}

    def start(self, kind: str) -> str:
        offer, path = SENDING if kind == "whip" else WATCHING, f"/{kind}/{self.world.incidents['own']}"
        answer = self.world.people[OWNER[kind]].ask("POST", path, offer, content_type=SDP)
        assert answer.status == 201, answer
        return answer.headers["Location"].split("/")[-1]

    def look(self, role: str, place: str) -> str:
        """The role's own look at the incident, if it may have one."""
        if (role, place) not in self.looks:
            path = f"/api/v1/incidents/{self.world.incidents[place]}/replays"
            answer = self.world.people[role].ask("POST", path, {"reason": "to try it out"})
            self.looks[role, place] = answer.json["replay"] if answer.status == 201 else "none"
        return self.looks[role, place]

    def export(self, role: str, place: str) -> str:
        """The role's own export, since nobody withdraws another's; a supervisor's if it may have none."""
        role = role if role in ("supervisor", "custodian") else "supervisor"
        if (role, place) not in self.exports:
            path = f"/api/v1/incidents/{self.world.incidents[place]}/exports"
            self.exports[role, place] = self.world.people[role].post(path, {"reason": "to try it out"})["export"]
        return self.exports[role, place]

    def part(self, name: str, template: str, role: str, place: str) -> str:
        match name:
            case "export":
                return self.export(role, place)
            case "file":
                return self.world.files[place]
            case "account":
                return self.world.service.accounts["auditor"].id
            case "link":
                links = f"/api/v1/incidents/{self.world.incidents[place]}/links"
                return self.world.people["operator"].post(links, {"role": "guest"})["link"]
            case "token" if role in STAFF:
                return self.world.people[role].post("/api/v1/me/tokens", {"name": "short-lived"})["id"]
            case "path":
                return "shared/page.css"
            case "replay":
                return self.look(role, place)
            case "playlist":
                return "master.m3u8"
            case "peer":
                return self.peers[template.split("/")[1]]
        return super().part(name, template, role, place)


def order_of_roles(attempt: Try, operation: str) -> list[str]:
    """The owner of a media session comes last, since DELETE ends it."""
    if attempt.action != "owner":
        return list(ROLES)
    owner = OWNER[operation.split("/")[1]]
    return [role for role in ROLES if role != owner] + [owner]


def expected_of(attempt: Try, operation: str, role: str, place: str) -> bool:
    if attempt.action == "owner":
        return role == OWNER[operation.split("/")[1]] and place == "own"
    return is_expected(attempt.action, role, place)


def test_operations(world: World) -> None:
    """Joining comes last: it changes how the responder stands to the incident."""
    served = set(operations_of(world.people["operator"].get("/openapi.json"))) | OUTSIDE
    paths, wrong, count = LivePaths(world), [], 0
    for operation in sorted(filter(served.__contains__, OPERATIONS), key=lambda operation: operation.endswith("/join")):
        method = operation.split(" ")[0]
        for attempt in OPERATIONS[operation]:
            # "own" comes last, where sessions of the test are that DELETE ends.
            places = tuple(reversed(PLACES)) if attempt.is_of_incident else ("own",)
            for place, role in itertools.product(places, order_of_roles(attempt, operation)):
                answer = world.people[role].ask(
                    method, paths.path(operation, role, place), attempt.body, content_type=attempt.content_type)
                assert answer.status < 500, (operation, role, place, answer)
                count += 1
                refused = is_refused(answer) and not (attempt.is_absent and answer.status == 404)
                if refused == expected_of(attempt, operation, role, place):
                    wrong.append(f"{role} {operation} at {place}: {answer.status} {answer.code}")
                # A caller who ends the session has ended the call, and needs a new link.
                if answer.status == 201 and attempt.content_type == SDP and role != "caller":
                    assert world.people[role].ask("DELETE", answer.headers["Location"]).status == 200
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong)


def test_other_methods_are_refused(world: World) -> None:
    served = set(operations_of(world.people["operator"].get("/openapi.json"))) | OUTSIDE
    for operation in served:
        path = operation.split(" ", 1)[1]
        taken = {each.split(" ")[0] for each in served if each.split(" ", 1)[1] == path}
        for other in {"GET", "POST", "PUT", "PATCH", "DELETE"} - taken:
            answer = world.people["admin"].ask(other, Paths(world).path(operation, "admin", "own"))
            assert answer.status == 405, (other, path, answer)


def test_lists_show_what_the_role_may_know_of(world: World) -> None:
    wrong = []
    for role in [*STAFF, *BEARERS]:
        listed = {row["id"] for row in world.people[role].get("/api/v1/incidents")["incidents"]}
        for place, incident in world.incidents.items():
            if (incident in listed) != is_expected("list", role, place):
                wrong.append(f"{role}: {place}")
    assert not wrong, wrong


# The metadata channel


def test_every_kind_is_listed(world: World) -> None:
    messages = world.people["operator"].get("/asyncapi.json")["components"]["messages"]
    assert set(messages) == set(KINDS) | set(REQUESTS)
    for kind, (action, durability) in KINDS.items():
        assert messages[kind]["x-sightline-durability"] == durability, kind
        assert (messages[kind]["x-sightline-sender"] == "server") == (action == "server"), kind


@dataclass
class Socket:
    """A WebSocket on which one question is asked after the other."""

    connection: ClientConnection
    count: int = 0
    listed: set[str] = field(default_factory=set)

    async def ask(self, kind: str, **parts: object) -> dict:
        while True:
            self.count += 1
            name = f"q{self.count}"
            await self.connection.send(json.dumps({"v": 1, "id": name, "kind": kind} | parts))
            answer = await self.answer(name)
            if answer.get("code") != "tooFast":
                return answer
            await asyncio.sleep(answer["retryAfter"] + 0.01)

    async def answer(self, name: str) -> dict:
        async with asyncio.timeout(10):
            while True:
                message = json.loads(await self.connection.recv())
                if message["kind"] == "listed":
                    self.listed.add(message["incident"])
                if message.get("inReplyTo") == name:
                    return message


def open_socket(world: World, role: str) -> connect:
    address = world.service.base.replace("http", "ws", 1) + f"/ws?key={world.name(role)}"
    headers = {"Authorization": f"Bearer {world.tokens[role]}"}
    return connect(address, subprotocols=["sightline.v1"], additional_headers=headers, proxy=None)


REFUSALS = {"forbidden", "notFound", "serverOnly"}


KINDS_AND_REQUESTS = [(kind, action) for kind, (action, _) in KINDS.items()] + list(REQUESTS.items())


def judge(role: str, place: str, kind: str, action: str, answer: dict) -> list[str]:
    """What is wrong with the answer to a message with an empty payload: what is allowed is refused for that."""
    refused = answer["kind"] == "error" and answer["code"] in REFUSALS
    assert answer["kind"] != "error" or refused or answer["code"] == "badPayload", (kind, answer)
    wrong = []
    if refused == is_expected(action, role, place):
        wrong.append(f"{role}: {kind} at {place}: {answer}")
    if action == "server" and is_expected("follow", role, place) and answer.get("code") != "serverOnly":
        wrong.append(f"{role}: {kind} at {place} is the server's: {answer}")
    return wrong


async def try_kinds(world: World, role: str) -> list[str]:
    wrong = []
    async with open_socket(world, role) as connection:
        socket = Socket(connection)
        for (place, incident), (kind, action) in itertools.product(world.incidents.items(), KINDS_AND_REQUESTS):
            wrong += judge(role, place, kind, action, await socket.ask(kind, incident=incident, payload={}))
        # Whatever the list says late has come before the answer to this.
        await socket.ask("list", scope="none")
        for place, incident in world.incidents.items():
            if (incident in socket.listed) != is_expected("list", role, place):
                wrong.append(f"{role}: the list has {place}: {incident in socket.listed}")
    return wrong


def test_kinds_on_the_websocket(world: World) -> None:
    async def work() -> list[list[str]]:
        return await asyncio.gather(*(try_kinds(world, role) for role in [*STAFF, *BEARERS]))

    wrong = list(itertools.chain(*run_async(work())))
    assert not wrong, "\n".join(wrong)


#: Who has a peer connection, and with it a data channel, and in which incident.
CHANNELS = {
    "operator": "other", "dispatcher": "own", "responder": "own", "supervisor": "left", "trainer": "exercise",
    "caller": "own", "guest": "own", "device": "own",
}
BATCH = 8


def try_kinds_on_channel(world: World, role: str) -> list[str]:
    """The same on the data channel of a peer connection, which is in one incident and may speak of others as well."""
    kind = "whip" if is_expected("publish", role, CHANNELS[role]) else "whep"
    wrong, names = [], itertools.count(1)
    with AiortcPeer(f"{world.service.base}/{kind}/{world.incidents[CHANNELS[role]]}", world.tokens[role]) as peer:
        channel = peer.open_channel("sightline.metadata", protocol="sightline.v1")
        peer.publish() if kind == "whip" else peer.watch()
        peer.connect()
        rows = list(itertools.product(world.incidents.items(), KINDS_AND_REQUESTS))
        while rows:
            asked = {f"q{next(names)}": row for row in rows[:BATCH]}
            answers = ask_on_channel(peer, channel, asked)
            rows = rows[BATCH:] + [asked[name] for name, answer in answers.items() if answer.get("code") == "tooFast"]
            for name, answer in answers.items():
                (place, _), (message, action) = asked[name]
                if answer.get("code") != "tooFast":
                    wrong += judge(role, place, message, action, answer)
    return wrong


def ask_on_channel(peer: AiortcPeer, channel: RTCDataChannel, asked: dict[str, tuple]) -> dict[str, dict]:
    peer.messages.clear()
    texts = [
        json.dumps({"v": 1, "id": name, "kind": kind, "incident": incident, "payload": {}})
        for name, ((_, incident), (kind, _)) in asked.items()]
    peer.send(channel, *texts)

    def answers() -> dict[str, dict]:
        messages = [json.loads(text) for _, text in list(peer.messages)]
        found = {each["inReplyTo"]: each for each in messages if each.get("inReplyTo") in asked}
        return found if len(found) == len(asked) else {}

    return wait_for(answers, "answers on the data channel", 10, every=0.005)


@pytest.mark.parametrize("role", list(CHANNELS))
def test_kinds_on_the_data_channel(world: World, role: str) -> None:
    wrong = try_kinds_on_channel(world, role)
    assert not wrong, "\n".join(wrong)


def test_websocket_is_closed_to_nobody(world: World) -> None:
    async def work() -> tuple[str, int | None]:
        async with connect(world.service.base.replace("http", "ws", 1) + "/ws?token=nonsense", proxy=None) as connection:
            answer = json.loads(await connection.recv())
            await connection.wait_closed()
            return answer["code"], connection.close_code

    code, close_code = run_async(work())
    assert (code, close_code) in (("invalidToken", 4401), ("tooManyFailures", 4429))


def test_kinds_over_http(world: World) -> None:
    """The same kinds by POST: whoever may not follow finds nothing, and the server's own kinds are no choice at all."""
    wrong = []
    for (kind, (action, _)), place in itertools.product(KINDS.items(), PLACES):
        for role in ROLES:
            person, path = world.people[role], f"/api/v1/incidents/{world.incidents[place]}/events"
            answer = person.ask("POST", path, {"kind": kind, "payload": {}})
            refused = is_refused(answer) or (action == "server" and answer.code == "badPayload")
            if refused == is_expected(action, role, place):
                wrong.append(f"{role}: {kind} at {place}: {answer.status} {answer.code}")
    assert not wrong, "\n".join(wrong)


def test_responder_assigns_only_themselves(world: World) -> None:
    responder, account = world.people["responder"], world.service.accounts["responder"].id
    for place in PLACES:
        path = f"/api/v1/incidents/{world.incidents[place]}"
        payload = {"account": account, "role": "responder", "name": "myself"}
        other = {"kind": "assignment.added", "payload": payload | {"account": "a-other"}}
        assert is_refused(responder.ask("POST", f"{path}/events", other)), place
        assert is_refused(responder.ask("GET", path)) == (place != "own"), place
        assert is_refused(responder.ask("POST", f"{path}/join")) == (place == "left"), place
        assert is_refused(responder.ask("GET", path)) == (place == "left"), place


# Media


async def try_media(world: World, role: str) -> list[str]:
    """Offers on the WebSocket whatever can be offered; what the session may do is what its answer says."""
    wrong = []
    async with open_socket(world, role) as connection:
        socket = Socket(connection)
        for place, incident in world.incidents.items():
            expected = {name for name in ("publish", "watch") if is_expected(name, role, place)}
            # The link names its own incident, whatever the offer says.
            if role in BEARERS and place != "own":
                continue
            answer = await socket.ask("offer", incident=incident, sdp=BOTH)
            if answer["kind"] == "error":
                granted = set() if answer["code"] in REFUSALS else {answer["code"]}
            else:
                granted = directions(answer["sdp"])
            if granted != expected:
                wrong.append(f"{role} at {place}: {granted or 'nothing'} instead of {expected or 'nothing'}: {answer}")
        await socket.connection.send(json.dumps({"v": 1, "kind": "bye"}))
    return wrong


def directions(answer: str) -> set[str]:
    """What an answer lets the client do."""
    lines = set(answer.splitlines())
    publish = {"a=recvonly", "a=sendrecv"} & lines
    watch = {"a=sendonly", "a=sendrecv"} & lines
    return ({"publish"} if publish else set()) | ({"watch"} if watch else set())


def test_media_on_the_websocket(world: World) -> None:
    async def work() -> list[list[str]]:
        return await asyncio.gather(*(try_media(world, role) for role in [*STAFF, *BEARERS]))

    wrong = list(itertools.chain(*run_async(work())))
    assert not wrong, "\n".join(wrong)


def test_closed_incident_has_no_media(world: World) -> None:
    operator, incident = world.people["operator"], world.incidents["own"]
    happen(operator, incident, "incident.state", {"state": "cancelled"})
    for role, (kind, offer) in itertools.product([*STAFF, *BEARERS], {"whip": SENDING, "whep": WATCHING}.items()):
        answer = world.people[role].ask("POST", f"/{kind}/{incident}", offer, content_type=SDP)
        assert answer.status in (401, 403, 404, 409), (role, kind, answer)
