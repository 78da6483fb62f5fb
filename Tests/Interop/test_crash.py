"""The server is killed with SIGKILL at random instants under load: what it had acknowledged is there, once, unaltered.

`SIGHTLINE_CRASHES` says how often (without it 100 times, or as often as time allows), `SIGHTLINE_SEED` repeats a run.
"""

import asyncio
import contextlib
import os
import pathlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


from journal_file import JournalReader, Row
from node import Key, Node
from talker import Said, Talker, beside, until
from waiting import run_async

CRASHES = int(os.environ.get("SIGHTLINE_CRASHES", "100"))
SEED = int(os.environ.get("SIGHTLINE_SEED", "20260101"))
INCIDENTS = 4
CALLERS = 2
#: Events a second of each person: more than one may send for long, less than one may at once.
RATE = 60.0
#: A slow machine is killed less often: after so many seconds the least number will do.
SECONDS, LEAST = 150, int(os.environ.get("SIGHTLINE_CRASHES", "25"))
#: When kills come, in turn: while the node starts, when it has just started, when it has work, and when everybody has had an
#: answer from it.
MOMENTS = ["serving", "started", "serving", "serving", "all served", "serving", "starting", "serving", "serving", "all served"]
#: How long a node lives that is killed while it starts, seconds.
EARLY_SECONDS = (0.0, 0.15)
#: How long the others live after the moment that is waited for, seconds.
SERVING_SECONDS = (0.02, 0.35)
#: Time that everybody has to be back and have an answer, seconds.
BACK_SECONDS = 60


#: What somebody says as their nth event: incident, kind, payload.
Maker = Callable[[int], tuple[str, str, dict]]


@dataclass
class Town:
    """Incidents with callers, guests and staff, all of whom talk all the time."""

    node: Node
    talkers: list[Talker] = field(default_factory=list)
    makers: list[Maker] = field(default_factory=list)

    def __post_init__(self) -> None:
        incidents = [self.node.open_incident(type=f"fire {place}") for place in range(INCIDENTS)]
        for incident in incidents:
            for number in range(CALLERS):
                key = self.node.make_link(incident, "caller", f"caller-{incident}-{number}")
                self._add(key, [incident], caller(incident, key))
            self._add(self.node.make_link(incident, "guest", f"guest-{incident}"), [incident], guest(incident))
        for role in ("operator", "supervisor"):
            self._add(self.node.key(role), incidents, staff(incidents), sees_all=True)

    def _add(self, key: Key, incidents: list[str], make: Maker, **options: object) -> None:
        self.talkers.append(
            Talker(self.node.base, key.token, key.actor, incidents, name=key.name, key=key.page or None, **options))
        self.makers.append(make)

    @property
    def acknowledged(self) -> int:
        return sum(talker.acknowledged for talker in self.talkers)

    @property
    def waiting(self) -> int:
        return sum(talker.waiting for talker in self.talkers)


def caller(incident: str, key: Key) -> Maker:
    def make(number: int) -> tuple[str, str, dict]:
        if number % 2:
            return incident, "chat", {"text": f"Nachricht {number}: café, “☎”, \U0001f692,\n\"\\"}
        place = {"lat": 48.1 + number * 1e-6, "lon": 11.5 - number * 1e-7, "accuracy": number % 50 + 1e-7}
        return incident, "location", place | {"caller": key.actor, "source": "device"}

    return make


def guest(incident: str) -> Maker:
    return lambda number: (incident, "chat", {"text": f"Bed {number} is ready"})


def staff(incidents: list[str]) -> Maker:
    return lambda number: (incidents[number % len(incidents)], "note", {"text": f"Note {number}"})


def check(said: Said, number: int, actor: str, row: Row | None) -> None:
    """The journal has what was acknowledged, under its number, as it was said."""
    assert row is not None, f"{said.id} was acknowledged as {number} of {said.incident} and is lost"
    assert (row.client_id, row.kind, row.actor["id"]) == (said.id, said.kind, actor), (said, row)
    # The server adds when a place was measured and what is odd about it.
    assert said.payload.items() <= row.payload.items(), (said, row)


@dataclass
class Inspector:
    """Holds what clients were told against the file, after each kill anew."""

    town: Town
    reader: JournalReader
    #: How far the talkers' lists have been looked at, and what had no answer then.
    looked: dict[str, int] = field(default_factory=Counter)
    open: dict[str, list[Said]] = field(default_factory=dict)

    def look(self) -> None:
        self.reader.look()
        for talker in self.town.talkers:
            name = talker.core.name
            unanswered = []
            for said in self.open.get(name, []) + talker.said[self.looked[name]:]:
                number = talker.number(said)
                if number is None:
                    unanswered.append(said)
                else:
                    check(said, number, talker.actor, self.reader.rows.get((said.incident, number)))
            self.looked[name], self.open[name] = len(talker.said), unanswered


async def crash(town: Town, moment: str, chance: random.Random) -> None:
    """Starts the node, lets it live for a while, and kills it.

    The moments are those of the talkers, not of the clock: a slow machine needs longer to bring them back.
    """
    before = [talker.acknowledged for talker in town.talkers]
    if moment == "starting":
        town.node.launch()
        await asyncio.sleep(chance.uniform(*EARLY_SECONDS))
    else:
        await asyncio.to_thread(town.node.start)

        def served() -> list[bool]:
            return [talker.acknowledged > old for talker, old in zip(town.talkers, before)]

        if moment == "serving":
            await until(lambda: any(served()), "somebody is served", BACK_SECONDS)
        elif moment == "all served":
            await until(lambda: all(served()), "everybody is served", BACK_SECONDS)
        await asyncio.sleep(chance.uniform(*SERVING_SECONDS))
    town.node.kill()


async def run(town: Town, inspector: Inspector, chance: random.Random) -> Counter:
    counts: Counter = Counter()
    async with contextlib.AsyncExitStack() as stack:
        for talker in town.talkers:
            await stack.enter_async_context(talker)
        async with beside(*(talker.talk(make, RATE) for talker, make in zip(town.talkers, town.makers))):
            await until(lambda: town.acknowledged > 50, "the town talks", BACK_SECONDS)
            town.node.kill()
            began = time.monotonic()
            for number in range(CRASHES):
                if number >= LEAST and time.monotonic() - began > SECONDS:
                    break
                counts["kills"] += 1
                before = town.acknowledged
                inspector.look()
                await crash(town, MOMENTS[number % len(MOMENTS)], chance)
                counts["serving"] += town.acknowledged > before
                counts["unanswered"] += town.waiting
        await asyncio.to_thread(town.node.start)
        await until(lambda: town.waiting == 0, "everything said is acknowledged", BACK_SECONDS)
        await until(lambda: all(talker.has_heard_itself() for talker in town.talkers), "everybody hears themselves", BACK_SECONDS)
        ends = {name: max(talker.core.followed[name].last for talker in town.talkers if name in talker.incidents)
                for name in town.talkers[-1].incidents}
        await until(lambda: all(talker.core.followed[name].last >= end for name, end in ends.items()
                                for talker in town.talkers if talker.core.sees_all), "staff has heard everything", BACK_SECONDS)
        for talker in town.talkers:
            talker.check()
    town.node.kill()
    return counts


def test_kills_lose_nothing_that_was_acknowledged(tmp_path: pathlib.Path, report: Callable[..., None]) -> None:
    data, scratch = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    scratch.mkdir()
    began = time.monotonic()
    with Node(data) as node:
        town = Town(node)
        inspector = Inspector(town, JournalReader(data, scratch))
        counts = run_async(run(town, inspector, random.Random(SEED)))
        inspector.look()
    for talker in town.talkers:
        talker.compare(inspector.reader.rows.values())
    report(
        test="crash", kills=counts["kills"], killsWhileServing=counts["serving"], unansweredAtKills=counts["unanswered"],
        acknowledged=town.acknowledged, events=len(inspector.reader.rows), seconds=round(time.monotonic() - began, 1),
        firstRestartSeconds=round(node.starts[1], 3), lastRestartSeconds=round(node.starts[-1], 3))
    assert counts["serving"] >= 0.6 * counts["kills"], "most kills hit a server that had work"
