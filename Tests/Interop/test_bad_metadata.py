"""Bad input on the metadata channel gets a clear answer and is counted; a bystander goes on as if nothing happened."""

import contextlib
import itertools
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from aiortc_peer import AiortcPeer
from bystander_scene import dial, line, running, scene  # noqa: F401 (fixtures)
from bystander_scene import ANSWER_SECONDS, MOST_SECONDS, SHARE, Line, Scene, ids
from metadata_client import LABEL, SUBPROTOCOL
from node import Key
from waiting import wait_for

#: Messages at once: ten times the fifty a second that one person may send.
FLOOD = 500


def assert_refused(answer: dict, code: str, words: str = "", id: str | None = None) -> None:
    assert answer["kind"] == "error" and answer["code"] == code, answer
    assert len(answer["text"]) >= 15 and re.search(words, answer["text"], re.IGNORECASE), answer
    assert (answer.get("inReplyTo") or None) == id, answer


# Texts that are no message

TEXTS = {
    "prose": ("Is anybody there?", ""),
    "nothing": ("", ""),
    "cut short": ('{"v":1,"kind":"chat","incident":"demo","payload":{"text":"He', "ends"),
    "list": ("[]", "object"),
    "number": ("112", "object"),
    "null": ("null", "object"),
    "two values": ('{"v":1,"kind":"chat"} {}', ""),
    "no kind": ('{"v":1}', "kind"),
    "kind that is no text": ('{"v":1,"kind":112}', "kind"),
    "deep nesting": ("[" * 60_000, "deep"),
    "deep payload": ('{"v":1,"kind":"chat","payload":' + '{"a":' * 40 + "1" + "}" * 41, "deep"),
    "duplicate member": ('{"v":1,"kind":"chat","incident":"demo","payload":{"text":"a","text":"b"}}', "same name"),
    "NaN": ('{"v":1,"kind":"location","incident":"demo","payload":{"lat":NaN,"lon":0}}', ""),
    "Infinity": ('{"v":1,"kind":"location","incident":"demo","payload":{"lat":-Infinity,"lon":0}}', ""),
    "1e999": ('{"v":1,"kind":"location","incident":"demo","payload":{"lat":1e999,"lon":0}}', "number"),
    "leading zero": ('{"v":1,"kind":"location","incident":"demo","payload":{"lat":048,"lon":0}}', ""),
    "control character": ('{"v":1,"kind":"chat","incident":"demo","payload":{"text":"a\x01b"}}', "control"),
    "lone surrogate": ('{"v":1,"kind":"chat","incident":"demo","payload":{"text":"\\ud83d"}}', "surrogate"),
    "surrogates the wrong way round": ('{"v":1,"kind":"chat","payload":{"text":"\\ude92\\ud83d"}}', "surrogate"),
    "unknown escape": (r'{"v":1,"kind":"chat","incident":"demo","payload":{"text":"\x41"}}', "escape"),
    "byte order mark": ('\ufeff{"v":1,"kind":"chat"}', ""),
}


@pytest.mark.parametrize("kind", list(TEXTS))
def test_what_is_no_message_is_explained(scene: Scene, line: Line, kind: str) -> None:
    text, words = TEXTS[kind]
    with scene.counts("badEnvelope"):
        assert_refused(line.answer(text), "badEnvelope", words)
    assert line.answer(scene.envelope())["kind"] == "accepted", "the connection goes on"


# Messages that are wrong: what is different from a good one, the code, and words of the text

ENVELOPES: dict[str, tuple[dict, str, str]] = {
    "unknown kind": ({"kind": "chat.shouted"}, "unknownKind", "kind"),
    "future version": ({"v": 2}, "wrongVersion", "v: 1"),
    "version as text": ({"v": "1"}, "wrongVersion", "v: 1"),
    "no version": ({"v": None}, "wrongVersion", "v: 1"),
    "no incident": ({"incident": None}, "badEnvelope", "incident"),
    "incident that is a path": ({"incident": "../../etc"}, "badEnvelope", "incident"),
    "incident that is too long": ({"incident": "x" * 65}, "badEnvelope", "64"),
    "unknown incident": ({"incident": "99-999999"}, "notFound", "incident"),
    "the service's own journal": ({"incident": "_audit"}, "notFound", "incident"),
    "payload that is a list": ({"payload": []}, "badPayload", "object"),
    "no payload": ({"payload": None}, "badPayload", ""),
    "no text": ({"payload": {}}, "badPayload", "text"),
    "empty text": ({"payload": {"text": ""}}, "badPayload", "1 to"),
    "text too long": ({"payload": {"text": "x" * 4_001}}, "badPayload", "4000"),
    "text that is a number": ({"payload": {"text": 112}}, "badPayload", "text"),
    "escaped control characters": ({"payload": {"text": "a\x00b\x1b[2J"}}, "badPayload", "text"),
    "unknown member": ({"payload": {"text": "Hello", "bold": True}}, "badPayload", "bold.*known"),
    "unknown channel": ({"payload": {"text": "Hello", "to": "press"}}, "badPayload", "everyone"),
    "opened by a client": ({"kind": "incident.opened"}, "serverOnly", "server"),
    "presence by a client": ({"kind": "presence"}, "serverOnly", "server"),
    "link by a client": ({"kind": "link.created"}, "serverOnly", "server"),
    "file by a client": ({"kind": "file.added"}, "serverOnly", "server"),
    "audit by a client": ({"kind": "audit.account"}, "serverOnly", "server"),
    "another's duty": ({"kind": "caller.stage", "payload": {}}, "forbidden", ""),
    "read what is not there": ({"kind": "chat.read", "payload": {"upTo": 1 << 40}}, "unknownSubject", "no event"),
    "unit that is not there": (
        {"kind": "unit.status", "payload": {"unit": "ems-9", "status": "enroute"}}, "unknownSubject", "ems-9"),
    "impossible state": ({"kind": "incident.state", "payload": {"state": "reopened"}}, "wrongState", "possible"),
    "resume after what is not there": ({"kind": "subscribe", "after": 10_000_000}, "badPayload", "ends at"),
    "resume after a negative number": ({"kind": "subscribe", "after": -1}, "badEnvelope", "number"),
    "resume after a fraction": ({"kind": "subscribe", "after": 1.5}, "badEnvelope", "number"),
    "resume after 2^63": ({"kind": "subscribe", "after": 1 << 63}, "badEnvelope", "number"),
    "follow what is not there": ({"kind": "subscribe", "incident": "99-999999"}, "notFound", "incident"),
    "list of nonsense": ({"kind": "list", "scope": {"area": {"lat": 91, "lon": 0, "radius": 1}}}, "badEnvelope", "scope"),
}

PLACES: dict[str, tuple[dict, str]] = {
    "latitude 91": ({"lat": 91}, "lat.*90"),
    "latitude -90.0000001": ({"lat": -90.0000001}, "lat.*90"),
    "longitude 180.5": ({"lon": 180.5}, "lon.*180"),
    "latitude as text": ({"lat": "48.1"}, "lat"),
    "no longitude": ({"lon": None}, "lon"),
    "negative accuracy": ({"accuracy": -1}, "accuracy"),
    "heading 400": ({"heading": 400}, "heading"),
    "time in prose": ({"fixedAt": "yesterday at about noon"}, "fixedAt"),
    "February 30": ({"fixedAt": "2026-02-30T12:00:00.000Z"}, "fixedAt"),
    "the server's marks": ({"marks": []}, "marks"),
    "somebody else's measurement": ({"source": "aml"}, "source.*manual"),
}


@pytest.mark.parametrize("kind", list(ENVELOPES))
def test_wrong_message_is_explained(scene: Scene, line: Line, kind: str) -> None:
    different, code, words = ENVELOPES[kind]
    message = {name: value for name, value in scene.envelope(**different).items() if value is not None}
    with scene.counts(f'"{code}"'):
        assert_refused(line.answer(message), code, words, message["id"])
    assert line.answer(scene.envelope())["kind"] == "accepted", "the connection goes on"


@pytest.mark.parametrize("kind", list(PLACES))
def test_wrong_place_is_explained(scene: Scene, line: Line, kind: str) -> None:
    different, words = PLACES[kind]
    message = scene.fix(**different)
    message["payload"] = {name: value for name, value in message["payload"].items() if value is not None}
    with scene.counts('"badPayload"'):
        assert_refused(line.answer(message), "badPayload", words, message["id"])


@pytest.mark.parametrize("id", ["", "x" * 65, 5, None, ["x"]], ids=["empty", "long", "number", "null", "list"])
def test_unusable_id_is_explained(scene: Scene, line: Line, id: object) -> None:
    with scene.counts("badEnvelope"):
        assert_refused(line.answer(scene.envelope(id=id)), "badEnvelope", "1 to 64")


def test_id_may_be_left_out(scene: Scene, line: Line) -> None:
    message = scene.envelope()
    del message["id"]
    first, second = line.answer(message), line.answer(message)
    assert first["kind"] == second["kind"] == "accepted" and first["number"] != second["number"], "two messages"


def test_newer_members_of_the_envelope_are_ignored(scene: Scene, line: Line) -> None:
    assert line.answer(scene.envelope(priority="high"))["kind"] == "accepted"


def test_oversized_message_is_explained(scene: Scene, line: Line) -> None:
    with scene.counts("tooLarge"):
        assert_refused(line.answer(scene.envelope(payload={"text": "x" * (65 << 10)})), "tooLarge", r"\d{5} bytes")
    assert line.answer(scene.envelope())["kind"] == "accepted", "the connection goes on"


# Frames that are no text

FRAMES: dict[str, tuple[Callable[[ClientConnection], object], int]] = {
    "binary": (lambda socket: socket.send(b"\x00\x01\x02"), 1003),
    "invalid UTF-8": (lambda socket: socket.send(b'{"v":1,"kind":"\xff\xfe"}', text=True), 1007),
    "overlong UTF-8": (lambda socket: socket.send(b'{"v":1,"kind":"\xc0\xaf"}', text=True), 1007),
    "surrogate in UTF-8": (lambda socket: socket.send(b'{"v":1,"kind":"\xed\xa0\x80"}', text=True), 1007),
    "huge": (lambda socket: socket.send("x" * (1 << 20)), 1009),
}


@pytest.mark.parametrize("kind", list(FRAMES))
def test_frame_that_is_no_text_ends_the_connection(scene: Scene, line: Line, kind: str) -> None:
    send, code = FRAMES[kind]
    with scene.counts(""):
        with contextlib.suppress(ConnectionClosed):
            send(line.socket)
        closed, reason = line.ending()
    assert closed == code and len(reason) >= 10, (closed, reason)


# The same over a data channel


@pytest.fixture
def peer(scene: Scene) -> Iterator[AiortcPeer]:
    """An operator's peer connection with an open data channel."""
    with AiortcPeer(f"{scene.node.base}/whep/{scene.incident}", scene.node.key("operator").token) as peer:
        peer.watch()
        peer.channel = peer.open_channel(LABEL, protocol=SUBPROTOCOL)
        peer.connect()
        yield peer


def answer_on_channel(peer: AiortcPeer, message: dict | str | bytes) -> dict:
    count = len(peer.messages)
    peer.send(peer.channel, json.dumps(message) if isinstance(message, dict) else message)
    heard = lambda: [json.loads(text) for _, text in peer.messages[count:]]  # noqa: E731
    answers = lambda: [message for message in heard() if message["kind"] in ("accepted", "error")]  # noqa: E731
    return wait_for(answers, "an answer on the data channel", ANSWER_SECONDS)[0]


@pytest.mark.parametrize("kind", ["prose", "nothing", "list", "deep payload", "duplicate member", "lone surrogate"])
def test_what_is_no_message_is_explained_on_a_channel(scene: Scene, peer: AiortcPeer, kind: str) -> None:
    text, words = TEXTS[kind]
    with scene.counts("badEnvelope"):
        assert_refused(answer_on_channel(peer, text), "badEnvelope", words)
    assert answer_on_channel(peer, scene.envelope())["kind"] == "accepted", "the channel goes on"


@pytest.mark.parametrize("kind", ["unknown kind", "future version", "unknown incident", "text too long"])
def test_wrong_message_is_explained_on_a_channel(scene: Scene, peer: AiortcPeer, kind: str) -> None:
    different, code, words = ENVELOPES[kind]
    message = scene.envelope(**different)
    with scene.counts(f'"{code}"'):
        assert_refused(answer_on_channel(peer, message), code, words, message["id"])


def test_signalling_does_not_belong_on_a_channel(scene: Scene, peer: AiortcPeer) -> None:
    message = {"v": 1, "id": next(ids), "kind": "offer", "sdp": "v=0"}
    with scene.counts("unknownKind"):
        assert_refused(answer_on_channel(peer, message), "unknownKind", "kind", message["id"])


def test_other_messages_than_text_do_not_harm_a_channel(scene: Scene, peer: AiortcPeer) -> None:
    for message in (b"\x00\xff\xfe", b"", b'{"v":1,"kind":"chat"}'):
        peer.send(peer.channel, message)
    assert wait_for(lambda: answer_on_channel(peer, scene.envelope())["kind"] == "accepted", "the channel goes on")


def test_oversized_message_is_explained_on_a_channel(scene: Scene, peer: AiortcPeer) -> None:
    with scene.counts("tooLarge"):
        answer = answer_on_channel(peer, scene.envelope(payload={"text": "x" * 65_500}))
        assert_refused(answer, "tooLarge", r"\d{5} bytes")


# Retries


def test_replayed_message_counts_once(scene: Scene, line: Line, dial: Callable[[Key], Line]) -> None:
    message = scene.envelope()
    first = line.answer(message)
    for again in (line, dial(scene.node.key("operator"))):
        repeated = again.answer(message)
        assert repeated["number"] == first["number"] and repeated["repeat"] is True, repeated
    # Members in another order, the same content.
    assert line.answer(dict(reversed(message.items())))["number"] == first["number"]


def test_reused_id_is_explained(scene: Scene, line: Line) -> None:
    message = scene.envelope()
    assert line.answer(message)["kind"] == "accepted"
    for different in ({"payload": {"text": "Something else"}}, {"kind": "note"}):
        with scene.counts("idReused"):
            assert_refused(line.answer(message | different), "idReused", "id", message["id"])


def test_ids_are_each_persons_own(scene: Scene, line: Line, dial: Callable[[Key], Line]) -> None:
    message = scene.envelope()
    first = line.answer(message)
    second = dial(scene.caller).answer(message | {"payload": {"text": "Mine"}})
    assert second["kind"] == "accepted" and second["number"] != first["number"]


# Clocks

CLOCKS = {
    "an hour ahead": (timedelta(hours=1), "fromTheFuture"),
    "a year ahead": (timedelta(days=365), "fromTheFuture"),
    "an hour behind": (timedelta(hours=-1), "stale"),
    "in 1970": (timedelta(days=-20_000), "stale"),
}


@pytest.mark.parametrize("kind", list(CLOCKS))
def test_fix_of_a_wrong_clock_is_kept_and_marked(scene: Scene, line: Line, kind: str) -> None:
    skew, mark = CLOCKS[kind]
    fixed_at = (datetime.now(timezone.utc) + skew).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    line.answer({"v": 1, "kind": "subscribe", "incident": scene.incident})
    number = line.answer(scene.fix(fixedAt=fixed_at))["number"]
    event = line.event(number)
    assert mark in event["payload"]["marks"], event
    assert event["payload"]["fixedAt"] == fixed_at, "it says what it said"
    now = datetime.now(timezone.utc)
    assert abs(datetime.fromisoformat(event["time"]) - now) < timedelta(seconds=30), "the journal has its own clock"


@pytest.mark.parametrize("fixed_at", [
    "9999-12-31T23:59:59.999999Z", "0000-01-01T00:00:00.000Z", "2026-12-31T23:59:60.000Z", "2026-11-26T24:00:00.000Z",
    "2026-11-26T12:00:00.000+99:99", "2026-11-26T12:00:00.00000000000001Z",
])
def test_odd_times_harm_nothing(scene: Scene, line: Line, fixed_at: str) -> None:
    answer = line.answer(scene.fix(fixedAt=fixed_at))
    assert answer["kind"] == "accepted" or answer["code"] == "badPayload", answer


# Who may do what


def test_foreign_incident_does_not_exist(scene: Scene, dial: Callable[[Key], Line]) -> None:
    for key in (scene.caller, scene.node.make_link(scene.incident, "guest", "guest")):
        line = dial(key)
        for message in (scene.envelope(incident=scene.foreign), scene.envelope(kind="subscribe", incident=scene.foreign)):
            with scene.counts("notFound"):
                assert_refused(line.answer(message), "notFound", "incident", message["id"])


def test_caller_speaks_for_nobody_else(scene: Scene, dial: Callable[[Key], Line]) -> None:
    other = scene.node.make_link(scene.incident, "caller", f"other-{time.monotonic_ns()}")
    message = scene.fix(caller=other.actor, source="device")
    with scene.counts("unknownSubject"):
        assert_refused(dial(scene.caller).answer(message), "unknownSubject", "yourself", message["id"])


# Too much


@pytest.mark.parametrize("kind, payload", [("chat", {"text": "!"}), ("typing", {"on": True})])
def test_ten_times_the_rate_is_slowed_down(scene: Scene, dial: Callable[[Key], Line], kind: str, payload: dict) -> None:
    line = dial(scene.node.make_link(scene.incident, "guest", f"guest-{kind}"))
    messages = [scene.envelope(kind=kind, payload=payload) for _ in range(FLOOD)]
    answers = []
    with scene.counts("tooFast"):
        # As fast as the answers come: more than ten times the rate, and never more than a few that wait.
        for some in itertools.batched(messages, 10) if hasattr(itertools, "batched") else zip(*[iter(messages)] * 10):
            for message in some:
                line.say(message)
            answers += [line.hear("accepted", "error") for _ in some]
    refused = [answer for answer in answers if answer["kind"] == "error"]
    assert {answer["code"] for answer in refused} == {"tooFast"}, refused[:1]
    assert 200 <= len(answers) - len(refused) <= 400, "what one may send at once, and a little more"
    assert all(0 < answer["retryAfter"] <= 1 and "ms" in answer["text"] for answer in refused), refused[:1]
    time.sleep(answers[-1].get("retryAfter", 0))
    line.say(messages[-1])
    assert line.hear("accepted", "error")["kind"] == "accepted", "afterwards one goes on"


def test_flood_without_waiting_is_answered_or_ended(scene: Scene, dial: Callable[[Key], Line]) -> None:
    line = dial(scene.node.make_link(scene.incident, "guest", "guest-flood"))
    count, code = 0, None
    with contextlib.suppress(ConnectionClosed):
        for _ in range(FLOOD):
            line.say(scene.envelope())
    try:
        while count < FLOOD:
            count += line.hear("accepted", "error") is not None
    except ConnectionClosed as closing:
        code, reason = closing.rcvd.code, closing.rcvd.reason
        assert code == 1008 and "wait" in reason, (code, reason)
    assert count == FLOOD or code == 1008


# After all that


def test_metrics_can_be_read_by_prometheus(scene: Scene) -> None:
    """Each name is described once, and each sample stands once."""
    with urllib.request.urlopen(f"{scene.node.base}/metrics", timeout=5) as response:
        lines = response.read().decode().splitlines()
    for start in ("# HELP ", "# TYPE ", ""):
        names = [line.removeprefix(start).rsplit(" ", 1)[0] if not start else line.split()[2] for line in lines
                 if line.startswith(start) and line.startswith("#") == bool(start)]
        assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


def test_bystander_has_noticed_nothing(scene: Scene, report: Callable[..., None]) -> None:
    """The last test of this file: after all that."""
    bystander = scene.bystander
    report(test="bad metadata", roundTrips=len(bystander.round_trips), p50=round(bystander.percentile(0.5), 4),
           p99=round(bystander.percentile(SHARE), 4), most=round(max(bystander.round_trips), 4))
    assert bystander.percentile(SHARE) < MOST_SECONDS
