"""Data channels that go while events are on their way to them: nobody else loses anything."""

import asyncio
import json

from api import Api
from metadata_client import LABEL, SUBPROTOCOL, MetadataClient
from service import Service
from story_people import Watcher
from waiting import run_async, wait_for


def test_channels_that_go_midstream_harm_nobody(service: Service) -> None:
    """Data channels end while events are on their way to them; everybody else hears every one."""
    operator = Api(service.base, service.accounts["operator"].token)
    incident = operator.post("/api/v1/incidents", {"priority": "P3"})["id"]

    async def work() -> None:
        token = service.accounts["operator"].token
        async with MetadataClient(service.base, token, incident, name="operator", sees_all=True) as client:
            await client.follow()
            for turn in range(8):
                link = operator.post(f"/api/v1/incidents/{incident}/links", {"role": "guest"})
                peer = await asyncio.to_thread(open_channel_peer, service, incident, link["token"])
                numbers = [asyncio.create_task(client.send("chat", {"text": f"{turn}.{count}"})) for count in range(40)]
                await asyncio.to_thread(peer.__exit__)
                assert all(await asyncio.gather(*numbers))
                assert service.process.poll() is None, "the service runs"
            await client.until(lambda: len(client.core.events(incident, "chat")) == 320, "every message is heard")

    run_async(work())


def open_channel_peer(service: Service, incident: str, token: str) -> Watcher:
    """A guest who follows the incident over a data channel alone."""
    peer = Watcher(f"{service.base}/whep/{incident}", token)
    peer.__enter__()
    channel = peer.open_channel(LABEL, protocol=SUBPROTOCOL)
    peer.watch()
    peer.connect()
    peer.send(channel, json.dumps({"v": 1, "id": "follow", "kind": "subscribe", "incident": incident}))
    wait_for(lambda: any('"subscribed"' in text for _, text in list(peer.messages)), "the guest follows", 10)
    return peer
