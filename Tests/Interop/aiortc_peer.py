"""An independent WebRTC peer in Python. It lives on a thread of its own, so that tests can stay synchronous."""

import asyncio
import fractions
import pathlib
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import av
import numpy as np
from aiortc import RTCDataChannel, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack

import burnt_clock

CLIP = pathlib.Path(__file__).resolve().parents[2] / "fixtures/media/street.webm"
CALL_SECONDS = 20


def milliseconds_of_day() -> int:
    return time.time_ns() // 1_000_000


class ClockTrack(VideoStreamTrack):
    """The street clip in a small size, with the time of day burnt in."""

    size = (640, 360)

    def __init__(self) -> None:
        super().__init__()
        with av.open(str(CLIP)) as clip:
            frames = clip.decode(video=0)
            self.pictures = [frame.reformat(*self.size, "yuv420p").to_ndarray() for _, frame in zip(range(60), frames)]
        self.count = 0

    async def recv(self) -> av.VideoFrame:
        pts, base = await self.next_timestamp()
        planes = self.pictures[self.count % len(self.pictures)].copy()
        self.count += 1
        burnt_clock.draw(planes[: self.size[1]], milliseconds_of_day())
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = pts, fractions.Fraction(base)
        return frame


@dataclass
class Received:
    """What has arrived so far."""

    video_frames: int = 0
    audio_frames: int = 0
    delays: list[int] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    loudest: int = 0


class AiortcPeer:
    """One peer connection over WHIP or WHEP. Use as a context manager."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.received = Received()
        self.messages: list[tuple[str, str]] = []
        self.session: str | None = None
        self.answer = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "AiortcPeer":
        self._thread.start()
        self.connection = self._run(self._make())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def publish(self, codec: str = "VP8") -> None:
        """Adds the clip's picture and sound to the offer."""
        self._run(self._publish(codec))

    def watch(self) -> None:
        """Adds a slot each for picture and sound to the offer."""
        self._run(self._watch())

    def open_channel(self, label: str, **options: Any) -> RTCDataChannel:
        return self._run(self._open_channel(label, options))

    def send(self, channel: RTCDataChannel, *texts: str) -> None:
        self._run(self._send(channel, texts))

    def connect(self) -> None:
        """Offers, takes the answer, and waits until DTLS is through."""
        self._run(self._connect())

    def codecs_sent(self) -> list[str]:
        return [sender._codec.mimeType for sender in self.connection.getSenders() if getattr(sender, "_codec", None)]

    def _run(self, work: Coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)

    async def _make(self) -> RTCPeerConnection:
        connection = RTCPeerConnection()
        connection.on("track", lambda track: asyncio.ensure_future(self._receive(track)))
        return connection

    async def _publish(self, codec: str) -> None:
        video = self.connection.addTransceiver(ClockTrack(), direction="sendonly")
        offered = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([each for each in offered if each.mimeType.lower() in (f"video/{codec.lower()}", "video/rtx")])
        self._player = MediaPlayer(str(CLIP), loop=True)
        self.connection.addTransceiver(self._player.audio, direction="sendonly")

    async def _watch(self) -> None:
        self.connection.addTransceiver("video", direction="recvonly")
        self.connection.addTransceiver("audio", direction="recvonly")

    async def _open_channel(self, label: str, options: dict) -> RTCDataChannel:
        channel = self.connection.createDataChannel(label, **options)
        channel.on("message", lambda text: self.messages.append((label, text)))
        return channel

    async def _send(self, channel: RTCDataChannel, texts: tuple[str, ...]) -> None:
        deadline = time.monotonic() + 10
        while channel.readyState != "open":
            if time.monotonic() > deadline:
                raise AssertionError(f"data channel {channel.label} did not open")
            await asyncio.sleep(0.02)
        for text in texts:
            channel.send(text)

    async def _connect(self) -> None:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"}
        async with aiohttp.ClientSession() as client:
            offer = self.connection.localDescription.sdp
            async with client.post(self.url, data=offer, headers=headers) as response:
                self.answer = await response.text()
                assert response.status == 201, f"{response.status}: {self.answer}"
                self.session = str(response.url.join(aiohttp.client.URL(response.headers["Location"])))
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        deadline = time.monotonic() + 10
        while self.connection.connectionState != "connected":
            if time.monotonic() > deadline:
                raise AssertionError(f"aiortc is {self.connection.connectionState}, not connected")
            await asyncio.sleep(0.02)

    async def _receive(self, track: Any) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            note = self._note_video if track.kind == "video" else self._note_audio
            note(frame)

    def _note_video(self, frame: av.VideoFrame) -> None:
        self.received.video_frames += 1
        self.received.sizes.add((frame.width, frame.height))
        value = burnt_clock.read(frame.to_ndarray()[: frame.height])
        if value is not None:
            self.received.delays.append((milliseconds_of_day() - value) & 0xFFFF_FFFF)

    def _note_audio(self, frame: av.AudioFrame) -> None:
        self.received.audio_frames += 1
        self.received.loudest = max(self.received.loudest, int(np.abs(frame.to_ndarray()).max()))

    async def _close(self) -> None:
        if self.session:
            async with aiohttp.ClientSession() as client:
                await client.delete(self.session, headers={"Authorization": f"Bearer {self.token}"})
        await self.connection.close()
