"""Bad input gets a clear answer and harms no one else: a call is in progress all the while, and its frames keep coming."""

import contextlib
import json
import random
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import hostile_peer
import metrics
import service as services
import tokens
from aiortc_peer import AiortcPeer
from hostile_peer import HostilePeer, send_noise, wrong_fingerprint
from metrics import Growth
from service import Service
from steering import media_address
from waiting import wait_for

OFFER = (services.ROOT / "fixtures/sdp/chromium-sendonly.sdp").read_text()
OFFER_TYPE = "application/sdp"
FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"
FLOOD = 5000
IDLE_CONNECTIONS = 600
BINDING_ERROR = bytes([0x01, 0x11])
#: Bytes of a refusal; a check with our shortest username has more.
MOST_TOLD = 64
MEDIA, DTLS = range(128, 192), range(20, 64)


@dataclass
class Call:
    """A running service with its simulated caller, and a viewer who must not notice anything."""

    service: Service
    viewer: AiortcPeer
    key: Ed25519PrivateKey

    @property
    def media(self) -> tuple[str, int]:
        return media_address(self.viewer.answer)

    def token(self, **claims: object) -> str:
        return tokens.sign(self.key, **claims)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    folder = tmp_path_factory.mktemp("bad-input")
    service = services.start(folder)
    try:
        with AiortcPeer(service.whep, service.whep_token) as viewer:
            viewer.watch()
            viewer.connect()
            wait_for(lambda: viewer.received.video_frames > 30, "the healthy call runs", 20)
            yield Call(service, viewer, tokens.load_key(folder))
    finally:
        assert service.stop() == 0, "the service ends cleanly on SIGTERM"


@pytest.fixture
def call(running: Call) -> Iterator[Call]:
    """The call, which must be as well after the test as before."""
    yield running
    assert running.service.process.poll() is None, "the service runs"
    frames = running.viewer.received.video_frames
    wait_for(lambda: running.viewer.received.video_frames >= frames + 30, "the viewer's frames keep coming", 5)
    assert running.viewer.connection.connectionState == "connected"
    with urllib.request.urlopen(f"{running.service.base}/healthz", timeout=5) as response:
        assert response.status == 200


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def problem(self) -> dict:
        assert self.headers.get("Content-Type") == "application/problem+json", self
        return json.loads(self.text)


def ask(method: str, url: str, body: str | bytes = b"", token: str | None = None, **headers: str) -> Answer:
    """One request; keywords are header fields, with `_` for `-`."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        fields["Authorization"] = f"Bearer {token}"
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data=data if method in ("POST", "PATCH") else None, headers=fields, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return Answer(response.status, dict(response.headers), response.read().decode())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, dict(refusal.headers), refusal.read().decode())


def offer(call: Call, description: str | bytes, token: str | None = None) -> Answer:
    return ask("POST", call.service.whip, description, token or call.service.whip_token, Content_Type=OFFER_TYPE)


# Descriptions


def replaced(pattern: str, text: str) -> str:
    altered, count = re.subn(pattern, text, OFFER, count=1, flags=re.MULTILINE)
    assert count == 1, f"the fixture has no line like {pattern}"
    return altered


def without(prefix: str) -> str:
    kept = [line for line in OFFER.splitlines() if not line.startswith(prefix)]
    assert len(kept) < len(OFFER.splitlines())
    return "\r\n".join(kept) + "\r\n"


#: The description, and whether the answer has to name a line (something may also be missing everywhere).
MALFORMED = {
    "empty": ("", False),
    "prose": ("Hello, is this the emergency line?\r\n", True),
    "binary": (bytes(range(256)) * 8, False),
    "JSON": ('{"type": "offer", "sdp": ""}', True),
    "wrong version": (replaced(r"^v=0", "v=1"), True),
    "line without a value": (replaced(r"^t=.*$", "nonsense"), True),
    "media line cut short": (replaced(r"^m=video.*$", "m=video"), True),
    "port that is no number": (replaced(r"^m=video \d+", "m=video nine"), True),
    "port out of range": (replaced(r"^m=video \d+", "m=video 99999"), True),
    "payload type that is no number": (replaced(r"^a=rtpmap:\d+", "a=rtpmap:xx"), True),
    "clock rate out of range": (replaced(r"^(a=rtpmap:\d+ \w+)/\d+", r"\1/99999999999999999999"), True),
    "short ICE password": (replaced(r"^a=ice-pwd:.*$", "a=ice-pwd:short"), True),
    "short ICE fragment": (replaced(r"^a=ice-ufrag:.*$", "a=ice-ufrag:x"), True),
    "no ICE credentials": (without("a=ice-"), False),
    "fingerprint that is no hexadecimal": (replaced(r"^a=fingerprint:.*$", "a=fingerprint:sha-256 ZZ:ZZ"), True),
    "fingerprint cut short": (replaced(r"^(a=fingerprint:sha-256 \w\w:\w\w).*$", r"\1"), True),
    "no fingerprint": (without("a=fingerprint"), False),
    "no media": (OFFER[: OFFER.index("m=")], False),
}


@pytest.mark.parametrize("kind", list(MALFORMED))
def test_malformed_description_is_explained(call: Call, kind: str) -> None:
    description, names_line = MALFORMED[kind]
    answer = offer(call, description)
    assert answer.status == 400, answer
    assert answer.problem["code"] in ("badDescription", "badRequest"), answer
    assert len(answer.problem["detail"]) >= 20, "the reason is in words"
    if names_line:
        assert re.match(r'line \d+: ".*": \w+', answer.problem["detail"]), answer.problem["detail"]


def test_named_line_is_the_wrong_one(call: Call) -> None:
    description = replaced(r"^a=rtpmap:\d+", "a=rtpmap:xx")
    number = 1 + next(place for place, line in enumerate(description.splitlines()) if line.startswith("a=rtpmap:xx"))
    assert offer(call, description).problem["detail"].startswith(f'line {number}: "a=rtpmap:xx')


def test_mutated_descriptions_never_hurt(call: Call) -> None:
    chance = random.Random(7)
    statuses = {offer(call, hostile_peer.mutate(OFFER.encode(), chance)).status for _ in range(150)}
    assert statuses <= {201, 400}, statuses
    assert 400 in statuses


# Who may come in


def test_missing_and_unknown_tokens_are_refused(call: Call) -> None:
    foreign = tokens.sign(Ed25519PrivateKey.generate())
    header, _, signature = call.token().split(".")
    stolen = ".".join([header, call.token(incident="other").split(".")[1], signature])
    unsigned = tokens.sign(call.key, header={"alg": "none"})
    for token in (None, "", "garbage", "a.b.c", foreign, stolen, unsigned, "x" * 5000):
        answer = ask("POST", call.service.whip, OFFER, token, Content_Type=OFFER_TYPE)
        assert answer.status == 401, (token, answer)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), answer
        assert answer.problem["code"] == "missingToken" if token is None else True


def test_expired_token_is_refused(call: Call) -> None:
    answer = offer(call, OFFER, call.token(iat=1_700_000_000, exp=1_700_000_600))
    assert answer.status == 401
    assert answer.problem["code"] == "expiredToken"
    assert "error=\"invalid_token\"" in answer.headers["WWW-Authenticate"]


def test_token_for_something_else_is_refused(call: Call) -> None:
    for token in (call.token(incident="other"), call.token(direction=["subscribe"]), call.service.whep_token):
        answer = offer(call, OFFER, token)
        assert answer.status == 403, answer
        assert answer.problem["code"] == "forbidden"
    answer = ask("POST", call.service.whep, OFFER, call.service.whip_token, Content_Type=OFFER_TYPE)
    assert answer.status == 403, "a token for publishing does not watch"


# Requests that make no sense


def test_wrong_content_type_is_refused(call: Call) -> None:
    for kind in ("text/plain", "application/json", "application/trickle-ice-sdpfrag"):
        answer = ask("POST", call.service.whip, OFFER, call.service.whip_token, Content_Type=kind)
        assert answer.status == 415 and OFFER_TYPE in answer.problem["detail"], answer


def test_too_large_a_description_is_refused(call: Call) -> None:
    answer = offer(call, OFFER + "a=x-padding:" + "x" * (65 << 10) + "\r\n")
    assert answer.status == 413 and re.search(r"\d{4,} bytes", answer.problem["detail"]), answer


def test_unknown_session_is_refused(call: Call) -> None:
    token = call.service.whip_token
    for name in ("nobody", "0" * 16, "..%2f..", "%00"):
        address = f"{call.service.whip}/{name}"
        fragment = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
        answer = ask("PATCH", address, fragment, token, Content_Type=FRAGMENT_TYPE, If_Match="*")
        assert answer.status == 404, (name, answer)
        assert ask("DELETE", address, token=token).status == 404, name


@pytest.fixture
def session(call: Call) -> Iterator[tuple[str, str]]:
    """A session's address and entity tag."""
    answer = offer(call, OFFER)
    assert answer.status == 201, answer
    address = call.service.base + answer.headers["Location"]
    yield address, answer.headers["ETag"]
    ask("DELETE", address, token=call.service.whip_token)


FRAGMENT = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"


def test_conditions_of_a_patch(call: Call, session: tuple[str, str]) -> None:
    address, tag = session
    send = lambda body, **headers: ask(  # noqa: E731
        "PATCH", address, body, call.service.whip_token, Content_Type=FRAGMENT_TYPE, **headers)
    assert send(FRAGMENT).status == 428
    assert send(FRAGMENT, If_Match='"stale"').status == 412
    assert send(FRAGMENT, If_Match=tag).status == 204
    restart = send(FRAGMENT, If_Match="*")
    assert restart.status == 200 and restart.headers["ETag"] != tag
    assert send(FRAGMENT, If_Match=tag).status == 412, "the former tag is stale after a restart"
    assert send("nonsense", If_Match="*").status == 400
    assert send("", If_Match="*").status == 400
    assert send("a=candidate:" + "x" * (20 << 10), If_Match=restart.headers["ETag"]).status == 413
    wrong_type = ask("PATCH", address, FRAGMENT, call.service.whip_token, Content_Type=OFFER_TYPE, If_Match=tag)
    assert wrong_type.status == 415


def test_session_is_its_owners_only(call: Call, session: tuple[str, str]) -> None:
    address, tag = session
    stranger = call.token(sub="stranger")
    answer = ask("PATCH", address, FRAGMENT, stranger, Content_Type=FRAGMENT_TYPE, If_Match="*")
    assert answer.status == 404
    assert ask("DELETE", address, token=stranger).status == 404


def test_mutated_fragments_never_hurt(call: Call, session: tuple[str, str]) -> None:
    address, _ = session
    chance = random.Random(8)
    candidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host generation 0\r\n"
    for _ in range(100):
        body = hostile_peer.mutate((FRAGMENT + candidate).encode(), chance)
        answer = ask("PATCH", address, body, call.service.whip_token, Content_Type=FRAGMENT_TYPE, If_Match="*")
        assert answer.status in (200, 400), answer


# Strangers at the media port

STRANGERS: dict[str, tuple[Callable[[random.Random], bytes], str]] = {
    "RTP": (hostile_peer.rtp, "unknown_sender"),
    "RTCP": (hostile_peer.rtcp, "unknown_sender"),
    "DTLS": (hostile_peer.dtls, "unknown_sender"),
    "STUN": (hostile_peer.stun, "foreign_stun"),
    "noise": (hostile_peer.anything, "datagrams_received"),
}


@pytest.mark.parametrize("kind", list(STRANGERS))
def test_strangers_are_ignored(call: Call, kind: str) -> None:
    make, counter = STRANGERS[kind]
    chance = random.Random(kind)
    growth = Growth(call.service)
    sent = send_noise(call.media, (make(chance) for _ in range(FLOOD)))
    # A socket buffer may overflow on a busy machine; that is not what is tested here.
    wait_for(lambda: growth[counter] >= 0.8 * sent, f"{counter} counts them", 5)
    assert growth["handshakes_done"] == 0


def test_idle_connections_give_way(call: Call) -> None:
    """Strangers who open TCP connections and say nothing take no one's place."""
    address = media_address(call.viewer.answer, "tcp")
    with contextlib.ExitStack() as strangers:
        for _ in range(IDLE_CONNECTIONS):
            strangers.enter_context(socket.create_connection(address, timeout=5))
        wait_for(lambda: metrics.read(call.service)["tcp_connections"] <= 300, "the oldest are dropped", 5)
        with HostilePeer(call.service.whep, call.service.whep_token) as peer:
            peer.watch()
            peer.connect()
            wait_for(lambda: peer.received.video_frames > 0, "a new viewer finds room", 10)
    wait_for(lambda: metrics.read(call.service)["tcp_connections"] == 0, "no connection is left", 5)


def test_noise_on_connections_is_survived(call: Call) -> None:
    address = media_address(call.viewer.answer, "tcp")
    chance = random.Random(9)
    for _ in range(200):
        with socket.create_connection(address, timeout=5) as stranger, contextlib.suppress(ConnectionError):
            for make in chance.sample([make for make, _ in STRANGERS.values()], 3):
                datagram = make(chance)
                length = len(datagram) if chance.random() < 0.7 else chance.getrandbits(16)
                stranger.sendall(length.to_bytes(2, "big") + datagram)
    wait_for(lambda: metrics.read(call.service)["tcp_connections"] == 0, "no connection is left", 15)


def test_checks_with_the_wrong_password_succeed_never(call: Call) -> None:
    """At most they are told that they are not authentic, in fewer bytes than they sent (RFC 8489 §9.1.3)."""
    ours = re.search(r"^a=ice-ufrag:(\S+)", call.viewer.answer, re.MULTILINE)[1]
    growth = Growth(call.service)
    for username in (f"{ours}:peer", "nobody:peer", ours, ":", "x" * 500):
        response = hostile_peer.binding_response(call.media, username, b"not the password")
        assert response is None or (response[:2] == BINDING_ERROR and len(response) <= MOST_TOLD), (username, response)
    assert growth["foreign_stun"] >= 5


def test_mutated_packets_of_the_viewer_from_another_address(call: Call) -> None:
    """What an eavesdropper could send: packets of the healthy call, damaged or whole."""
    with HostilePeer(call.service.whep, call.service.whep_token) as peer:
        peer.watch()
        peer.connect()
        wait_for(lambda: len(peer.sent) >= 5, "packets to copy", 10)
        stock, chance = list(peer.sent), random.Random(3)
        growth = Growth(call.service)
        sent = send_noise(call.media, (hostile_peer.mutate(chance.choice(stock), chance, 1) for _ in range(FLOOD)))
        wait_for(lambda: growth["unknown_sender"] >= 0.6 * sent, "they count as unknown senders", 5)


# Peers that negotiated, and then break the rules. They are in an incident of their own, with a viewer of their own, so
# that what they send goes all the way through; the healthy call is in another incident on the same thread.


@pytest.fixture
def hostile(call: Call) -> Iterator[HostilePeer]:
    base, incident = call.service.base, "hostile"
    with HostilePeer(f"{base}/whip/{incident}", call.token(incident=incident)) as peer:
        peer.channel = peer.open_channel("chat")
        peer.publish()
        peer.connect()
        with AiortcPeer(f"{base}/whep/{incident}", call.token(incident=incident, kind="viewer")) as watcher:
            watcher.watch()
            watcher.connect()
            wait_for(lambda: watcher.received.video_frames > 0, "the hostile peer's media goes through at first", 10)
            peer.watcher = watcher
            yield peer


def test_wrong_fingerprint_never_connects(call: Call) -> None:
    growth = Growth(call.service)
    with HostilePeer(call.service.whip, call.service.whip_token, wrong_fingerprint) as peer:
        peer.publish()
        peer.start_offering()
        wait_for(lambda: growth["handshakes_failed"] == 1, "the handshake fails", 10)
        assert peer.connection.connectionState != "connected"
    assert growth["handshakes_done"] == 0


def test_damaged_media_is_rejected(call: Call, hostile: HostilePeer) -> None:
    wait_for(lambda: any(packet[0] in MEDIA for packet in hostile.sent), "media to damage", 10)
    growth = Growth(call.service)
    sent = hostile.send_damaged_datagrams(FLOOD, MEDIA)
    refused = lambda: growth["srtp_rejected"] + growth["srtp_replayed"] + growth["unknown_protocol"]  # noqa: E731
    wait_for(lambda: refused() >= 0.7 * sent, "they are refused", 10)
    frames = hostile.watcher.received.video_frames
    wait_for(lambda: hostile.watcher.received.video_frames > frames + 10, "the peer's own media goes on as well", 10)


def test_damaged_records_are_ignored(call: Call, hostile: HostilePeer) -> None:
    hostile.send(hostile.channel, *["hello"] * 20)
    wait_for(lambda: any(packet[0] in DTLS for packet in hostile.sent), "records to damage", 10)
    hostile.send_damaged_datagrams(FLOOD, DTLS)
    frames = hostile.watcher.received.video_frames
    wait_for(lambda: hostile.watcher.received.video_frames > frames + 10, "the peer's own media goes on as well", 10)


def test_protected_nonsense_is_survived(call: Call, hostile: HostilePeer) -> None:
    growth = Growth(call.service)
    sent = hostile.send_damaged_rtp(FLOOD)
    assert sent >= 0.5 * FLOOD, "most were sent"
    wait_for(lambda: growth["rtp_received"] >= 0.5 * sent, "they reach the relay", 10)


def test_protected_control_nonsense_is_survived(call: Call, hostile: HostilePeer) -> None:
    growth = Growth(call.service)
    sent = hostile.send_damaged_control(FLOOD)
    assert sent >= 0.5 * FLOOD, "most were sent"
    wait_for(lambda: growth["rtcp_malformed"] >= 0.1 * sent, "they reach the relay", 10)


def test_greedy_viewer_gets_no_more_than_its_share(call: Call) -> None:
    with HostilePeer(call.service.whep, call.service.whep_token) as greedy:
        greedy.watch()
        greedy.connect()
        wait_for(lambda: greedy.received.video_frames > 0, "the greedy viewer sees the call", 10)
        slot = int(re.search(r"m=video.*?^a=ssrc:(\d+)", greedy.answer, re.MULTILINE | re.DOTALL)[1])
        growth = Growth(call.service)
        assert greedy.send_requests(slot, FLOOD) == FLOOD
        wait_for(lambda: growth["nacks_received"] >= 100 * FLOOD, "the requests arrive", 10)
        assert growth["rtx_sent"] <= 20 * growth["rtp_received"]
        assert growth["keyframes_requested"] <= 20, "requests for keyframes are coalesced"


def test_damaged_associations_are_survived(call: Call, hostile: HostilePeer) -> None:
    hostile.keep_sending(hostile.channel)
    assert hostile.send_damaged_sctp(FLOOD) >= 0.9 * FLOOD


def test_service_still_takes_new_calls(call: Call) -> None:
    """The last test of this file: after all that."""
    with AiortcPeer(call.service.whep, call.service.whep_token) as viewer:
        viewer.watch()
        viewer.connect()
        wait_for(lambda: viewer.received.video_frames > 30, "a new viewer sees the call", 10)
    assert metrics.read(call.service)["peers"] >= 2
