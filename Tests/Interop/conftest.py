"""Fixtures for the tests with independent peers: the running service, the browsers, the footage."""

import json
import os
import pathlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Playwright, sync_playwright

import service as services
from browser import ChromiumPage, FirefoxPage
from make_fake_camera import make_camera, make_microphone
from service import ROOT, Service

#: What the relay does for narrow links, for crowds and on a full node, in figures that depend on the machine: `make relay-goals`.
GOALS = ["test_relay_joins.py", "test_relay_links.py", "test_relay_overload.py"]
collect_ignore = [] if os.environ.get("SIGHTLINE_GOALS") else GOALS

ARTIFACTS = pathlib.Path(os.environ.get("SIGHTLINE_ARTIFACTS", ROOT / "artifacts"))


def run_service(folder: pathlib.Path, *arguments: str) -> Iterator[Service]:
    running = services.start(folder, *arguments)
    try:
        yield running
    finally:
        assert running.stop() == 0, "the service ends cleanly on SIGTERM"


@pytest.fixture
def service(tmp_path: pathlib.Path) -> Iterator[Service]:
    """A service whose incident has no caller yet."""
    yield from run_service(tmp_path, "--no-caller")


@pytest.fixture
def demo(tmp_path: pathlib.Path) -> Iterator[Service]:
    """A service with its own simulated caller, as `make demo` starts it."""
    yield from run_service(tmp_path)


@pytest.fixture(scope="session")
def artifacts() -> pathlib.Path:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    return ARTIFACTS


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, pathlib.Path]:
    """Files for Chromium's fake camera and microphone."""
    folder = tmp_path_factory.mktemp("footage")
    return make_camera(folder), make_microphone(folder)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture
def chromium(playwright: Playwright) -> Iterator[Callable[..., ChromiumPage]]:
    """Opens pages in Chromium and closes them at the end."""
    pages: list[ChromiumPage] = []

    def open_page(url: str, **options: object) -> ChromiumPage:
        pages.append(ChromiumPage(playwright, url, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def firefox() -> Iterator[Callable[..., FirefoxPage]]:
    """Opens pages in Firefox and closes them at the end."""
    pages: list[FirefoxPage] = []

    def open_page(url: str, **options: object) -> FirefoxPage:
        pages.append(FirefoxPage(url, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def report(artifacts: pathlib.Path) -> Iterator[Callable[..., None]]:
    """Collects measurements, prints each, and writes them to artifacts/interop.json at the end.

    Where several workers run the tests each writes its own file.
    """
    rows: list[dict] = []

    def note(**row: object) -> None:
        rows.append(row)
        print("measured:", ", ".join(f"{name} {value}" for name, value in row.items()))

    yield note
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    (artifacts / f"interop{f'-{worker}' if worker else ''}.json").write_text(json.dumps(rows, indent=2) + "\n")
