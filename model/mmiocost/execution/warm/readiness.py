"""A Jupyter client that knows when a kernel is ready, where jupyter_client waits for 0.2 s of silence."""

from __future__ import annotations

import asyncio
import functools
import queue
import time
from typing import Any

from jupyter_core.utils import ensure_async, run_sync

_REPLY_S, _IDLE_S = 1.0, 0.1


async def _wait_for_ready(client: Any, timeout: float | None = None) -> None:
    """Wait until the kernel answers and the client hears what it publishes.

    ``kernel_info`` is answered on one channel and framed by ``busy`` and ``idle`` on another. When both ends have
    come, nothing of this exchange can come any more. Until the client has subscribed, messages are lost to it;
    then it asks again. Raises RuntimeError if the kernel dies or takes longer than ``timeout`` seconds.
    """
    deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
    while True:
        request = client.kernel_info()
        try:
            reply = await client._async_recv_reply(request, timeout=_REPLY_S)
            while not _is_idle(await ensure_async(client.iopub_channel.get_msg(timeout=_IDLE_S)), request):
                pass
        except (TimeoutError, queue.Empty):
            if not await client._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info") from None
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds") from None
        else:
            client._handle_kernel_info_reply(reply)
            return


def _is_idle(message: dict[str, Any], request: str) -> bool:
    parent: str | None = message["parent_header"].get("msg_id")
    return parent == request and message["content"].get("execution_state") == "idle"


@functools.cache
def prompt(client: Any) -> Any:
    """The client class with a ``wait_for_ready`` that does not wait longer than needed."""
    blocking = not asyncio.iscoroutinefunction(client.wait_for_ready)
    wait = run_sync(_wait_for_ready) if blocking else _wait_for_ready
    return type(client.__name__, (client,), {"wait_for_ready": wait})
