"""A client with a WebSocket and a data channel loses and doubles nothing while both are killed at random instants."""

import asyncio
import contextlib
import os
import pathlib
import random
import time
from collections.abc import Callable

from channel_carrier import ChannelCarrier
from journal_file import JournalReader
from node import Node
from talker import Talker, beside, until
from waiting import run_async

SEED = int(os.environ.get("SIGHTLINE_SEED", "20260102"))
EVENTS = int(os.environ.get("SIGHTLINE_CARRIER_EVENTS", "10000"))
#: What the client with two carriers says itself, events a second and in all; it repeats some, which count too.
OWN_RATE, OWN_EVENTS = 30.0, EVENTS // 8
#: Others, each on a WebSocket of its own that nobody touches.
OTHERS, OTHERS_RATE = 6, 45.0
OTHERS_EVENTS = (EVENTS - OWN_EVENTS) // OTHERS + 1
#: Seconds between two kills.
PAUSE = (0.05, 0.6)
MOST_SECONDS = 300


async def kill_carriers(client: Talker, channel: ChannelCarrier, chance: random.Random, kills: dict[str, int]) -> None:
    """Now one, now the other, now both; never waits for either to be up again."""
    while True:
        await asyncio.sleep(chance.uniform(*PAUSE))
        victims = chance.choice([("socket",), ("channel",), ("socket", "channel")])
        if "socket" in victims:
            client.drop()
            kills["socket"] += 1
        if "channel" in victims:
            kills["channel"] += await channel.kill(chance)


async def run(
    node: Node, incident: str, chance: random.Random, kills: dict[str, int]
) -> tuple[list[Talker], ChannelCarrier]:
    key = node.key("operator")
    client = Talker(node.base, key.token, key.actor, [incident], name="both", sees_all=True)
    channel = ChannelCarrier(client, f"{node.base}/whep/{incident}", key.token)
    guests = [node.make_link(incident, "guest", f"guest-{number}") for number in range(OTHERS)]
    others = [Talker(node.base, guest.token, guest.actor, [incident], name=guest.name, key=guest.page) for guest in guests]
    talkers = [client, *others]
    work = [client.talk(lambda number: (incident, "note", {"text": f"Note {number}"}), OWN_RATE, OWN_EVENTS)]
    work += [other.talk(lambda number: (incident, "chat", {"text": f"Bed {number}"}), OTHERS_RATE, OTHERS_EVENTS)
             for other in others]
    async with contextlib.AsyncExitStack() as stack:
        for talker in talkers:
            await stack.enter_async_context(talker)
        async with beside(channel.run()):
            await until(lambda: channel.opened, "the data channel is a carrier too", 20)
            async with beside(kill_carriers(client, channel, chance, kills)):
                async with asyncio.timeout(MOST_SECONDS):
                    await asyncio.gather(*work)
                await until(lambda: not any(talker.waiting for talker in talkers), "all is acknowledged", 20)
                end = max(talker.core.followed[incident].last for talker in talkers)
                await until(lambda: client.core.followed[incident].last >= end, "all has been heard", 20)
        for talker in talkers:
            talker.check()
    return talkers, channel


def test_dying_carriers_lose_and_double_nothing(tmp_path: pathlib.Path, report: Callable[..., None]) -> None:
    data, scratch = tmp_path / "data", tmp_path / "copy"
    data.mkdir()
    scratch.mkdir()
    began = time.monotonic()
    kills = {"socket": 0, "channel": 0}
    with Node(data) as node:
        talkers, channel = run_async(run(node, node.open_incident(), random.Random(SEED), kills))
        node.kill()
    journal = JournalReader(data, scratch)
    journal.look()
    for talker in talkers:
        talker.compare(journal.rows.values())
    client = talkers[0]
    report(
        test="carriers", events=sum(len(talker.said) for talker in talkers), own=len(client.said),
        socketsKilled=kills["socket"], channelsKilled=kills["channel"], channelsOpened=channel.opened,
        peerConnections=channel.connections, heardAgainAndDropped=client.core.repeats,
        seconds=round(time.monotonic() - began, 1))
    assert sum(len(talker.said) for talker in talkers) >= EVENTS
    assert min(channel.opened, client.connections) > EVENTS / 500, "both carriers came up again and again"
