"""The people of the incident's story: each with a metadata client, and a peer for what they send or watch."""

import asyncio
import contextlib
import time
from typing import Any

import av
from aiortc import RTCDataChannel, RTCSessionDescription

from aiortc_peer import AiortcPeer
from metadata_client import LABEL, SUBPROTOCOL, MetadataClient

#: What the issue promises: whoever has lost a right has lost the picture within a second.
AT_ONCE = 1.0
PICTURE_SECONDS = 20


class Watcher(AiortcPeer):
    """A viewer by WHEP that only counts its frames, and knows when the last one came."""

    last_frame = 0.0

    def _note_video(self, frame: av.VideoFrame) -> None:
        self.received.video_frames += 1
        self.last_frame = time.monotonic()

    @property
    def is_over(self) -> bool:
        return self.connection.connectionState in ("closed", "failed")


class Publisher(AiortcPeer):
    """A caller's peer: its offer and answer go over whatever the caller talks on."""

    def offer(self, codec: str) -> str:
        self.publish(codec)
        return self._run(self._offer())

    def accept(self, answer: str) -> None:
        self._run(self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer")))

    @property
    def is_over(self) -> bool:
        return self.connection.connectionState in ("closed", "failed")

    def carry(self, client: MetadataClient, loop: asyncio.AbstractEventLoop) -> RTCDataChannel:
        """Opens the metadata channel within the peer connection, as one more carrier of the client's messages."""
        channel = self.open_channel(LABEL, ordered=True, protocol=SUBPROTOCOL)
        send = lambda text: self._loop.call_soon_threadsafe(channel.send, text)  # noqa: E731
        channel.on("open", lambda: loop.call_soon_threadsafe(client.attach, "channel", send))
        channel.on("message", lambda text: loop.call_soon_threadsafe(client.feed, "channel", text))
        channel.on("close", lambda: loop.call_soon_threadsafe(client.detach, "channel"))
        return channel

    async def _offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp


class Person:
    """Somebody of the story: a metadata client, and perhaps a picture that they watch."""

    def __init__(self, base: str, token: str, incident: str, name: str, **options: Any) -> None:
        self.base, self.token, self.incident, self.name = base, token, incident, name
        self.client = MetadataClient(base, token, incident, name=name, **options)
        self.watcher: Watcher | None = None
        self._stack = contextlib.ExitStack()

    async def come(self) -> dict:
        """Connects and follows the incident; the snapshot."""
        await self.client.connect()
        return await self.client.follow()

    async def watch(self) -> None:
        """Watches the incident until a picture is there."""
        self.watcher = self._stack.enter_context(Watcher(f"{self.base}/whep/{self.incident}", self.token))
        await asyncio.to_thread(self._start_watching)
        await self.until(lambda: self.watcher.received.video_frames > 10, f"{self.name} sees the caller", PICTURE_SECONDS)

    def _start_watching(self) -> None:
        self.watcher.watch()
        self.watcher.connect()

    async def picture_ends(self, since: float) -> float:
        """Waits for the end of the picture; seconds from `since` until the peer was told, no frame came after that."""
        await self.until(lambda: self.watcher.is_over, f"{self.name}'s peer is ended", 5)
        seconds = time.monotonic() - since
        assert self.watcher.last_frame - since < seconds
        return seconds

    async def until(self, look: Any, what: str, seconds: float = 10) -> Any:
        return await self.client.until(look, what, seconds)

    async def leave(self) -> None:
        await self.client.close()
        await asyncio.to_thread(self._stack.close)
