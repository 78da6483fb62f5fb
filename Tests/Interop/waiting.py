"""Waiting for something to become true, with a limit."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wait_for(look: Callable[[], Value], what: str, seconds: float = 15, every: float = 0.1) -> Value:
    """Looks again and again until the answer is true; the answer. Fails with the last one."""
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s (last seen: {answer!r})")
        time.sleep(every)
