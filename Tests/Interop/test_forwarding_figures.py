"""`make bench` itself: short runs of Sightline and the bare loop give figures, ratios, a page, and a comparison."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

import service as services

BENCHMARK = services.ROOT / "Tests/Benchmarks/forwarding.py"


@pytest.mark.skipif(not shutil.which("cc"), reason="the bare loop needs a C compiler")
def test_runs_give_figures_and_compare_themselves(tmp_path: pathlib.Path) -> None:
    latest, page = tmp_path / "latest.json", tmp_path / "page.html"
    command = [sys.executable, str(BENCHMARK), str(services.binary()), "--rounds", "1", "--seconds", "1", "--scenarios", "1x10",
               "--systems", "sightline,bareLoop", "--latest", str(latest), "--page", str(page)]
    first = subprocess.run(command, cwd=services.ROOT, capture_output=True, text=True, timeout=90)
    assert first.returncode == 0, first.stderr
    found = json.loads(latest.read_text())
    assert found["schema"] == 1 and found["machine"]["cores"] >= 1
    for system in ("sightline", "bareLoop"):
        figures = found["systems"][system]["1x10"]
        # How much comes in a second depends on the machine; that what came was right does not.
        assert figures["packetsPerSecond"] > 0 and figures["lossPercent"] == 0 and figures["failedSessions"] == 0
        assert figures["microsecondsPerPacket"] > 0 and figures["residentBytes"] > 0
        p50, p99 = figures["delayP50Milliseconds"], figures["delayP99Milliseconds"]
        assert p50 is None or 0 < p50 <= p99
    assert found["systems"]["sightline"]["1x10"]["setupP50Milliseconds"] > 0
    assert found["ratios"]["sightlineToBareLoop"]["1x10"] > 0
    assert page.read_text().count("<svg") == 3 and "http" not in page.read_text()
    assert str(services.ROOT) not in latest.read_text()

    second = subprocess.run([*command, "--keep"], cwd=services.ROOT, capture_output=True, text=True, timeout=90)
    assert "Sightline to bare loop" in second.stdout, second.stdout + second.stderr
    assert json.loads(latest.read_text()) == found
