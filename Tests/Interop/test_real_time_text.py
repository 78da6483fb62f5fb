"""Real-time text (RFC 8865) from a peer that is not ours: letter by letter to staff, finished lines in the journal, and back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

import journal
from api import Api
from browser import ChromiumPage
from metadata_client import MetadataClient
from node import Node
from waiting import run_async, wait_for

PROTOCOL = "t140"
NEW_LINE, ERASE, LOSS = "\u2028", "\b", "\ufffd"
OPEN_SECONDS = 10


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("text")) as node:
        yield node


@dataclass
class Talk:
    """A caller with a text channel, and the operator who follows on a WebSocket."""

    incident: str
    caller: str
    connection: RTCPeerConnection
    channel: RTCDataChannel
    #: All that came on the channel, one after the other.
    heard: list[str]
    operator: MetadataClient

    async def type(self, *texts: str) -> None:
        for text in texts:
            self.channel.send(text)
            # A person types at times; what is sent at once may come together.
            await asyncio.sleep(0)

    def live(self) -> str:
        """The caller's characters as the operator saw them come."""
        return "".join(each["payload"]["text"] for each in self.followed.ephemerals if each["kind"] == "text.live")

    def lines(self) -> list[dict]:
        return [each["payload"] for each in self.followed.events if each["kind"] == "chat"]

    @property
    def followed(self):
        return self.operator.core.followed[self.incident]

    async def until(self, look: Callable[[], object], what: str) -> None:
        await self.operator.until(look, what, 5)


@contextlib.asynccontextmanager
async def talk(node: Node, label: str = "conversation") -> AsyncIterator[Talk]:
    incident = node.open_incident()
    key = node.make_link(incident, "caller", "Ada")
    operator = MetadataClient(node.base, node.accounts["operator"]["token"], incident, name="operator", sees_all=True)
    async with operator:
        await operator.follow()
        connection = RTCPeerConnection()
        heard: list[str] = []
        try:
            # RFC 8864 leaves the label free: the subprotocol says what the channel is.
            channel = connection.createDataChannel(label, ordered=True, protocol=PROTOCOL)
            channel.on("message", heard.append)
            await connect(node, incident, key.token, connection)
            await operator.until(lambda: channel.readyState == "open", "the channel is open", OPEN_SECONDS)
            yield Talk(incident, key.actor, connection, channel, heard, operator)
        finally:
            await connection.close()


async def connect(node: Node, incident: str, token: str, connection: RTCPeerConnection) -> None:
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{node.base}/whip/{incident}", data=connection.localDescription.sdp) as response:
            answer = await response.text()
            assert response.status == 201, answer
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))


def play(node: Node, scene: Callable[[Talk], Awaitable[None]], **options: str) -> None:
    async def run() -> None:
        async with talk(node, **options) as conversation:
            await scene(conversation)

    run_async(run())


def test_characters_come_one_by_one_and_in_order(node: Node) -> None:
    text = "Hilfe! Rauch im 3. Stock 🔥 — Ünïcödé"

    async def scene(talk: Talk) -> None:
        await talk.type("\ufeff", *text)
        await talk.until(lambda: talk.live() == text, "all characters in order")
        events = [each for each in talk.followed.ephemerals if each["kind"] == "text.live"]
        assert len(events) > 5, "they come while they are typed, not at the end"
        assert all("number" not in each for each in events)
        assert {(each["actor"]["id"], each["actor"]["role"]) for each in events} == {(talk.caller, "caller")}
        assert not talk.lines(), "no message before the line is finished"

    play(node, scene)


def test_finished_line_becomes_a_durable_message(node: Node) -> None:
    async def scene(talk: Talk) -> None:
        await talk.type(*"first", NEW_LINE, "second", NEW_LINE, "th")
        await talk.until(lambda: len(talk.lines()) == 2, "both lines")
        assert talk.lines() == [{"text": "first", "realTime": True}, {"text": "second", "realTime": True}]
        await talk.type("ird", NEW_LINE)
        await talk.until(lambda: [each["text"] for each in talk.lines()] == ["first", "second", "third"], "the third")

    play(node, scene)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (("helo", ERASE, "lo"), "hello"), (("ab", ERASE * 5, "c"), "c"), (("a👩‍🚒", ERASE, "b"), "ab"),
        (("before" + NEW_LINE, ERASE * 3, "x"), "x"), (("a\x00\x1bb\x85c",), "abc"),
        (("lost" + LOSS + "found",), f"lost{LOSS}found"),
    ],
    ids=["one", "more than there are", "one of several code points", "not over the line", "controls", "loss mark"])
def test_line_is_what_is_left_of_what_was_typed(node: Node, typed: tuple[str, ...], line: str) -> None:
    async def scene(talk: Talk) -> None:
        await talk.type(*typed, NEW_LINE)
        await talk.until(lambda: talk.lines() and talk.lines()[-1]["text"] == line, f"the line {line!r}")

    play(node, scene)


def test_erasing_is_shown_to_those_who_watch(node: Node) -> None:
    async def scene(talk: Talk) -> None:
        await talk.type("helo", ERASE, "lo", NEW_LINE)
        await talk.until(lambda: talk.live() == f"helo{ERASE}lo{NEW_LINE}", "the erasing too")

    play(node, scene)


def test_line_that_was_begun_is_kept_when_the_channel_closes(node: Node) -> None:
    async def scene(talk: Talk) -> None:
        await talk.type("I cannot spe")
        await talk.until(lambda: talk.live() == "I cannot spe", "the beginning")
        talk.channel.close()
        await talk.until(lambda: talk.lines() == [{"text": "I cannot spe", "realTime": True}], "the beginning as a message")

    play(node, scene)


def test_messages_of_the_operator_appear_on_the_channel(node: Node) -> None:
    async def scene(talk: Talk) -> None:
        await talk.operator.send("chat", {"text": "Where are you?"})
        await talk.operator.send("chat", {"text": "not for callers", "to": "team"})
        await talk.operator.send("note", {"text": "nor is this"})
        await talk.operator.send("chat", {"text": "Is anybody hurt?"})
        await talk.until(lambda: len("".join(talk.heard)) >= 30, "both messages")
        assert "".join(talk.heard) == f"Where are you?{NEW_LINE}Is anybody hurt?{NEW_LINE}"

    play(node, scene)


def test_operators_own_characters_appear_as_they_are_typed_and_only_once(node: Node) -> None:
    async def scene(talk: Talk) -> None:
        for text in ("Stay ", "cal", "n", ERASE, "m", NEW_LINE):
            await talk.operator.send("text.live", {"text": text})
        await talk.operator.send("chat", {"text": "Stay calm", "realTime": True})
        await talk.operator.send("chat", {"text": "Help comes"})
        await talk.until(lambda: "Help comes" in "".join(talk.heard), "the last message")
        assert "".join(talk.heard) == f"Stay caln{ERASE}m{NEW_LINE}Help comes{NEW_LINE}"

    play(node, scene)


def test_callers_own_text_does_not_come_back(node: Node) -> None:
    async def scene(talk: Talk) -> None:
        await talk.type("echo?", NEW_LINE)
        await talk.until(lambda: talk.lines(), "the line")
        await talk.operator.send("chat", {"text": "no"})
        await talk.until(lambda: talk.heard, "the answer")
        assert talk.heard == [f"no{NEW_LINE}"]

    play(node, scene)


def test_long_text_is_cut_into_messages_and_nothing_of_it_is_lost(node: Node) -> None:
    words = "".join(f"{number} " for number in range(1_200))

    async def scene(talk: Talk) -> None:
        await talk.type(words, NEW_LINE)
        await talk.until(lambda: "".join(each["text"] for each in talk.lines()) == words, "the whole text")
        assert talk.live().rstrip(NEW_LINE) == words

    play(node, scene)


def test_what_is_no_text_does_not_end_the_conversation(node: Node) -> None:
    async def scene(talk: Talk) -> None:
        for garbage in (b"\xff\xfe\x00", b"bytes", "", NEW_LINE * 50, '{"v":1,"kind":"subscribe"}\n'):
            talk.channel.send(garbage)
        await talk.type("still here", NEW_LINE)
        await talk.until(lambda: talk.lines() and talk.lines()[-1]["text"] == "still here", "the line after it")

    play(node, scene)


#: Opens a channel for text in the browser, and keeps what comes on it.
OPEN_CHANNEL = """async ({ address, token }) => {
  window.heard = "";
  const connection = window.connection = new RTCPeerConnection();
  const channel = window.channel = connection.createDataChannel("text", { protocol: "t140" });
  channel.onmessage = ({ data }) => { window.heard += data; };
  const opened = new Promise((resolve) => { channel.onopen = resolve; });
  await connection.setLocalDescription(await connection.createOffer());
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
  const response = await fetch(address, { method: "POST", headers, body: connection.localDescription.sdp });
  await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
  await opened;
}"""


def test_chromium_talks_both_ways(node: Node, chromium: Callable[..., ChromiumPage]) -> None:
    incident = node.open_incident()
    caller = node.make_link(incident, "caller", "Ada")
    operator = Api(node.base, node.accounts["operator"]["token"])
    page = chromium(f"{node.base}/").page
    page.evaluate(OPEN_CHANNEL, {"address": f"/whip/{incident}", "token": caller.token})
    for text in ("Feu", "e", ERASE, " 🔥", NEW_LINE):
        page.evaluate("(text) => window.channel.send(text)", text)

    def chats() -> list[dict]:
        return [each["payload"] for each in journal.read(operator, incident) if each["kind"] == "chat"]

    assert wait_for(chats, "the line", 5) == [{"text": "Feu 🔥", "realTime": True}]
    operator.post(f"/api/v1/incidents/{incident}/events", {"kind": "chat", "payload": {"text": "J'arrive"}})
    wait_for(lambda: page.evaluate("window.heard") == f"J'arrive{NEW_LINE}", "the answer", 5)
