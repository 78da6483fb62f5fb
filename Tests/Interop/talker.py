"""A client that says one thing after the other without waiting for answers, and remembers all it said.

What waits for an answer goes over one carrier, in order; when that carrier dies, another takes it from the oldest on.
So the first copy of each event reaches the server in the order in which it was said, whatever dies when.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass

from journal_file import Row
from metadata_client import Message, MetadataClient

#: Messages that may wait for their answer.
WINDOW = 8
#: How long nothing may be answered, seconds: on a busy machine a node that is killed all the time needs most of its life to
#: start.
PATIENCE = 120


@dataclass(frozen=True)
class Said:
    """One event that this client wants in the journal."""

    id: str
    incident: str
    kind: str
    payload: Message


class Talker(MetadataClient):
    """One person with things to say; `actor` is who they are in the journal."""

    def __init__(self, base: str, token: str, actor: str, incidents: list[str], **options: object) -> None:
        super().__init__(base, token, **options)
        self.actor, self.incidents = actor, incidents
        self.said: list[Said] = []
        for incident in incidents:
            # Followed by the first carrier's opening messages.
            self.core.subscribe(incident)

    def say(self, incident: str, kind: str, payload: Message) -> None:
        message_id, text = self.core.compose(incident, kind, payload)
        self.said.append(Said(message_id, incident, kind, payload))
        self._send_on_one(text)

    def detach(self, carrier: str) -> None:
        was_in_use = next(iter(self._carriers), None) == carrier
        super().detach(carrier)
        if was_in_use:
            for message in self.core.unanswered.values():
                self._send_on_one(json.dumps(message))

    def _send_on_one(self, text: str) -> None:
        for send in self._carriers.values():
            return send(text)

    @property
    def waiting(self) -> int:
        return len(self.core.unanswered)

    @property
    def acknowledged(self) -> int:
        return len(self.said) - self.waiting

    def number(self, said: Said) -> int | None:
        """The number under which it was accepted, if it was."""
        answer = self.core.answers.get(said.id)
        assert answer is None or answer["kind"] == "accepted", f"{self.core.name} was refused: {answer}"
        return answer and answer["number"]

    def check(self) -> None:
        """Nothing that came in was wrong, and nothing was refused."""
        if self.failure:
            raise self.failure
        for error in self.core.of_kind("error"):
            raise AssertionError(f"{self.core.name} was told: {error}")

    async def talk(self, make: Callable[[int], tuple[str, str, Message]], rate: float, count: int | None = None) -> None:
        """Says up to `rate` events a second, as long as not too many wait; for ever, if there is no `count`."""
        due = time.monotonic()
        while count is None or len(self.said) < count:
            # Whoever was held up does not make up for more than a moment.
            due = max(due + 1 / rate, time.monotonic() - 0.1)
            await asyncio.sleep(max(0, due - time.monotonic()))
            await self.until(lambda: self.waiting < WINDOW, "room for another message", PATIENCE)
            self.check()
            self.say(*make(len(self.said) + 1))

    def has_heard_itself(self) -> bool:
        """Whether the last that it said in each incident has come back as an event."""
        last = {said.incident: said for said in self.said}
        numbers = {incident: self.number(said) for incident, said in last.items()}
        return None not in numbers.values() and all(
            self.core.followed[incident].last >= number for incident, number in numbers.items())

    def compare(self, journal: Iterable[Row]) -> None:
        """All that it said is in the journal, once and in order; all that it heard is what stands there."""
        rows = sorted(journal, key=lambda row: row.number)
        for incident in self.incidents:
            where = f"{self.core.name} in {incident}"
            here = [row for row in rows if row.incident == incident]
            stored = [row.client_id for row in here if row.actor["id"] == self.actor and row.client_id]
            said = [said.id for said in self.said if said.incident == incident]
            assert stored == said, f"{where}: once each, and in order"
            events = self.core.events(incident)
            heard = [(event["number"], event["hash"]) for event in events]
            hashes = [(row.number, row.hash.hex()) for row in here]
            assert set(heard) <= set(hashes), f"{where}: nothing was heard that is not so"
            assert heard == sorted(set(heard)), f"{where}: nothing was heard twice"
            assert not self.core.sees_all or heard == hashes, f"{where}: nothing was missed"
            own = [event.get("clientID") for event in events if event["actor"]["id"] == self.actor]
            assert set(said) <= set(own), f"{where}: everybody hears themselves"


@contextlib.asynccontextmanager
async def beside(*work: Coroutine):
    """Runs work beside the body; what fails there ends the body too."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        yield
        for task in tasks:
            task.cancel()


async def until(look: Callable[[], object], what: str, seconds: float) -> None:
    """Looks again and again until the answer is true."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        await asyncio.sleep(0.02)
