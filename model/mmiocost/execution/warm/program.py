"""The nursery's process from its start to its end, and that of the kernels forked from it."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import shutil
import socket
import sys
from typing import Any, NoReturn

from mmiocost.execution.warm import keeper, linux, preload
from mmiocost.execution.warm.messages import send
from mmiocost.execution.warm.nursery import Forked, Nursery


def main() -> NoReturn:
    """``LISTENER OWNER FOLDER PRELOAD…``: file number of the socket, process to die with, its folder to remove then."""
    listener, owner, folder, *entries = sys.argv[1:]
    # The thread that started the nursery waits for it, so that it does not end before.
    linux.die_with_parent(int(owner))
    handle = os.pidfd_open(int(owner))
    told = keeper.start(int(owner), folder)
    status = ExitStatus()
    atexit.register(status.leave)
    from mmiocost.execution.warm.application import prepared

    application = prepared()
    preload.load(entries)
    others = linux.threads()[1:]
    gc.collect()
    gc.freeze()
    linux.outlive_parent()
    refusal = f"threads before the fork: {', '.join(others)}" if others else ""
    forked = _serve(Nursery(socket.socket(fileno=int(listener)), handle, told, refusal))
    if forked is not None:
        _be_kernel(application, forked)
    elif linux.is_gone(int(owner)):
        shutil.rmtree(folder, ignore_errors=True)
    status.code = 0
    sys.exit()


def _serve(nursery: Nursery) -> Forked | None:
    """Serve until the end; in a kernel's process, what was asked for. An error that is being handled would show
    in every traceback of a notebook."""
    try:
        nursery.serve()
    except Forked as forked:
        return forked.with_traceback(None)
    return None


def _be_kernel(application: Any, forked: Forked) -> None:
    request = forked.request
    preload.take_over(request["environment"], request["folder"], request["arguments"])
    preload.reseed()
    application.finish(request["connection_file"])
    application.answer(forked.pulse)
    handle = os.pidfd_open(os.getpid())
    send(forked.connection, {"pid": os.getpid()}, (handle,))
    os.close(handle)
    forked.connection.close()
    application.start()


class ExitStatus:
    """How a process ends. ``leave`` goes first into ``atexit`` and so comes last."""

    code = 1

    def leave(self) -> None:
        """End the process after all other handlers: taking hundreds of modules apart serves nobody."""
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(self.code)
