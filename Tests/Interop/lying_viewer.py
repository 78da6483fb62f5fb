"""A viewer that lies to the relay: well-formed and malformed feedback that cannot be true, as fast as it likes."""

import asyncio
import random
import re
import struct
import time
from collections.abc import Callable

from hostile_peer import CONTROL_SSRC, HostilePeer

TRANSPORT_SEQUENCE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#: An identifier for the extension that aiortc does not use itself (RFC 8285).
EXTENSION_ID = 9
RATE = 500

Lie = Callable[[random.Random, int], bytes]


def with_transport_feedback(offer: str) -> str:
    """Offers transport-wide feedback for the picture, which aiortc does not know."""
    head, *sections = re.split(r"(?=^m=)", offer, flags=re.MULTILINE)
    lines = f"a=extmap:{EXTENSION_ID} {TRANSPORT_SEQUENCE}\r\na=rtcp-fb:* transport-cc\r\n"
    return head + "".join(each + lines if each.startswith("m=video") else each for each in sections)


def control(kind: int, count: int, body: bytes, sender: int = CONTROL_SSRC) -> bytes:
    """An RTCP packet: `count` is the report count or feedback message type (RFC 3550 §6.4, RFC 4585 §6.1)."""
    body = struct.pack("!I", sender) + body
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def remb(bits_per_second: int, ssrc: int) -> bytes:
    """Receiver-estimated maximum bitrate (draft-alvestrand-rmcat-remb §2.2)."""
    exponent = max(0, bits_per_second.bit_length() - 18)
    rate = exponent << 18 | bits_per_second >> exponent
    return control(206, 15, struct.pack("!I4sII", 0, b"REMB", 1 << 24 | rate, ssrc))


def transport_feedback(ssrc: int, base: int, count: int, reference: int, chunks: list[int], deltas: bytes) -> bytes:
    """Transport-wide feedback with whatever is given (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1)."""
    body = struct.pack("!IHHI", ssrc, base & 0xFFFF, count & 0xFFFF, (reference & 0xFFFFFF) << 8)
    body += b"".join(struct.pack("!H", chunk) for chunk in chunks) + deltas
    return control(205, 15, body + bytes(-len(body) % 4))


def absurd_feedback(chance: random.Random, ssrc: int) -> bytes:
    """Feedback that nobody honest gives."""
    kind = chance.randrange(5)
    base, count, reference = chance.getrandbits(16), chance.randint(1, 8000), chance.getrandbits(24)
    if kind == 0:  # Noise.
        return control(205, 15, struct.pack("!I", ssrc) + chance.randbytes(4 * chance.randint(0, 100)))
    if kind == 1:  # Promises more packets than it tells of.
        return transport_feedback(ssrc, base, 0xFFFF, reference, [1 << 13 | 0x1FFF], b"")
    if kind == 2:  # Everything is lost, sent or not.
        return transport_feedback(ssrc, base, count, reference, [count], b"")
    if kind == 3:  # Came before it went, or hours later: large deltas from -8 s to 8 s.
        count = min(count, 100)
        deltas = b"".join(struct.pack("!h", chance.randint(-0x8000, 0x7FFF)) for _ in range(count))
        return transport_feedback(ssrc, base, count, reference, [2 << 13 | count], deltas)
    # All at once: no link is as fast as that.
    count = min(count, 200)
    return transport_feedback(ssrc, base, count, reference, [1 << 13 | count], bytes(count))


def receiver_report(chance: random.Random, ssrc: int) -> bytes:
    """All lost, no less than for ever, with a round trip of hours (RFC 3550 §6.4.2)."""
    report = struct.pack(
        "!IIIIII", ssrc, 0xFF << 24 | 0x7FFFFF, chance.getrandbits(32), 0xFFFFFFFF, chance.getrandbits(32),
        chance.getrandbits(32))
    return control(201, 1, report)


def nack(chance: random.Random, ssrc: int) -> bytes:
    """Asks for hundreds of packets again (RFC 4585 §6.2.1)."""
    entries = b"".join(struct.pack("!HH", chance.getrandbits(16), 0xFFFF) for _ in range(20))
    return control(205, 1, struct.pack("!I", ssrc) + entries)


def picture_loss(chance: random.Random, ssrc: int) -> bytes:
    """RFC 4585 §6.3.1, or the stronger request of RFC 5104 §4.3.1."""
    if chance.random() < 0.5:
        return control(206, 1, struct.pack("!I", ssrc))
    return control(206, 4, struct.pack("!III", 0, ssrc, chance.randrange(256) << 24))


LIES: dict[str, Lie] = {
    "remb of nothing": lambda _, ssrc: remb(0, ssrc),
    "remb of 10^18": lambda _, ssrc: remb(10**18, ssrc),
    "absurd transport feedback": absurd_feedback,
    "absurd reports": receiver_report,
    "nack flood": nack,
    "pli flood": picture_loss,
}


class LyingViewer(HostilePeer):
    """Watches one picture, and lies about it. Use as a context manager."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token, with_transport_feedback)

    def connect(self) -> None:
        self.watch()
        self.start_offering()
        self._run(self._wait_for_connection())

    @property
    def picture(self) -> int:
        """The SSRC that the service sends the picture with."""
        section = self.answer.split("m=video")[1].split("\r\nm=")[0]
        return int(re.search(r"a=ssrc:(\d+)", section)[1])

    @property
    def agreed(self) -> bool:
        """Whether the service will number what it sends, so that there is something to lie about."""
        return TRANSPORT_SEQUENCE in self.answer

    def lie(self, lie: Lie, count: int) -> int:
        """Says it over and over at `RATE` a second; how often it did."""
        return self._run(self._lie(lie, count))

    async def _lie(self, lie: Lie, count: int) -> int:
        began = time.monotonic()
        for number in range(count):
            await self._dtls._send_rtp(lie(self.chance, self.picture))
            if (ahead := number / RATE - (time.monotonic() - began)) > 0.005:
                await asyncio.sleep(ahead)
        return count

    async def _wait_for_connection(self) -> None:
        deadline = time.monotonic() + 10
        while self.connection.connectionState != "connected":
            if time.monotonic() > deadline:
                raise AssertionError(f"the liar is {self.connection.connectionState}, not connected")
            await asyncio.sleep(0.02)
