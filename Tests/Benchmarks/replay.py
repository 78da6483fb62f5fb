"""How soon a replay of a long incident starts and seeks on this machine, over HTTP alone and in Chromium.

Usage: Tests/Benchmarks/replay.py PROGRAM [--minutes 60] [--seeks 50]; `make bench-replay` runs it.

The archive has a film and its sound in files of a minute and fragments of half a second, as the recorder writes them.
"Cold" is the first look after the server has started: it has to read the whole manifest. As a yardstick the same bytes
are read straight from the disk. Prints a table and writes artifacts/benchmark-replay.json.
"""

import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import time
from datetime import datetime, timedelta

from playwright.sync_api import sync_playwright

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Interop"))

import archives  # noqa: E402
import service as services  # noqa: E402
from api import Api  # noqa: E402
from archives import Archive  # noqa: E402
from browser import ChromiumPage  # noqa: E402
from service import Service  # noqa: E402
from waiting import wait_for  # noqa: E402

FILE_SECONDS = 60
REASON = {"reason": "to measure it"}


def write(folder: pathlib.Path, incident: str, start: datetime, minutes: int) -> Archive:
    archive = Archive(folder / "archive" / incident, incident, start)
    tracks = {"H264": archive.track("video-1", "video"), "opus": archive.track("audio-1", "audio")}
    for minute in range(minutes):
        for codec, track in tracks.items():
            archive.add(track, archives.encode(codec, 0, FILE_SECONDS), minute * FILE_SECONDS)
    archive.seal()
    return archive


def over_http(service: Service, incident: str, archive: Archive, seeks: int) -> dict[str, float]:
    """Milliseconds until the bytes of the first picture are there, and of the picture anywhere else."""
    person, path = Api(service.base, service.accounts["supervisor"].token), f"/api/v1/incidents/{incident}/replays"
    starts = []
    for _ in range(2):
        begun = time.perf_counter()
        look = f"{path}/{person.post(path, REASON)['replay']}"
        playlist = person.get(f"{look}/playlist.json")
        track = playlist["tracks"][0]
        fetch(person, look, track["segments"][0], 0)
        starts.append(milliseconds(begun))
    chooser, took, straight = random.Random(1), [], []
    for _ in range(seeks):
        segment = chooser.choice(track["segments"])
        place = chooser.randrange(len(segment["fragments"]) // 2) * 2
        begun = time.perf_counter()
        answer = fetch(person, look, segment, place)
        took.append(milliseconds(begun))
        begun = time.perf_counter()
        with (archive.folder / "media" / segment["name"]).open("rb", buffering=0) as file:
            file.seek(segment["fragments"][place][0])
            assert file.read(len(answer)) == answer
        straight.append(milliseconds(begun))
    return {
        "cold start": starts[0], "warm start": starts[1], "seek p50": middle(took), "seek p99": last(took),
        "the same from the disk p50": middle(straight), "playlist kB": len(json.dumps(playlist)) / 1000,
    }


def fetch(person: Api, look: str, segment: dict, place: int) -> bytes:
    """Two fragments from a keyframe on, and with the first of a file its header."""
    first, second = segment["fragments"][place : place + 2]
    start = 0 if place == 0 else first[0]
    answer = person.ask("GET", f"{look}/media/{segment['name']}", Range=f"bytes={start}-{second[0] + second[1] - 1}")
    assert answer.status == 206 and len(answer.body) == second[0] + second[1] - start
    return answer.body


def in_chromium(service: Service, incident: str, seeks: int) -> dict[str, float]:
    """Milliseconds from the click to the first picture, and of seeks until picture and sound are there."""
    token = service.accounts["supervisor"].token
    with sync_playwright() as playwright:
        page = ChromiumPage(playwright, f"{service.base.rstrip('/')}/replay/{incident}?token={token}")
        page.page.fill("#reason", REASON["reason"])
        page.page.click("#why-form button")
        wait_for(lambda: page.evaluate("window.sightline.times.firstPicture"), "the first picture", every=0.02)
        start = page.evaluate("window.sightline.times.firstPicture")
        span, chooser, took = page.evaluate("window.sightline.span"), random.Random(2), []
        for _ in range(seeks):
            page.page.evaluate(
                """(seconds) => {
                  const slider = document.querySelector("#timeline input");
                  slider.value = String(seconds);
                  slider.dispatchEvent(new Event("input"));
                }""", chooser.uniform(span["start"], span["end"] - 2))
            wait_for(lambda: page.evaluate("window.sightline.jumpTook !== undefined"), "the picture", every=0.02)
            took.append(page.evaluate("window.sightline.jumpTook"))
        fetched = page.evaluate("window.sightline.fetched")
        page.close()
    return {
        "first picture": start, "seek p50": middle(took), "seek p95": sorted(took)[int(len(took) * 0.95)],
        "seek longest": max(took), "fetched MB": fetched / 1e6,
    }


def milliseconds(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def last(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def run(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, dict[str, float]]:
    service = services.start(folder, "--no-caller")
    try:
        operator = Api(service.base, service.accounts["operator"].token)
        incident = operator.post("/api/v1/incidents", {"priority": "P2"})["id"]
        opened = datetime.fromisoformat(operator.get(f"/api/v1/incidents/{incident}")["openedAt"].replace("Z", "+00:00"))
        archive = write(folder, incident, opened + timedelta(seconds=2), options.minutes)
        size = sum(path.stat().st_size for path in archive.folder.rglob("*") if path.is_file())
        return {
            "archive": {"minutes": options.minutes, "lines": archive.number, "MB": size / 1e6},
            "HTTP, ms": over_http(service, incident, archive, options.seeks),
            "Chromium, ms": in_chromium(service, incident, options.seeks),
        }
    finally:
        service.stop()


def table(result: dict[str, dict[str, float]]) -> str:
    rows = [(part, name, f"{value:,.1f}") for part, figures in result.items() for name, value in figures.items()]
    return "\n".join(f"{part:<14} {name:<28} {value:>10}" for part, name, value in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--seeks", type=int, default=50)
    parser.add_argument("--report", type=pathlib.Path, default=pathlib.Path("artifacts/benchmark-replay.json"))
    options = parser.parse_args()
    os.environ["SIGHTLINE_BIN"] = str(options.program.resolve())
    options.report.parent.mkdir(parents=True, exist_ok=True)
    # Beside the report and not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(dir=options.report.parent) as folder:
        result = run(options, pathlib.Path(folder))
    print(table(result))
    options.report.write_text(json.dumps(result, indent=2) + "\n")
    print(f"Figures: {options.report}")


if __name__ == "__main__":
    main()
