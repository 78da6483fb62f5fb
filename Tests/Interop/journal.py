"""The journal of an incident, checked without the server's help: canonical JSON (RFC 8785) and the chain of hashes."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from api import Api

#: What the first event is chained to.
GENESIS = "00" * 32
PAGE = 50


def canonical(value: Any) -> str:
    """The one text of a JSON value (RFC 8785)."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case str():
            # Python escapes what JSON demands, and what RFC 8785 §3.2.2.2 does, but for DEL, which neither escapes.
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            return _number(value)
        case list():
            return f"[{','.join(map(canonical, value))}]"
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    raise TypeError(f"not JSON: {value!r}")


def _number(value: int | float) -> str:
    """As ECMAScript writes it: shortest digits, exponents from 1e21 and below 1e-6."""
    sign, figures, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    digits = "".join(map(str, figures))
    if digits == "0":
        return "0"
    point = len(digits) + exponent
    if 0 < point <= 21:
        text = digits.ljust(point, "0") if point >= len(digits) else f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"{'-' if sign else ''}{text}"


def hash_of(event: dict) -> str:
    content = {name: value for name, value in event.items() if name != "hash"}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def check_chain(events: list[dict]) -> None:
    """Every event is numbered, timed and chained after the one before."""
    previous, time = GENESIS, ""
    for number, event in enumerate(events, 1):
        assert event["number"] == number, f"event {event['number']} stands at place {number}"
        assert event["previousHash"] == previous, f"event {number} is not chained to the one before"
        assert event["hash"] == hash_of(event), f"event {number} is not what was hashed"
        assert event["time"] >= time, f"event {number} is from before the one before"
        previous, time = event["hash"], event["time"]


def read(person: Api, incident: str) -> list[dict]:
    """All that a person may see, page by page."""
    events, after = [], 0
    while True:
        page = person.get(f"/api/v1/incidents/{incident}/events?after={after}&limit={PAGE}")
        events += page["events"]
        if page["next"] == after:
            return events
        after = page["next"]
