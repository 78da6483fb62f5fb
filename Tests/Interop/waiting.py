"""Waiting for something to become true, with a limit."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

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


def run_async(work: Coroutine[Any, Any, Value]) -> Value:
    """Runs `work` to its end on a thread of its own: Playwright keeps an event loop on the tests' thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
