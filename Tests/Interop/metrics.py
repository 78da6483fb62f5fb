"""Reads the service's own counters, as Prometheus would."""

import urllib.request

from service import Service

PREFIX = "sightline_"


def read(service: Service) -> dict[str, int]:
    """All metrics by name, without the prefix and without `_total`; those with labels are left out."""
    with urllib.request.urlopen(f"{service.base}/metrics", timeout=5) as response:
        lines = response.read().decode().splitlines()
    rows = (line.split() for line in lines if line.startswith(PREFIX) and "{" not in line)
    return {name.removeprefix(PREFIX).removesuffix("_total"): int(value) for name, value in rows}


class Growth:
    """How much counters have grown since this was made: `growth["nacks_sent"]`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._start = read(service)

    def __getitem__(self, name: str) -> int:
        return read(self._service)[name] - self._start[name]

    def all(self) -> dict[str, int]:
        """Those that have grown at all."""
        now = read(self._service)
        return {name: value - self._start[name] for name, value in now.items() if value > self._start[name]}
