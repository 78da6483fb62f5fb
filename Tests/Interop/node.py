"""A node that keeps its data folder and its port: it can be killed and started again, as often as one likes."""

import contextlib
import json
import pathlib
import random
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field

import service as services


@dataclass(frozen=True)
class Key:
    """What lets somebody in: a bearer token, or a link's token with the text that its page made up."""

    name: str
    token: str
    #: Who they are in the journal.
    actor: str
    page: str = ""


@dataclass
class Node:
    """`sightline demo` without a simulated caller."""

    data: pathlib.Path
    arguments: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen | None = None
    accounts: dict[str, dict] = field(default_factory=dict)
    #: Seconds that each start took until the node said that it is ready.
    starts: list[float] = field(default_factory=list)

    def __enter__(self) -> "Node":
        self.port = self.port or free_port()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        status = self.process.poll()
        if status not in (None, -signal.SIGKILL):
            raise RuntimeError(f"the node ended by itself with status {status}: see {self.data}/service.log")
        if status is None:
            self.process.terminate()
            try:
                self.process.wait(services.STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Starts the process and does not wait for it."""
        command = [
            services.binary(), "demo", "--json", "--no-caller", "--no-phone", "--data", str(self.data), "--port",
            str(self.port), *self.arguments,
        ]
        with (self.data / "service.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=services.ROOT, stdout=subprocess.PIPE, stderr=log, text=True)

    def start(self) -> None:
        """Starts the process and waits until it is ready."""
        began = time.monotonic()
        self.launch()
        try:
            self.accounts = json.loads(services.first_line(self.process))["accounts"]
        except Exception:
            self.process.kill()
            self.process.wait()
            raise
        self.starts.append(time.monotonic() - began)

    def kill(self) -> None:
        """SIGKILL: the process ends between two instructions."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def key(self, role: str) -> Key:
        """The demo account of a role."""
        return Key(role, self.accounts[role]["token"], self.accounts[role]["id"])

    def ask(self, path: str, body: dict, token: str) -> dict:
        """One POST to the HTTP API that has to succeed."""
        request = urllib.request.Request(
            self.base + path, data=json.dumps(body).encode(), method="POST",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def open_incident(self, **facts: object) -> str:
        return self.ask("/api/v1/incidents", {"priority": "P2"} | facts, self.accounts["operator"]["token"])["id"]

    def make_link(self, incident: str, role: str, name: str) -> Key:
        link = self.ask(
            f"/api/v1/incidents/{incident}/links", {"role": role, "name": name}, self.accounts["operator"]["token"])
        return Key(name, link["token"], link["link"], page=f"page-{name}")


def free_port() -> int:
    """A port that no outgoing connection is given while the node is down: one below the system's own range."""
    for port in random.SystemRandom().sample(range(20_000, 30_000), 50):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no free port from 20000 to 30000")
