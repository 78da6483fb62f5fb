"""What the metadata channel does on this machine: delivery of location updates, memory of idle clients, durable events.

Usage: Tests/Benchmarks/metadata.py PROGRAM [--seconds 30] [--durable-rate 2000] ... ; `make bench-metadata` runs it.

The server is on core 0, everything else on core 1. The disk is measured in the same folder, before and after, by loops
of its own: writes of 4 KiB with fsync, and SQLite commits (write-ahead log, synchronous FULL) of as many events as the
server put into one. Prints a table and writes artifacts/benchmark-metadata.json.
"""

import argparse
import asyncio
import json
import os
import pathlib
import re
import resource
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Interop"))

from lean_websocket import LeanWebSocket  # noqa: E402
from node import Key, Node  # noqa: E402

BLOCK = bytes(4096)
#: Bytes that the fsync loop writes over and over: a log that was written before keeps its blocks.
RING = 4 << 20
DISK_SECONDS = 3
#: Messages of one sender on their way.
WINDOW = 8
#: Seconds that connected clients rest before memory is read.
REST_SECONDS = 5
SENT_AT = re.compile(rb'"clientID":"t(\d+)"')


@dataclass
class Crowd:
    """The connected clients: a caller in each incident, and staff that follows it."""

    callers: list[tuple[LeanWebSocket, str, Key]]
    others: list[LeanWebSocket]
    #: Nanoseconds from sending to receiving, of each delivery.
    delays: list[int]
    subscribed: int = 0

    @property
    def endings(self) -> list[str]:
        sockets = [socket for socket, _, _ in self.callers] + self.others
        return [socket.ending for socket in sockets if socket.ending is not None]

    def take(self, text: bytes) -> None:
        now = time.monotonic_ns()
        if match := SENT_AT.search(text):
            if b'"kind":"event"' in text[:30]:
                self.delays.append(now - int(match[1]))
        elif b'"kind":"subscribed"' in text:
            self.subscribed += 1


async def connect_crowd(node: Node, incidents: list[str], keys: list[Key], count: int) -> Crowd:
    crowd = Crowd([], [], [])
    staff = [node.key("operator"), node.key("supervisor")]
    for number in range(count):
        incident = incidents[number % len(incidents)]
        key = keys[number] if number < len(incidents) else staff[number % 2]
        socket = await LeanWebSocket.connect(node.port, key.token, key.page, crowd.take)
        socket.send(json.dumps({"v": 1, "kind": "subscribe", "incident": incident}).encode())
        if number < len(incidents):
            crowd.callers.append((socket, incident, key))
        else:
            crowd.others.append(socket)
    deadline = time.monotonic() + 30
    while crowd.subscribed < count:
        assert time.monotonic() < deadline and not crowd.endings, f"{crowd.subscribed} subscribed, {crowd.endings[:3]}"
        await asyncio.sleep(0.1)
    return crowd


async def report_places(crowd: Crowd, seconds: float) -> int:
    """Every caller reports its place once a second, one after the other; how many reports there were."""
    start, sent = time.monotonic(), 0
    period = 1 / len(crowd.callers)
    while (due := start + sent * period) < start + seconds:
        await asyncio.sleep(max(0, due - time.monotonic()))
        socket, incident, key = crowd.callers[sent % len(crowd.callers)]
        payload = {"caller": key.actor, "source": "device", "lat": 48.1 + sent * 1e-7, "lon": 11.5, "accuracy": 12.5}
        socket.send(json.dumps({
            "v": 1, "id": f"t{time.monotonic_ns()}", "kind": "location", "incident": incident, "payload": payload}).encode())
        sent += 1
    await asyncio.sleep(2)
    return sent


async def send_durably(node: Node, incidents: list[str], keys: list[Key], seconds: float) -> tuple[int, float, list[str]]:
    """Every sender keeps `WINDOW` chat messages on their way; how many were accepted, in how many seconds, and refusals."""
    accepted, refused, serial = 0, [], 0
    ends = False
    sockets: list[LeanWebSocket] = []

    def message(incident: str) -> bytes:
        nonlocal serial
        serial += 1
        return (f'{{"v":1,"id":"d{serial}","kind":"chat","incident":"{incident}",'
                f'"payload":{{"text":"The patient is awake and breathing, message {serial}."}}}}').encode()

    def answer(place: int) -> Callable[[bytes], None]:
        def take(text: bytes) -> None:
            nonlocal accepted
            if b'"kind":"accepted"' in text:
                accepted += 1
                if not ends:
                    sockets[place].send(message(incidents[place % len(incidents)]))
            elif b'"kind":"error"' in text:
                refused.append(text.decode())

        return take

    for place, key in enumerate(keys):
        sockets.append(await LeanWebSocket.connect(node.port, key.token, key.page, answer(place)))
    for place, socket in enumerate(sockets):
        socket.send(*(message(incidents[place % len(incidents)]) for _ in range(WINDOW)))
    await asyncio.sleep(1)
    first, began = accepted, time.monotonic()
    await asyncio.sleep(seconds)
    result = accepted - first, time.monotonic() - began
    ends = True
    await asyncio.sleep(1)
    refused += [socket.ending for socket in sockets if socket.ending is not None]
    for socket in sockets:
        socket.close()
    return *result, refused


# The disk


def fsyncs_per_second(folder: pathlib.Path) -> float:
    file = os.open(folder / "fsync-probe", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for offset in range(0, RING, len(BLOCK)):
            os.pwrite(file, BLOCK, offset)
        os.fsync(file)
        count, began = 0, time.monotonic()
        while time.monotonic() - began < DISK_SECONDS:
            os.pwrite(file, BLOCK, count * len(BLOCK) % RING)
            os.fsync(file)
            count += 1
        return count / (time.monotonic() - began)
    finally:
        os.close(file)


def sqlite_events_per_second(folder: pathlib.Path, group: int) -> float:
    """Events of the journal's shape, `group` in each commit."""
    database = sqlite3.connect(folder / "sqlite-probe", isolation_level=None)
    database.executescript("""
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS events (
          incident TEXT NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL,
          payload TEXT NOT NULL, client_id TEXT, actor_id TEXT NOT NULL, hash BLOB NOT NULL,
          PRIMARY KEY (incident, number)) WITHOUT ROWID;
        CREATE UNIQUE INDEX IF NOT EXISTS by_client ON events (incident, actor_id, client_id);""")
    actor, payload = json.dumps({"id": "l-0123456789abcdef", "role": "guest", "name": "guest"}), '{"text":"' + "x" * 55 + '"}'
    (count,) = database.execute("SELECT count(*) FROM events").fetchone()
    first, began = count, time.monotonic()
    while time.monotonic() - began < DISK_SECONDS:
        rows = [(f"26-{number % 100:06}", number, number, actor, "chat", payload, f"d{number}", "l-0123456789abcdef", bytes(32))
                for number in range(count, count + group)]
        database.execute("BEGIN")
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute("COMMIT")
        count += group
    rate = (count - first) / (time.monotonic() - began)
    database.close()
    return rate


# The server


def counters(node: Node) -> dict[str, int]:
    with urllib.request.urlopen(f"{node.base}/metrics", timeout=5) as response:
        rows = [line.split() for line in response.read().decode().splitlines() if not line.startswith("#")]
    return {name: int(value) for name, value in rows}


def resident_bytes(node: Node) -> int:
    status = pathlib.Path(f"/proc/{node.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10


def cpu_seconds(node: Node) -> float:
    fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pin(node: Node) -> bool:
    """The server on core 0, the rest of us on core 1, if there are two."""
    if len(os.sched_getaffinity(0)) < 2:
        return False
    os.sched_setaffinity(0, {1})
    for thread in pathlib.Path(f"/proc/{node.process.pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {0})
    return True


def percentile(values: list[int], share: float) -> float:
    """Milliseconds."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] / 1e6


async def measure_crowd(node: Node, incidents: list[str], callers: list[Key], options: argparse.Namespace) -> dict:
    before = resident_bytes(node)
    crowd = await connect_crowd(node, incidents, callers, options.clients)
    await asyncio.sleep(REST_SECONDS)
    idle = (resident_bytes(node) - before) / options.clients
    cpu = cpu_seconds(node)
    sent = await report_places(crowd, options.seconds)
    cpu = (cpu_seconds(node) - cpu) / options.seconds
    assert not crowd.endings, f"clients were sent away: {crowd.endings[:3]}"
    expected = sent * (options.clients // len(incidents))
    for socket in [socket for socket, _, _ in crowd.callers] + crowd.others:
        socket.close()
    delays = crowd.delays
    return {
        "clients": options.clients, "incidents": len(incidents), "updates": sent, "deliveries": len(delays),
        "missing": expected - len(delays), "p50Milliseconds": round(percentile(delays, 0.5), 3),
        "p99Milliseconds": round(percentile(delays, 0.99), 3), "p999Milliseconds": round(percentile(delays, 0.999), 3),
        "mostMilliseconds": round(max(delays) / 1e6, 3), "serverCoreShare": round(cpu, 3),
        "idleClientKiB": round(idle / 1024, 1),
    }


async def measure_durable(node: Node, incidents: list[str], keys: list[Key], options: argparse.Namespace) -> dict:
    before, cpu = counters(node), cpu_seconds(node)
    accepted, seconds, refused = await send_durably(node, incidents, keys, options.seconds)
    after = counters(node)
    commits = after["sightline_journal_commits_total"] - before["sightline_journal_commits_total"]
    events = after["sightline_journal_events_total"] - before["sightline_journal_events_total"]
    return {
        "senders": len(keys), "eventsPerSecond": round(accepted / seconds), "eventsPerCommit": round(events / commits, 1),
        "commitsPerSecond": round(accepted / seconds * commits / events),
        "serverCoreShare": round((cpu_seconds(node) - cpu) / (seconds + 2), 3), "refused": len(refused),
        "firstRefusal": refused[0] if refused else None,
    }


def run(options: argparse.Namespace, folder: pathlib.Path) -> dict:
    (folder / "data").mkdir()
    disk = {"fsyncsPerSecondBefore": round(fsyncs_per_second(folder))}
    arguments = ("--durable-rate", str(options.durable_rate)) if options.durable_rate else ()
    with Node(folder / "data", arguments) as node:
        incidents = [node.open_incident() for _ in range(options.incidents)]
        callers = [node.make_link(incident, "caller", f"caller-{incident}") for incident in incidents]
        guests = [node.make_link(incidents[number % len(incidents)], "guest", f"guest-{number}")
                  for number in range(options.senders)]
        is_pinned = pin(node)
        crowd = asyncio.run(measure_crowd(node, incidents, callers, options))
        durable = asyncio.run(measure_durable(node, incidents, guests, options))
    disk |= {
        "fsyncsPerSecondAfter": round(fsyncs_per_second(folder)),
        "sqliteEventsPerSecondAtSameGroup": round(sqlite_events_per_second(folder, max(1, round(durable["eventsPerCommit"])))),
        "sqliteEventsPerSecondAtGroupOf1": round(sqlite_events_per_second(folder, 1)),
    }
    return {"pinned": is_pinned, "delivery": crowd, "durable": durable, "disk": disk}


def table(result: dict) -> str:
    delivery, durable, disk = result["delivery"], result["durable"], result["disk"]
    rows = [
        (f"{delivery['clients']} clients on {delivery['incidents']} incidents, each caller's place once a second", ""),
        ("  update to all subscribers, p50 / p99 / p99.9",
         f"{delivery['p50Milliseconds']} / {delivery['p99Milliseconds']} / {delivery['p999Milliseconds']} ms"),
        ("  slowest delivery", f"{delivery['mostMilliseconds']} ms"),
        ("  deliveries, of them missing", f"{delivery['deliveries']}, {delivery['missing']}"),
        ("  server's share of its core", f"{delivery['serverCoreShare']:.0%}"),
        ("memory of an idle client with one subscription", f"{delivery['idleClientKiB']} KiB"),
        (f"durable events, {durable['senders']} senders with {WINDOW} each on their way", ""),
        ("  accepted a second", f"{durable['eventsPerSecond']}"),
        ("  commits a second, events in each", f"{durable['commitsPerSecond']}, {durable['eventsPerCommit']}"),
        ("  server's share of its core", f"{durable['serverCoreShare']:.0%}"),
        ("  refused", f"{durable['refused']}"),
        ("the disk alone: 4 KiB and fsync, before / after",
         f"{disk['fsyncsPerSecondBefore']} / {disk['fsyncsPerSecondAfter']} a second"),
        ("  SQLite (WAL, FULL), as many events a commit as the server", f"{disk['sqliteEventsPerSecondAtSameGroup']} events a second"),
        ("  SQLite (WAL, FULL), one event a commit", f"{disk['sqliteEventsPerSecondAtGroupOf1']} events a second"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}".rstrip() for name, value in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=30, help="how long each load lasts")
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--incidents", type=int, default=100)
    parser.add_argument("--senders", type=int, default=400, help="of durable events; each may send 50 a second")
    parser.add_argument("--durable-rate", type=int, default=0, help="let each person send that many a second")
    parser.add_argument("--report", type=pathlib.Path, default=pathlib.Path("artifacts/benchmark-metadata.json"))
    options = parser.parse_args()
    os.environ["SIGHTLINE_BIN"] = str(options.program.resolve())
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    # Beside the report and not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(dir=options.report.parent) as folder:
        result = run(options, pathlib.Path(folder))
    print(table(result))
    options.report.write_text(json.dumps(result, indent=2) + "\n")
    print(f"Figures: {options.report}")


if __name__ == "__main__":
    main()
