"""Search over many incidents: how long each kind of question takes over HTTP, beside a plain scan in SQLite.

Usage: Tests/Benchmarks/archive.py PROGRAM [--incidents 100000] [--rounds 200] [--limit-ms 100]; `make bench-archive` runs it.

A folder is filled with made-up incidents; the server answers one question after the other on a kept connection, each
time with other words. The yardstick asks the same of the same documents with LIKE, on this machine, in the same run.
Prints a table, writes artifacts/benchmark-archive.json, and fails when a p99 is over the limit.
"""

import argparse
import datetime
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Interop"))

from api import Api  # noqa: E402
from node import Node  # noqa: E402
from waiting import wait_for  # noqa: E402

START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
WORDS = ["awake", "smoke", "ladder", "trapped", "lights", "camera", "ambulance", "locked"]
TYPES = ["Fire", "Fall", "Stroke", "Cardiac arrest", "Road accident"]
STREETS = ["hauptstr", "bahnhof", "elbchaussee", "reeperbahn", "hafen"]
#: Rounds of the yardstick: it is slow.
SCANS = 10


def questions(chance: random.Random, count: int) -> dict[str, Callable[[], dict[str, str]]]:
    """Kinds of questions; each call asks something else."""
    minutes = count * 4

    def time_text(minute: int) -> str:
        return (START + datetime.timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def day() -> dict[str, str]:
        first = chance.randrange(max(1, minutes - 1440))
        return {"from": time_text(first), "to": time_text(first + 1440)}

    def box() -> dict[str, str]:
        south, west = 53.4 + chance.random() * 0.28, 9.8 + chance.random() * 0.38
        return {"box": f"{south:.4f},{west:.4f},{south + 0.01:.4f},{west + 0.01:.4f}"}

    def rare() -> dict[str, str]:
        return {"text": f"hh{chance.randrange(50_000)}"}

    return {
        "the newest": lambda: {},
        "a day": day,
        "a box": box,
        "type and priority": lambda: {"type": chance.choice(TYPES), "priority": "P1,P2"},
        "outcome, recorded": lambda: {"outcome": "hoax", "recorded": "true"},
        "a common word": lambda: {"text": chance.choice(WORDS)},
        "a rare word": rare,
        "two words": lambda: {"text": f"{chance.choice(STREETS)} {chance.choice(WORDS)}"},
        "one letter": lambda: {"text": chance.choice("abcdehlmprst")},
        "a phone number": lambda: {"person": f"+49 151 {chance.randrange(1_000, 9_999)}"},
        "a name": lambda: {"person": chance.choice(["anna", "winter", "lorenz", "op-7"])},
        "all at once": lambda: day() | {"text": "a", "priority": "P1", "outcome": "handled", "recorded": "true"} | {
            "box": "53,9,54,11"},
        "nothing": lambda: {"text": "qqqq"},
    }


def path_of(question: dict[str, str]) -> str:
    return "/api/v1/archive?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in question.items())


def spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50": round(1000 * ordered[len(ordered) // 2], 2),
        "p99": round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2),
        "max": round(1000 * ordered[-1], 2),
    }


def measure(rounds: int, ask: Callable[[], object]) -> dict[str, float]:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return spread(taken)


def scan(database: sqlite3.Connection, question: dict[str, str]) -> list[tuple]:
    """The same with LIKE over the stored documents, newest first; times and places by SQLite's JSON functions."""
    where, values = ["collection = 'catalog'"], []
    for word in (question.get("text", "") + " " + question.get("person", "").replace(" ", "").replace("+", "")).split():
        where.append("value LIKE ?")
        values.append(f"%{word}%")
    for name in ("type", "outcome"):
        if name in question:
            where.append(f"json_extract(value, '$.{name}') = ?")
            values.append(question[name])
    if "from" in question:
        for name, sign in (("from", ">="), ("to", "<")):
            moment = datetime.datetime.strptime(question[name], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=START.tzinfo)
            where.append(f"json_extract(value, '$.openedAt') {sign} ?")
            values.append(int(moment.timestamp() * 1e6))
    if "box" in question:
        south, west, north, east = map(float, question["box"].split(","))
        where.append("json_extract(value, '$.lat') BETWEEN ? AND ? AND json_extract(value, '$.lon') BETWEEN ? AND ?")
        values += [south, north, west, east]
    sql = f"SELECT value FROM documents WHERE {' AND '.join(where)} ORDER BY json_extract(value, '$.openedAt') DESC LIMIT 50"
    return database.execute(sql, values).fetchall()


def memory(pid: int) -> int:
    """Resident MiB."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def fill(program: str, data: pathlib.Path, count: int) -> float:
    began = time.monotonic()
    subprocess.run([program, "fill-archive", "--data", data, "--incidents", str(count)], check=True, timeout=1800,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def rows(arguments: argparse.Namespace, data: pathlib.Path) -> Iterator[dict]:
    chance = random.Random(7)
    with Node(data) as node:
        api = Api(node.base, node.accounts["supervisor"]["token"])
        began = time.monotonic()
        wait_for(lambda: api.get("/api/v1/archive?limit=1")["complete"], "the catalogue is read", 300)
        yield {"question": "(start)", "seconds": round(node.starts[0] + time.monotonic() - began, 2),
               "resident MiB": memory(node.process.pid)}
        database = sqlite3.connect(f"file:{data}/sightline.sqlite?mode=ro", uri=True)
        for name, make in questions(chance, arguments.incidents).items():
            found = api.get(path_of(make()))["count"]
            taken = measure(arguments.rounds, lambda make=make: api.get(path_of(make())))
            plain = measure(SCANS, lambda make=make: scan(database, make()))
            yield {"question": name, "found": found} | taken | {"scan p50": plain["p50"]}
        yield {"question": "(end)", "resident MiB": memory(node.process.pid)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--limit-ms", type=float, default=100)
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    os.environ["SIGHTLINE_BIN"] = program
    results = []
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
        data = pathlib.Path(folder)
        print(f"Filling with {arguments.incidents} incidents: {fill(program, data, arguments.incidents):.0f} s")
        print(f"{'question':<20}{'found':>8}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}{'LIKE p50 ms':>14}")
        for row in rows(arguments, data):
            results.append(row)
            if "p50" in row:
                print(f"{row['question']:<20}{row['found']:>8}{row['p50']:>10}{row['p99']:>10}{row['max']:>10}{row['scan p50']:>14}")
            else:
                print(", ".join(f"{name} {value}" for name, value in row.items()))
    artifacts = pathlib.Path(os.environ.get("SIGHTLINE_ARTIFACTS", HERE.parents[1] / "artifacts"))
    artifacts.mkdir(parents=True, exist_ok=True)
    (artifacts / "benchmark-archive.json").write_text(json.dumps(results, indent=2) + "\n")
    slow = [row["question"] for row in results if row.get("p99", 0) > arguments.limit_ms]
    if slow:
        print(f"Over {arguments.limit_ms:g} ms: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
