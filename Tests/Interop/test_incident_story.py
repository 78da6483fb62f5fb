"""One incident from the call to the end: a caller, an operator, two responders, a guest and a supervisor, over real
WebSockets, data channels and media. Then its journal is read back, and has to tell exactly what happened."""

from collections.abc import Iterator

import pytest

import journal
import service as services
from incident_story import Record, Story, steady
from story_people import AT_ONCE
from waiting import run_async

#: What the caller must not hear of.
HIDDEN_FROM_CALLER = {
    "incident.opened", "incident.classified", "incident.mergeSuggested", "incident.absorbed", "assignment.added",
    "assignment.removed", "unit.assigned", "unit.status", "unit.location", "unit.stoodDown", "link.created",
    "link.revoked", "note", "triage", "snapshot.taken", "media.source", "media.revealed", "command.result",
    "media.recording", "media.view",
}
#: What a guest learns beside the picture.
SHOWN_TO_GUEST = {"incident.state", "chat", "chat.delivered", "chat.read", "file.added", "media.watching"}


@pytest.fixture(scope="module", params=["VP8", "H264"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """The story, once a codec."""
    service = services.start(tmp_path_factory.mktemp("story"), "--no-caller")
    try:
        story = Story(service, request.param)
        yield run_async(story.run())
    finally:
        assert service.stop() == 0, "the service ends cleanly on SIGTERM"


def is_told(row: tuple[str, str, dict], event: dict) -> bool:
    role, kind, payload = row
    parts = {name: event["payload"].get(name) for name in payload}
    return (event["actor"]["role"], event["kind"], parts) == (role, kind, payload)


def test_journal_tells_exactly_what_happened(told: Record) -> None:
    events = iter(steady(told.journal))
    for step in told.told:
        happened = [next(events, None) for _ in step]
        assert None not in happened, f"the journal ends before {step}"
        for row in step:
            match = next((event for event in happened if is_told(row, event)), None)
            assert match, f"expected {row}, the journal has {happened}"
            happened.remove(match)
    rest = [(event["number"], event["kind"], event["payload"]) for event in events]
    assert not rest, f"nobody did {rest}"


def test_streams_begin_live_and_end(told: Record) -> None:
    streams: dict[str, list[dict]] = {}
    for event in told.journal:
        if event["kind"] == "media.source":
            assert event["actor"]["role"] == "system"
            streams.setdefault(event["payload"]["source"], []).append(event["payload"])
    assert sorted(rows[0]["kind"] for rows in streams.values()) == ["audio", "audio", "video", "video"]
    for rows in streams.values():
        states = [row["state"] for row in rows]
        assert "live" in states and states[-1] == "ended" and states.count("ended") == 1, states


def test_streams_say_whose_they_are(told: Record) -> None:
    rows = [event["payload"] for event in told.journal if event["kind"] == "media.source"]
    assert {row.get("owner") for row in rows} == told.callers, [row for row in rows if "owner" not in row]


def test_chain_is_what_we_compute_ourselves(told: Record) -> None:
    assert len(told.journal) > 50
    journal.check_chain(told.journal)
    assert {event["incident"] for event in told.journal} == {told.incident}
    changed = [dict(event) for event in told.journal]
    changed[10]["payload"] = changed[10]["payload"] | {"text": "something else"}
    with pytest.raises(AssertionError, match="not what was hashed"):
        journal.check_chain(changed)


def test_everybody_heard_what_is_theirs(told: Record) -> None:
    # The seal of the recording comes after all is over, when nobody may be listening any more.
    journal, operator, supervisor = (
        [event for event in events if event["kind"] != "media.recording"]
        for events in (told.journal, told.heard["operator"], told.heard["supervisor"]))
    assert operator == journal
    assert supervisor == journal[: len(supervisor)]
    assert len(journal) - len(supervisor) <= 1, "the last one may be on its way"
    for_caller = [as_caller_sees(event) for event in told.journal if is_for_caller(event, told.caller)]
    heard = told.heard["caller"]
    assert heard == for_caller[: len(heard)] and len(for_caller) - len(heard) <= 1
    assert {event["kind"] for event in told.heard["guest"]} <= SHOWN_TO_GUEST
    after = next(event["number"] for event in told.journal if event["kind"] == "unit.stoodDown")
    assert told.heard["responder"][-1]["number"] <= after, "nothing comes after the stand-down"


def as_caller_sees(event: dict) -> dict:
    """How it ended, and why, is among staff; the hash stays that of the whole."""
    secret = {"outcome", "reason"} & set(event["payload"])
    if event["kind"] != "incident.state" or not secret:
        return event
    payload = {name: value for name, value in event["payload"].items() if name not in secret}
    return event | {"payload": payload, "redacted": True}


def is_for_caller(event: dict, me: str) -> bool:
    payload = event["payload"]
    own = payload.get("caller", me) == me
    return event["kind"] not in HIDDEN_FROM_CALLER and payload.get("to") != "team" and own


def test_pictures_end_within_a_second(told: Record, report) -> None:
    report(test="incident story", **{name: f"{seconds * 1000:.0f} ms" for name, seconds in told.ends.items()})
    assert len(told.ends) == 7
    for what, seconds in told.ends.items():
        assert seconds < AT_ONCE, f"{what}: {seconds:.2f} s"


def test_caller_had_two_carriers(told: Record) -> None:
    """The data channel said what the WebSocket said; the caller's page counted it once."""
    assert told.carriers["socket"] > 0
    assert told.carriers.get("channel", 0) > 0, told.carriers
    assert told.repeats > 0


def test_documents_validate(told: Record) -> None:
    """EIDO and PIDF-LO of the story, in the published shapes, and with what happened."""
    import validation

    for eido, pidf in told.documents:
        assert (eido.status, pidf.status) == (200, 200), (eido, pidf)
        validation.validate_eido(eido.json)
        validation.validate_pidf(pidf.body)
        assert b"53.55031 9.99201" in pidf.body and b">14" in pidf.body, "the finest of the latest sound fixes"
    before, after = ((eido.json["incidentComponent"], eido.json) for eido, _ in told.documents)
    assert before[0]["incidentCommonPriorityNumber"] == 9, "P1"
    assert after[0] != before[0], "it says that the incident is over"
