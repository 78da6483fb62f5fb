"""A link of a given rate to a client in a network namespace of its own: a veth pair behind a token bucket (`tbf`).

The namespace has no name: it ends with the process that holds it, and the pair with it, whatever becomes of the test.
"""

import contextlib
import itertools
import os
import pathlib
import shlex
import subprocess
import time

#: Seconds after which a namespace ends even if nobody ends it.
LONGEST_LIFE = 900
#: What the token bucket lets through at once, bytes: little more than one packet, so that the rate holds at all times.
BURST = 3000
#: What a router on such a link lets wait, as time at the link's rate.
QUEUE_MILLISECONDS = 300

_numbers = itertools.count()


class NarrowLink:
    """Use as a context manager; the link is as fast as the machine until it is limited. Needs root."""

    def __init__(self) -> None:
        number = next(_numbers)
        self._device = f"nl{os.getpid()}x{number}"
        # A /30 out of 10.128.0.0/9; the process's number keeps several test runs apart.
        block = ((os.getpid() * 16 + number) % (1 << 21)) << 2
        net = (10 << 24 | 1 << 23) + block
        self.server_address, self.client_address = (dotted(net + host) for host in (1, 2))

    def __enter__(self) -> "NarrowLink":
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", str(LONGEST_LIFE)])
        try:
            self._wait_for_namespace()
            pid = str(self._holder.pid)
            run("ip", "link", "add", self._device, "type", "veth", "peer", "name", "eth0", "netns", pid)
            run("ip", "addr", "add", f"{self.server_address}/30", "dev", self._device)
            run("ip", "link", "set", self._device, "up")
            for command in (
                "ip link set lo up", f"ip addr add {self.client_address}/30 dev eth0", "ip link set eth0 up",
                f"ip route add default via {self.server_address}",
            ):
                run(*self._inside, *command.split())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def limit(self, kilobits: int) -> None:
        """Holds what goes to the client to a rate from now on, in kbit/s with all headers."""
        rate = [f"{kilobits}kbit", "burst", str(BURST), "latency", f"{QUEUE_MILLISECONDS}ms"]
        run("tc", "qdisc", "replace", "dev", self._device, "root", "tbf", "rate", *rate)

    def program(self, path: str, folder: pathlib.Path) -> pathlib.Path:
        """A program that starts the one at `path` at the far end of the link; it is written into `folder`."""
        script = folder / f"{pathlib.Path(path).name}-{self._device}"
        script.write_text(f'#!/bin/sh\nexec {shlex.join([*self._inside, path])} "$@"\n')
        script.chmod(0o755)
        return script

    @property
    def _inside(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]

    def _wait_for_namespace(self) -> None:
        own = os.readlink("/proc/self/ns/net")
        deadline = time.monotonic() + 5
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == own:
            if time.monotonic() > deadline or self._holder.poll() is not None:
                raise RuntimeError("no network namespace could be made: is this run as root?")
            time.sleep(0.01)

    def _end(self) -> None:
        self._holder.kill()
        self._holder.wait()
        # The pair goes with the namespace, but a little later.
        with contextlib.suppress(subprocess.CalledProcessError):
            run("ip", "link", "delete", self._device)


def dotted(address: int) -> str:
    return ".".join(str(address >> shift & 0xFF) for shift in (24, 16, 8, 0))


def run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=10, capture_output=True)
