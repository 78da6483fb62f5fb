"""Carries a client's metadata over the data channel `sightline.metadata` of an aiortc peer connection that watches."""

import asyncio
import logging
import random
from urllib.parse import urljoin

import aiohttp
from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from metadata_client import LABEL, SUBPROTOCOL, MetadataClient

CARRIER = "channel"
OPEN_SECONDS = 10
#: Of the kills, those that end the peer connection and not only the channel.
CONNECTIONS_SHARE = 0.25


class ChannelCarrier:
    """Keeps a data channel up: opens another whenever it ends, in the same peer connection or in a new one."""

    def __init__(self, client: MetadataClient, whep: str, token: str) -> None:
        self.client, self.whep, self.token = client, whep, token
        self.opened = self.connections = 0
        self._connection: RTCPeerConnection | None = None
        self._channel: RTCDataChannel | None = None
        self._ended = asyncio.Event()

    async def run(self) -> None:
        # aiortc tells of every packet that comes for a connection that was just closed.
        logging.getLogger("aioice").setLevel(logging.CRITICAL)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.token}"}) as http:
            try:
                while True:
                    await self._serve(http)
            finally:
                await self._disconnect()

    async def _serve(self, http: aiohttp.ClientSession) -> None:
        self._ended = ended = asyncio.Event()
        is_new = self._connection is None
        if is_new:
            self._connection = RTCPeerConnection()
            self._connection.addTransceiver("audio", direction="recvonly")
        channel = self._channel = self._connection.createDataChannel(LABEL, protocol=SUBPROTOCOL)
        opened = asyncio.Event()
        channel.on("open", opened.set)
        channel.on("close", ended.set)
        channel.on("message", lambda text: None if ended.is_set() else self.client.feed(CARRIER, text))
        if is_new:
            await self._offer(http, self._connection)
        if channel.readyState != "open":
            waits = [asyncio.create_task(event.wait()) for event in (opened, ended)]
            done, _ = await asyncio.wait(waits, timeout=OPEN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            assert done, f"the data channel is {channel.readyState}, not open, after {OPEN_SECONDS} s"
        if not ended.is_set():
            self.opened += 1
            # What is said while it closes is said again on the other carrier: it has no answer yet.
            self.client.attach(CARRIER, lambda text: channel.send(text) if channel.readyState == "open" else None)
            await ended.wait()
            self.client.detach(CARRIER)

    async def _offer(self, http: aiohttp.ClientSession, connection: RTCPeerConnection) -> None:
        await connection.setLocalDescription(await connection.createOffer())
        headers = {"Content-Type": "application/sdp"}
        async with http.post(self.whep, data=connection.localDescription.sdp, headers=headers) as response:
            answer = await response.text()
            assert response.status == 201, f"{response.status}: {answer}"
            self.session = urljoin(self.whep, response.headers["Location"])
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        self.connections += 1

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def kill(self, chance: random.Random) -> bool:
        """Ends the channel, or one time in four the whole connection, whatever is under way on it.

        Whether there was one that was up.
        """
        if self._ended.is_set() or self._channel is None or self._channel.readyState != "open":
            return False
        self._ended.set()
        if chance.random() < CONNECTIONS_SHARE:
            await self._disconnect()
        else:
            self._channel.close()
        return True
