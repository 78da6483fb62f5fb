"""Packets that are marked by how urgent they are (`--dscp`, RFC 8837), as the kernel puts them on the line."""

import os
import pathlib
import socket
import subprocess
import time
from collections import Counter

import pytest

import service as services
from node import Node, free_port

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root sees what passes on a network interface")

IPV4 = 0x0800
#: Longest that it may take until a call of `sightline load` has shown all that it sends.
PATIENCE = 15
SOUND, PICTURES, NOTHING = 46, 36, 0


def marks_of(node: Node, wanted: set[int]) -> Counter:
    """Code points of what the node's media port sends while a call with two viewers goes on; ends when all `wanted` were seen."""
    seen: Counter = Counter()
    port = int(node.arguments[node.arguments.index("--media-port") + 1])
    command = [services.binary(), "load", "--target", node.base, "--data", node.data, "--callers", "1", "--viewers", "2",
               "--duration", "4", "--json", "--quiet"]
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4)) as line:
        line.bind(("lo", IPV4))
        line.settimeout(0.5)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as load:
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline and (load.poll() is None or not wanted <= set(seen)):
                try:
                    packet = line.recv(65_536)
                except TimeoutError:
                    continue
                length = (packet[0] & 15) * 4
                if packet[9] == socket.IPPROTO_UDP and int.from_bytes(packet[length:length + 2]) == port:
                    seen[packet[1] >> 2] += 1
            load.communicate(timeout=PATIENCE)
            assert load.returncode == 0
    return seen


@pytest.mark.parametrize("is_marked", [True, False], ids=["marked", "plain"])
def test_sound_and_pictures_are_told_apart(tmp_path: pathlib.Path, is_marked: bool) -> None:
    port = free_port()
    options = ("--no-recording", "--media-address", "127.0.0.1", "--media-port", str(port))
    with Node(tmp_path, (*options, "--dscp") if is_marked else options) as node:
        seen = marks_of(node, {SOUND, PICTURES} if is_marked else {NOTHING})
    assert set(seen) == ({SOUND, PICTURES} if is_marked else {NOTHING}), seen
