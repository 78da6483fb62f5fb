"""Peers and senders that break rules on purpose: altered offers, mutated packets, noise from strangers."""

import asyncio
import itertools
import random
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator

import aiohttp
import google_crc32c
import pylibsrtp
from aioice import stun as stun_messages
from aiortc import RTCSessionDescription

from aiortc_peer import AiortcPeer

Address = tuple[str, int]
Alteration = Callable[[str], str]

#: Datagrams sent at once before the receiver gets time to take them: a socket buffer holds some hundred.
BURST = 50
PAUSE = 0.002
#: Packets kept of what a peer sent, as stock for mutations.
STOCK = 200
#: Who damaged control packets are from; one name for all, since the service keeps a window for each.
CONTROL_SSRC = 0x0BAD_CAFE


def mutate(packet: bytes, chance: random.Random, first: int = 0) -> bytes:
    """One damaged copy: bits flipped, cut short, lengthened or filled with noise, all from byte `first` on."""
    damaged = bytearray(packet)
    kind = chance.randrange(4)
    if kind == 0:
        for _ in range(chance.randint(1, 8)):
            if len(damaged) > first:
                damaged[chance.randrange(first, len(damaged))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del damaged[max(first, chance.randrange(len(damaged) + 1)) :]
    elif kind == 2:
        damaged += chance.randbytes(chance.randint(1, 64))
    else:
        damaged[first:] = chance.randbytes(max(0, len(damaged) - first))
    return bytes(damaged)


def send_noise(to: Address, datagrams: Iterator[bytes]) -> int:
    """Sends from an address that nobody knows, at the pace that a socket buffer can take; how many were sent."""
    count = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for count, datagram in enumerate(datagrams, 1):
            stranger.sendto(datagram, to)
            if count % BURST == 0:
                time.sleep(PAUSE)
    return count


def binding_response(to: Address, username: str, password: bytes) -> bytes | None:
    """What comes back to a connectivity check (RFC 8445 §7.2), if anything does."""
    check = stun_messages.Message(message_method=stun_messages.Method.BINDING, message_class=stun_messages.Class.REQUEST)
    check.attributes["USERNAME"] = username
    check.attributes["PRIORITY"] = 1
    check.attributes["ICE-CONTROLLING"] = 1
    check.attributes["USE-CANDIDATE"] = None
    check.add_message_integrity(password)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(0.3)
        stranger.sendto(bytes(check), to)
        try:
            return stranger.recv(2048)
        except TimeoutError:
            return None


# What strangers send, by RFC 7983's first byte.


def rtp(chance: random.Random) -> bytes:
    kind, number, timestamp = chance.choice([96, 111, 127, 224]), chance.getrandbits(16), chance.getrandbits(32)
    header = struct.pack("!BBHII", 0x80, kind, number, timestamp, 1)
    return header + chance.randbytes(chance.randint(0, 1200))


def rtcp(chance: random.Random) -> bytes:
    body = chance.randbytes(4 * chance.randint(0, 50))
    return struct.pack("!BBH", 0x80 | chance.randrange(32), chance.randint(192, 223), chance.randrange(0x10000)) + body


def dtls(chance: random.Random) -> bytes:
    """A record of any type; SCTP would be in those of type 23."""
    body = chance.randbytes(chance.randint(0, 1200))
    length = len(body) if chance.random() < 0.5 else chance.getrandbits(16)
    kind, epoch, number = chance.randint(20, 63), chance.randrange(2), chance.getrandbits(16)
    return struct.pack("!BHHIHH", kind, 0xFEFD, epoch, 0, number, length) + body


def stun(chance: random.Random) -> bytes:
    body = chance.randbytes(4 * chance.randint(0, 100))
    length = len(body) if chance.random() < 0.5 else chance.getrandbits(16)
    return struct.pack("!HHI", chance.getrandbits(10), length, 0x2112A442) + chance.randbytes(12) + body


def anything(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(0, 1400))


class HostilePeer(AiortcPeer):
    """An aiortc peer that can offer something else than it does, and damage what it sends."""

    def __init__(self, url: str, token: str, alter: Alteration = lambda offer: offer, seed: int = 1) -> None:
        super().__init__(url, token)
        self.alter = alter
        self.chance = random.Random(seed)
        self.sent: list[bytes] = []

    def start_offering(self) -> None:
        """Offers and takes the answer, but does not wait for a connection."""
        self._run(self._start_offering())

    def connect(self) -> None:
        super().connect()
        self._ice._send = self._recorded(self._ice._send)

    def send_damaged_datagrams(self, count: int, first_bytes: range) -> int:
        """Sends damaged copies of what went out before (SRTP, SRTCP or DTLS) from this peer's own socket."""
        stock = [packet for packet in self.sent if packet[0] in first_bytes]
        assert stock, f"nothing has been sent that starts with {first_bytes}"
        return self._run(self._flood(lambda: self._ice_send(mutate(self.chance.choice(stock), self.chance, 1)), count))

    def send_damaged_rtp(self, count: int) -> int:
        """Sends packets with valid protection but damaged insides; SSRC and numbers are those of a stream that goes on."""
        stock = [packet for packet in self._tap("_send_rtp") if not 192 <= packet[1] <= 223]
        numbers = itertools.count(int.from_bytes(stock[-1][2:4], "big") + 1)
        return self._run(self._flood(lambda: self._dtls._send_rtp(self._media(stock, next(numbers))), count))

    def send_damaged_control(self, count: int) -> int:
        """The same for RTCP, of the packet types that this peer never sends as well."""
        return self._run(self._flood(lambda: self._dtls._send_rtp(self._control()), count))

    def send_requests(self, ssrc: int, count: int) -> int:
        """Asks for everything again, and for keyframes, as often as it goes (RFC 4585 §6.2.1, §6.3.1)."""
        return self._run(self._flood(lambda: self._dtls._send_rtp(self._request(ssrc)), count))

    def send_damaged_sctp(self, count: int) -> int:
        """Sends damaged SCTP packets inside valid DTLS; half of them get a valid checksum, and so reach the association."""
        stock = self._tap("_send_data")
        return self._run(self._flood(lambda: self._dtls._send_data(self._association_packet(stock)), count))

    def keep_sending(self, channel: object) -> None:
        """Sends something on a data channel again and again, as long as this peer lives."""

        async def chatter() -> None:
            while channel.readyState == "open":
                channel.send("hello")
                await asyncio.sleep(0.05)

        self.send(channel, "hello")
        asyncio.run_coroutine_threadsafe(chatter(), self._loop)

    def _media(self, stock: list[bytes], number: int) -> bytes:
        model = [packet for packet in stock if packet[8:12] == stock[-1][8:12]]
        packet = bytearray(mutate(self.chance.choice(model), self.chance, 12))
        if self.chance.random() < 0.3:  # padding, extension and CSRC count that the rest does not bear out
            packet[0] = 0x80 | self.chance.randrange(64)
        if self.chance.random() < 0.1:
            packet[1] = self.chance.choice([0, 63, 96, 97, 98, 127, 255])
        packet[2:4] = (number & 0xFFFF).to_bytes(2, "big")
        return bytes(packet)

    def _control(self) -> bytes:
        body = self.chance.randbytes(4 * self.chance.randint(0, 20))
        words = len(body) // 4 + 1 if self.chance.random() < 0.7 else self.chance.randrange(64)
        kind = self.chance.choice([200, 201, 202, 203, 204, 205, 206, 207])
        return struct.pack("!BBHI", 0x80 | self.chance.randrange(32), kind, words, CONTROL_SSRC) + body

    def _request(self, ssrc: int) -> bytes:
        if self.chance.random() < 0.1:
            return struct.pack("!BBHII", 0x81, 206, 2, CONTROL_SSRC, ssrc)
        packets = [(self.chance.getrandbits(16), 0xFFFF) for _ in range(20)]
        entries = b"".join(struct.pack("!HH", *entry) for entry in packets)
        return struct.pack("!BBHII", 0x81, 205, 2 + len(packets), CONTROL_SSRC, ssrc) + entries

    def _association_packet(self, stock: list[bytes]) -> bytes:
        packet = mutate(self.chance.choice(stock), self.chance, 12)
        if self.chance.random() < 0.5 or len(packet) < 12:
            return packet
        blank = packet[:8] + bytes(4) + packet[12:]
        return packet[:8] + struct.pack("<I", google_crc32c.value(blank)) + packet[12:]

    @property
    def _dtls(self) -> object:
        transports = [each.sender.transport for each in self.connection.getTransceivers()]
        return transports[0] if transports else self.connection.sctp.transport

    @property
    def _ice(self) -> object:
        return self._dtls.transport

    def _recorded(self, send: Callable) -> Callable:
        self._ice_send = send

        async def record(packet: bytes) -> None:
            self.sent.append(packet)
            del self.sent[:-STOCK]
            await send(packet)

        return record

    def _tap(self, name: str) -> list[bytes]:
        """Listens to one of the transport's ways of sending for a moment."""
        heard: list[bytes] = []
        send = getattr(self._dtls, name)

        async def listen(packet: bytes) -> None:
            heard.append(bytes(packet))
            await send(packet)

        setattr(self._dtls, name, listen)
        deadline = time.monotonic() + 5
        while len(heard) < 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        setattr(self._dtls, name, send)
        assert heard, f"{name} was not used"
        return heard

    async def _flood(self, send: Callable, count: int) -> int:
        done = 0
        for number in range(count):
            try:
                await send()
                done += 1
            except (pylibsrtp.Error, ValueError):  # Too damaged for aiortc's own SRTP library to protect.
                pass
            if number % BURST == 0:
                await asyncio.sleep(PAUSE)
        return done

    async def _start_offering(self) -> None:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"}
        offer = self.alter(self.connection.localDescription.sdp)
        async with aiohttp.ClientSession() as client:
            async with client.post(self.url, data=offer, headers=headers) as response:
                self.answer = await response.text()
                assert response.status == 201, f"{response.status}: {self.answer}"
                self.session = str(response.url.join(aiohttp.client.URL(response.headers["Location"])))
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))


def wrong_fingerprint(offer: str) -> str:
    """Changes one digit of each fingerprint's first byte."""
    return re.sub(r"(a=fingerprint:sha-\d+ )(.)", lambda found: found[1] + ("1" if found[2] == "0" else "0"), offer)
