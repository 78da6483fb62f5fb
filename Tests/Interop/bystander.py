"""A healthy client on a thread of its own, who talks all the while and measures how long it takes to be heard."""

import asyncio
import threading
import time

from metadata_client import MetadataClient

#: Seconds between two messages: half of what one person may send.
PERIOD = 0.04


class Bystander:
    """Says something, waits until it comes back as an event, and so on. Use as a context manager."""

    def __init__(self, base: str, token: str, incident: str) -> None:
        self._client = MetadataClient(base, token, incident, name="bystander", sees_all=True)
        self.round_trips: list[float] = []
        self.failure: BaseException | None = None
        self._ends = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> "Bystander":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        self._thread.join(10)

    @property
    def connections(self) -> int:
        return self._client.connections

    def percentile(self, share: float) -> float:
        """Seconds."""
        return sorted(self.round_trips)[int(share * (len(self.round_trips) - 1))]

    async def _run(self) -> None:
        try:
            async with self._client as client:
                await client.follow()
                while not self._ends:
                    began = time.monotonic()
                    text = f"round trip {len(self.round_trips)}"
                    number = await client.send("note", {"text": text})
                    await client.until(lambda: client.core.followed[client.incident].last >= number, "its own event")
                    self.round_trips.append(time.monotonic() - began)
                    await asyncio.sleep(max(0, began + PERIOD - time.monotonic()))
        except BaseException as failure:
            self.failure = failure
