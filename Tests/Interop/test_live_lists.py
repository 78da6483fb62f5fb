"""Lists that keep themselves up to date: who follows a unit or an area follows each incident that comes there."""

from collections.abc import Iterator

import pytest

import service as services
from api import Api
from incident_story import PLACE
from metadata_client import MetadataClient
from service import Service
from waiting import run_async


@pytest.fixture(scope="module")
def open_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = services.start(tmp_path_factory.mktemp("interchange"), "--no-caller")
    yield service
    assert service.stop() == 0, "the service ends cleanly on SIGTERM"


@pytest.mark.parametrize("scope", ["unit", "area"])
def test_incident_comes_to_who_follows_a_unit_or_an_area(open_service: Service, scope: str) -> None:
    """A responder who follows their unit or an area follows each incident that comes there, and hears of no other."""
    operator = Api(open_service.base, open_service.accounts["operator"].token)
    elsewhere = operator.post("/api/v1/incidents", {"priority": "P3", "place": {"lat": 10, "lon": 10}})["id"]
    scopes = {"unit": {"unit": "ems-1"}, "area": {"area": {"lat": PLACE["lat"], "lon": PLACE["lon"], "radius": 1000}}}

    async def work() -> None:
        token = open_service.accounts["responder"].token
        async with MetadataClient(open_service.base, token, name="responder") as client:
            await client.ask("list", scope=scopes[scope])
            incident = operator.post("/api/v1/incidents", {"priority": "P2", "place": {"lat": -20, "lon": 30}})["id"]
            kinds = {"unit": ("unit.assigned", {"unit": "ems-1"}), "area": ("incident.classified", {"place": PLACE})}
            kind, payload = kinds[scope]
            operator.post(f"/api/v1/incidents/{incident}/events", {"kind": kind, "payload": payload})
            await client.until(lambda: client.core.events(incident, kind), f"the incident comes by its {scope}", 3)
            assert elsewhere not in {each["incident"] for each in client.core.of_kind("listed")}

    run_async(work())
