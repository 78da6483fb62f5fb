"""Starts and stops `sightline demo`, and knows the addresses that it prints."""

import json
import os
import pathlib
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 20
#: A service writes and seals its recordings before it ends.
STOP_SECONDS = 30


@dataclass(frozen=True)
class Account:
    """Somebody of the demo agency; `token` is a bearer token."""

    id: str
    userName: str
    password: str
    token: str


@dataclass(frozen=True)
class Service:
    """One running service with one incident; `caller` and `viewer` are pages with their tokens in the address."""

    process: subprocess.Popen
    base: str
    incident: str
    whip: str
    whep: str
    caller: str
    viewer: str
    whip_token: str
    whep_token: str
    #: One account a role.
    accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def websocket(self) -> str:
        """The address of `sightline.v1` for a viewer."""
        return self.websocket_as(self.whep_token)

    def websocket_as(self, token: str) -> str:
        """The address of `sightline.v1` for whoever has `token`."""
        parts = urlsplit(self.base)
        scheme = "wss" if parts.scheme == "https" else "ws"
        return urlunsplit((scheme, parts.netloc, "/ws", f"token={token}", ""))

    def stop(self) -> int:
        """Ends the service as an init system would; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def binary() -> str:
    return os.environ.get("SIGHTLINE_BIN", str(ROOT / ".build/release/sightline"))


def start(data: pathlib.Path, *arguments: str) -> Service:
    """Starts `sightline demo` on free ports and waits until it says that it is ready. Its log goes to DATA/service.log."""
    command = [binary(), "demo", "--json", "--port", "0", "--data", str(data), *arguments]
    with (data / "service.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        facts = json.loads(first_line(process))
    except Exception:
        process.kill()
        process.wait()
        raise
    return Service(
        process=process,
        whip_token=facts.pop("whipToken"),
        whep_token=facts.pop("whepToken"),
        accounts={role: Account(**account) for role, account in facts.pop("accounts", {}).items()},
        **{name: facts[name] for name in ("base", "incident", "whip", "whep", "caller", "viewer")},
    )


def first_line(process: subprocess.Popen) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], 0.2)
        if readable:
            line = process.stdout.readline()
            if line:
                return line
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with status {process.returncode} before it was ready")
    raise TimeoutError(f"the service was not ready within {START_SECONDS} s")
