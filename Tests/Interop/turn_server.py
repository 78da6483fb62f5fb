"""coturn with the configuration that `deployment/coturn` recommends, moved to loopback for a test."""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from impairment import LOOPBACK
from service import ROOT

CONFIGURATION = ROOT / "deployment/coturn/turnserver.conf"
SECRET = "a secret of the tests"
START_SECONDS = 10


@dataclass(frozen=True)
class TURNServer:
    port: int
    secret_file: pathlib.Path
    log: pathlib.Path

    def url(self, transport: str) -> str:
        return f"turn:{LOOPBACK}:{self.port}?transport={transport}"

    def options(self, *transports: str) -> list[str]:
        """What `sightline` must be told to hand this server out."""
        urls = [option for each in transports for option in ("--turn", self.url(each))]
        return [*urls, "--turn-secret-file", str(self.secret_file)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def configuration(port: int) -> str:
    """The recommended file with the placeholders filled in; only what loopback and a test's lifetime demand is changed."""
    text = CONFIGURATION.read_text()
    values = {
        "realm": "turn.test", "external-ip": LOOPBACK, "static-auth-secret": SECRET, "listening-port": str(port),
    }
    for name, value in values.items():
        text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        assert count == 1, f"{CONFIGURATION} sets {name} once"
    text = re.sub(r"^(cert|pkey|tls-listening-port)=.*$", "", text, flags=re.MULTILINE)
    return text + "\n".join([
        "", f"listening-ip={LOOPBACK}", f"relay-ip={LOOPBACK}", "no-tls", "no-dtls", "allow-loopback-peers",
        f"allowed-peer-ip={LOOPBACK}", "cli-password=unused", "verbose", "",
    ])


@contextlib.contextmanager
def running(folder: pathlib.Path) -> Iterator[TURNServer]:
    program = shutil.which("turnserver")
    assert program, "coturn is missing: make setup-tests"
    port = free_port()
    file, secret, log = folder / "turnserver.conf", folder / "turn.secret", folder / "turnserver.log"
    file.write_text(configuration(port))
    secret.write_text(SECRET + "\n")
    command = [program, "-c", str(file), "--pidfile", str(folder / "turnserver.pid"), "--db", str(folder / "turndb")]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_it_listens(process, port, log)
        yield TURNServer(port, secret, log)
    finally:
        process.terminate()
        process.wait(10)


def wait_until_it_listens(process: subprocess.Popen, port: int, log: pathlib.Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"coturn ended:\n{log.read_text()}"
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"coturn does not listen on {port}:\n{log.read_text()}")
