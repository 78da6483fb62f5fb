"""Reads the service's journal from a copy of its SQLite file and verifies it, with nothing of the service's own code.

The canonical form is RFC 8785's, written here from the RFC; the hash is that of `JournalEvent.swift`: SHA-256 over the
canonical JSON of incident, number, time, actor, kind, payload, clientID if there is one, and the hash before.
"""

import hashlib
import json
import pathlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

FILE = "sightline.sqlite"
GENESIS = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Row:
    """One event as it is stored."""

    incident: str
    number: int
    microseconds: int
    actor: dict
    kind: str
    payload: dict
    client_id: str | None
    hash: bytes

    def hash_after(self, previous: bytes) -> bytes:
        """What its hash has to be."""
        content = {
            "incident": self.incident, "number": self.number, "time": utc_text(self.microseconds),
            "actor": self.actor, "kind": self.kind, "payload": self.payload, "previousHash": previous.hex(),
        }
        if self.client_id is not None:
            content["clientID"] = self.client_id
        return hashlib.sha256(canonical(content).encode()).digest()


class JournalReader:
    """Follows the journal of a data folder from look to look; each look checks what is new and how it is chained."""

    def __init__(self, data: pathlib.Path, scratch: pathlib.Path) -> None:
        self._data, self._scratch = data, scratch
        self._heads: dict[str, tuple[int, bytes]] = {}
        self.rows: dict[tuple[str, int], Row] = {}

    def look(self) -> list[Row]:
        """The events since the look before. The service must not be running: its file is copied as it lies there."""
        copy = copy_of(self._data, self._scratch)
        new: list[Row] = []
        with sqlite3.connect(copy) as database:
            incidents = [incident for (incident,) in database.execute("SELECT DISTINCT incident FROM events")]
            for incident in incidents:
                new += self._follow(database, incident)
            heads = {name: (number, digest) for name, number, digest in database.execute("SELECT * FROM heads")}
        database.close()
        assert heads == self._heads, "the stored heads are the chains' ends"
        self.rows |= {(row.incident, row.number): row for row in new}
        return new

    def _follow(self, database: sqlite3.Connection, incident: str) -> Iterator[Row]:
        number, digest = self._heads.get(incident, (0, GENESIS))
        for row in read(database, incident, number):
            assert row.number == number + 1, f"{incident} has no event {number + 1}"
            assert row.hash == row.hash_after(digest), f"event {row.number} of {incident} is not what was written"
            number, digest = row.number, row.hash
            yield row
        self._heads[incident] = (number, digest)


def copy_of(data: pathlib.Path, scratch: pathlib.Path) -> pathlib.Path:
    """The database with its write-ahead log, as a power failure would leave them; the index of the log is rebuilt."""
    for suffix in ("", "-wal", "-shm"):
        (scratch / (FILE + suffix)).unlink(missing_ok=True)
    for suffix in ("", "-wal"):
        source = data / (FILE + suffix)
        if source.exists():
            shutil.copyfile(source, scratch / (FILE + suffix))
    return scratch / FILE


def read(database: sqlite3.Connection, incident: str, after: int = 0) -> Iterator[Row]:
    rows = database.execute(
        "SELECT number, time, actor, kind, payload, client_id, hash FROM events"
        " WHERE incident = ? AND number > ? ORDER BY number", (incident, after))
    for number, microseconds, actor, kind, payload, client_id, digest in rows:
        yield Row(incident, number, microseconds, json.loads(actor), kind, json.loads(payload), client_id, bytes(digest))


def utc_text(microseconds: int) -> str:
    """RFC 3339 with six digits."""
    return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(value: object) -> str:
    """RFC 8785."""
    match value:
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case float():
            return number_text(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def number_text(value: float) -> str:
    """A double as ECMAScript writes it (RFC 8785 §3.2.2.3): Python finds the same digits and lays them out otherwise."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    if text == "0":
        return "0"
    point = len(text) + exponent
    if 0 < point <= 21:
        text = text.ljust(point, "0")
        text = text[:point] + ("." + text[point:] if text[point:] else "")
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if text[1:] else "") + f"e{point - 1:+d}"
    return ("-" if sign else "") + text
