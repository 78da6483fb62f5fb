"""Waiting for something to become true, with a limit."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Value = TypeVar("Value")
#: Seconds that one look may count for.
LONGEST_STEP = 2.0


def wait_for(look: Callable[[], Value], what: str, seconds: float = 15, every: float = 0.1) -> Value:
    """Looks again and again until the answer is true; the answer. Fails with the last one.

    A machine that stands still for half a minute makes one long step of it, which does not count for more than `LONGEST_STEP`.
    """
    waited, last = 0.0, time.monotonic()
    while True:
        answer = look()
        if answer:
            return answer
        if waited > seconds:
            raise AssertionError(f"{what}: not within {seconds:g} s (last seen: {answer!r})")
        time.sleep(every)
        now = time.monotonic()
        waited, last = waited + min(now - last, every + LONGEST_STEP), now


def run_async(work: Coroutine[Any, Any, Value]) -> Value:
    """Runs `work` to its end on a thread of its own: Playwright keeps an event loop on the tests' thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
