"""As little of a WebSocket client (RFC 6455) as a benchmark needs, so that it measures the server and not itself.

Frames are masked with zeros, which is a mask like any other and costs nothing.
"""

import asyncio
import base64
import os
from collections.abc import Callable

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
HANDSHAKE_SECONDS = 30


class LeanWebSocket(asyncio.Protocol):
    """One connection; `on_text` gets each message as bytes."""

    def __init__(self, on_text: Callable[[bytes], None]) -> None:
        self.on_text = on_text
        #: The close frame's payload or what ended the connection, once it has ended.
        self.ending: str | None = None
        self._buffer = bytearray()
        self._handle = self._take_handshake
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(cls, port: int, token: str, page: str, on_text: Callable[[bytes], None]) -> "LeanWebSocket":
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(lambda: cls(on_text), "127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        query = f"?key={page}" if page else ""
        socket.transport.write(
            f"GET /ws{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sightline.v1\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode())
        await asyncio.wait_for(socket._ready, HANDSHAKE_SECONDS)
        return socket

    def send(self, *messages: bytes) -> None:
        self.transport.write(b"".join(frame(TEXT, message) for message in messages))

    def close(self) -> None:
        self.transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._handle()

    def connection_lost(self, error: Exception | None) -> None:
        self.ending = self.ending or str(error)
        if not self._ready.done():
            self._ready.set_exception(ConnectionError(self.ending))

    def _take_handshake(self) -> None:
        head, separator, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not separator:
            return
        if not head.startswith(b"HTTP/1.1 101"):
            self._ready.set_exception(ConnectionError(head.decode(errors="replace")))
            return self.close()
        self._buffer, self._handle = bytearray(rest), self._take_frames
        self._ready.set_result(None)
        self._take_frames()

    def _take_frames(self) -> None:
        buffer, start = self._buffer, 0
        while len(buffer) - start >= 2:
            length, body = buffer[start + 1], start + 2
            if length == 126:
                body = start + 4
                length = int.from_bytes(buffer[start + 2:body], "big")
            elif length == 127:
                body = start + 10
                length = int.from_bytes(buffer[start + 2:body], "big")
            if len(buffer) < body + length:
                break
            self._take_frame(buffer[start] & 0x0F, bytes(buffer[body:body + length]))
            start = body + length
        del buffer[:start]

    def _take_frame(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self.on_text(payload)
        elif opcode == PING:
            self.transport.write(frame(PONG, payload))
        elif opcode == CLOSE:
            self.ending = payload[2:].decode(errors="replace")


def frame(opcode: int, payload: bytes) -> bytes:
    if len(payload) < 126:
        head = bytes([0x80 | opcode, 0x80 | len(payload)])
    else:
        head = bytes([0x80 | opcode, 0x80 | 126]) + len(payload).to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload
