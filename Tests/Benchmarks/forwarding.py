"""What forwarding a packet costs on this machine: Sightline, Janus where it is installed, and a bare C loop, in turn.

Usage: Tests/Benchmarks/forwarding.py PROGRAM [--rounds 3] [--seconds 8] [--scenarios 1x100,15x4] ... ; `make bench` runs it.

The server is on core 0, `sightline load` on core 1. Each round runs every scenario with every system, one after the
other, so that what else the machine does meets all of them; figures are medians over the rounds, ratios are medians of
each round's own ratio. README.md beside this file says what is measured how. Prints a table and writes
artifacts/benchmark.html and the file that --latest names, after it was compared with what stood there.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import forwarding_report as report

HERE = pathlib.Path(__file__).resolve().parent
SIGHTLINE, JANUS, BARE_LOOP = "sightline", "janus", "bareLoop"
#: Sightline again, whose viewers tell when each packet came: what browsers cost it.
MEASURED_LINKS = "sightlineMeasuredLinks"
JANUS_URL = "http://127.0.0.1:18088/janus"
#: Whatever hangs is given up after so many seconds beside those that are measured.
PATIENCE = 60


@dataclass(frozen=True)
class Scenario:
    """So many callers with so many viewers each, by the name that stands in the figures."""

    callers: int
    viewers: int
    #: Janus takes minutes to let more viewers in than it can serve.
    has_janus: bool
    measures_links: bool = False

    @property
    def name(self) -> str:
        return f"{self.callers}x{self.viewers}"

    def suits(self, system: str) -> bool:
        return {JANUS: self.has_janus, MEASURED_LINKS: self.measures_links}.get(system, True)


SCENARIOS = [
    Scenario(1, 10, True, True), Scenario(1, 50, True), Scenario(1, 100, True, True), Scenario(15, 2, True),
    Scenario(15, 4, True), Scenario(1, 250, False), Scenario(1, 500, False, True), Scenario(1, 1000, False),
]


@dataclass(frozen=True)
class Server:
    """A running server: how the load generator finds it, and its memory before anybody came."""

    process: subprocess.Popen
    target: list[str]
    resident: int


def on_core(core: int, is_pinned: bool) -> list[str]:
    return ["taskset", "--cpu-list", str(core)] if is_pinned else []


def resident_bytes(process: subprocess.Popen) -> int:
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


@contextlib.contextmanager
def running(command: list[str], **settings: object) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(command, text=True, **settings)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            print(f"{command[0]} did not stop when told to: it was killed", file=sys.stderr)
            process.kill()
            process.wait()


@contextlib.contextmanager
def sightline(options: argparse.Namespace, folder: pathlib.Path) -> Iterator[Server]:
    data = folder / "node"
    # Janus records nothing either.
    command = [str(options.program), "demo", "--json", "--no-caller", "--no-phone", "--no-recording", "--port", "0",
               "--data", str(data)]
    with running(on_core(0, options.is_pinned) + command, stdout=subprocess.PIPE) as process:
        base = json.loads(process.stdout.readline())["base"]
        time.sleep(0.5)
        yield Server(process, ["--target", base, "--data", str(data)], resident_bytes(process))


@contextlib.contextmanager
def bare_loop(options: argparse.Namespace, folder: pathlib.Path) -> Iterator[Server]:
    with running(on_core(0, options.is_pinned) + [str(options.loop)], stdout=subprocess.PIPE) as process:
        port = process.stdout.readline().strip()
        yield Server(process, ["--bare-loop", port], resident_bytes(process))


@contextlib.contextmanager
def janus(options: argparse.Namespace, folder: pathlib.Path) -> Iterator[Server]:
    subprocess.run([HERE / "janus_config.sh", folder / "janus", options.address], check=True)
    command = ["janus", f"--configs-folder={folder / 'janus'}", "--disable-colors"]
    with (folder / "janus.log").open("w") as log, running(
            on_core(0, options.is_pinned) + command, stdout=log, stderr=log) as process:
        deadline = time.monotonic() + 10
        while True:
            try:
                urllib.request.urlopen(f"{JANUS_URL}/info", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(f"Janus did not start: {(folder / 'janus.log').read_text()[-500:]}") from None
                time.sleep(0.1)
        yield Server(process, ["--janus", JANUS_URL, "--local-address", options.address], resident_bytes(process))


SERVERS = {SIGHTLINE: sightline, BARE_LOOP: bare_loop, JANUS: janus, MEASURED_LINKS: sightline}


def measure(system: str, scenario: Scenario, options: argparse.Namespace) -> dict | None:
    """One run; None when it failed, in words on standard error."""
    ramp = 40 if system == JANUS else 200
    with tempfile.TemporaryDirectory() as folder, SERVERS[system](options, pathlib.Path(folder)) as server:
        command = [str(options.program), "load", *server.target, "--callers", str(scenario.callers), "--viewers",
                   str(scenario.viewers), "--duration", str(options.seconds), "--ramp", str(ramp), "--sample",
                   str(options.sample), "--pid", str(server.process.pid), "--json", "--quiet"]
        if system == MEASURED_LINKS:
            command.append("--feedback")
        patience = options.seconds + scenario.callers * (1 + scenario.viewers) / ramp + PATIENCE
        try:
            printed = subprocess.run(on_core(1, options.is_pinned) + command, stdout=subprocess.PIPE, timeout=patience).stdout
            result = json.loads(printed)
            # Fewer viewers than planned would make a packet dear and a viewer cheap.
            if missing := result["sessions"]["failed"] + result["sessions"]["lost"]:
                print(f"{system} {scenario.name} failed: {missing} sessions did not come about or were lost", file=sys.stderr)
                return None
            return figures(system, result, server.resident)
        except subprocess.TimeoutExpired:
            print(f"{system} {scenario.name} failed: it took more than {patience:.0f} s", file=sys.stderr)
        except json.JSONDecodeError:
            print(f"{system} {scenario.name} failed: the load generator says why above", file=sys.stderr)
        return None


def figures(system: str, result: dict, resident_before: int) -> dict:
    server, viewers = result["server"], max(1, result["callers"] * result["viewersPerCaller"])
    # Janus numbers packets that its full queues then drop, so only what came counts; the other two send what they number.
    cost = server["microsecondsPerPacket" if system == JANUS else "microsecondsPerNumber"]
    return {
        "packetsPerSecondPerCore": 1e6 / cost if cost else 0, "microsecondsPerPacket": cost,
        "packetsPerSecond": result["traffic"]["packetsPerSecond"],
        "delayP50Milliseconds": result["delay"]["p50"] if result["delay"]["packets"] else None,
        "delayP99Milliseconds": result["delay"]["p99"] if result["delay"]["packets"] else None,
        "lossPercent": result["traffic"]["lostShare"] * 100,
        "setupP50Milliseconds": None if system == BARE_LOOP else (result["setup"]["connected"] or {}).get("p50"),
        "residentBytes": server["residentBytes"],
        "residentBytesPerViewer": max(0, server["residentBytes"] - resident_before) / viewers,
        "serverPercent": server["cpuPercent"], "generatorPercent": result["generator"]["busiestThreadPercent"],
        "failedSessions": result["sessions"]["failed"] + result["sessions"]["lost"],
    }


def medians(runs: list[dict]) -> dict:
    values = {name: [run[name] for run in runs if run[name] is not None] for name in runs[0]}
    return {name: report.rounded(median(each)) if each else None for name, each in values.items()}


def compile_loop(folder: pathlib.Path) -> tuple[pathlib.Path, str]:
    """The bare loop and the library that encrypts in it: the faster one where there is one."""
    loop, source = folder / "bare_loop", str(HERE / "bare_loop.c")
    compiler = ["cc", "-O3", "-o", str(loop), source]
    if subprocess.run([*compiler, "-lIPSec_MB"], stderr=subprocess.DEVNULL).returncode == 0:
        return loop, "libipsec-mb"
    subprocess.run([*compiler, "-DOPENSSL_ONLY", "-lcrypto"], check=True)
    return loop, "OpenSSL"


def own_address() -> str | None:
    """libnice gathers no loopback address: Janus is measured on the machine's own."""
    printed = subprocess.run(["hostname", "--all-ip-addresses"], stdout=subprocess.PIPE, text=True).stdout.split()
    return next((address for address in printed if "." in address), None)


def machine() -> dict:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    # What else the machine did before the first run: the average of the last minute.
    return {"cores": os.cpu_count(), "model": model, "kernel": platform.release(), "loadBefore": round(os.getloadavg()[0], 2)}


def run(options: argparse.Namespace) -> dict:
    """`runs[system][scenario]` holds each round's figures, None for one that failed."""
    runs: dict[str, dict[str, list[dict | None]]] = {system: {} for system in options.systems}
    for number in range(options.rounds):
        for scenario in options.scenarios:
            for system in options.systems:
                if not scenario.suits(system):
                    continue
                found = measure(system, scenario, options)
                runs[system].setdefault(scenario.name, []).append(found)
                if found:
                    print(f"round {number + 1}  {scenario.name:7} {system:22} {found['microsecondsPerPacket']:6.2f} us  "
                          f"p99 {report.words(found['delayP99Milliseconds'], 2)} ms  lost {found['lossPercent']:.2f} %",
                          file=sys.stderr)
    return runs


def result(runs: dict, options: argparse.Namespace, library: str) -> dict:
    systems = {
        system: {name: medians(done) for name, each in scenarios.items() if (done := [run for run in each if run])}
        for system, scenarios in runs.items()
    }
    return {
        "schema": 1, "date": datetime.date.today().isoformat(), "machine": options.machine, "rounds": options.rounds,
        "seconds": options.seconds, "pinned": options.is_pinned, "bareLoopCipher": library, "systems": systems,
        "ratios": report.ratios(runs),
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="how long each run is measured")
    parser.add_argument("--scenarios", help="callers x viewers of each, for example 1x100,15x4; all without it")
    parser.add_argument("--systems", help="of sightline, bareLoop, janus and sightlineMeasuredLinks, with commas between; all without it")
    parser.add_argument("--sample", type=int, default=8, help="viewers decrypt only every so many packets")
    parser.add_argument("--latest", type=pathlib.Path, default=pathlib.Path("deployment/benchmarks/latest.json"))
    parser.add_argument("--keep", action="store_true", help="leave the stored figures as they are")
    parser.add_argument("--page", type=pathlib.Path, default=pathlib.Path("artifacts/benchmark.html"))
    options = parser.parse_args()
    options.program = options.program.resolve()
    options.is_pinned = len(os.sched_getaffinity(0)) > 1
    options.address, options.machine = own_address(), machine()
    available = [SIGHTLINE, BARE_LOOP] + ([JANUS] if shutil.which("janus") and options.address else []) + [MEASURED_LINKS]
    options.systems = [each for each in available if not options.systems or each in options.systems.split(",")]
    wanted = options.scenarios.split(",") if options.scenarios else None
    options.scenarios = [each for each in SCENARIOS if not wanted or each.name in wanted]
    if not options.systems or not options.scenarios:
        parser.error("nothing to measure: see --systems and --scenarios")
    return options


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        options.loop, library = compile_loop(pathlib.Path(folder))
        found = result(run(options), options, library)
    previous = json.loads(options.latest.read_text()) if options.latest.exists() else None
    print(report.table(found))
    if previous:
        print("\n" + report.comparison(found, previous))
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(report.page(found, previous))
    print(f"\nPlots: {options.page}")
    if not options.keep:
        options.latest.parent.mkdir(parents=True, exist_ok=True)
        options.latest.write_text(json.dumps(found, indent=2) + "\n")
        print(f"Figures: {options.latest}")


if __name__ == "__main__":
    main()
