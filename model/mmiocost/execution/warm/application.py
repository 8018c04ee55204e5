"""ipykernel's application in two halves: what can be built before the fork, and what can't.

Sockets, threads and the event loop do not survive a fork; the configuration, the shell with its magics and the
modules do, and they take most of the time.
"""

# ipykernel has hardly any types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.application import BaseIPythonApplication
from jupyter_client.session import new_id
from tornado.ioloop import IOLoop
from traitlets.config import Config

# Imported by ipykernel or IPython while a kernel starts or runs its first cell, and not before.
LATER = (
    "IPython.core.completer",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.eventloops",
    "matplotlib_inline.config",
    "psutil",
    "faulthandler",
    "tornado.platform.asyncio",
    "zmq.asyncio",
)


class OrderlyKernel(IPythonKernel):
    """IPythonKernel that no interrupt can end, and that answers a request which was interrupted.

    ipykernel lets SIGINT raise KeyboardInterrupt from the start of every request to its end. Before and after the
    user's code the exception ends a request without a reply, or the event loop: papermill, for one, ends with a
    request for ``kernel_info`` and interrupts the kernel as soon as the reply is there.
    """

    _runs_user_code = ("execute_request", "complete_request", "inspect_request", "comm_open", "comm_msg", "comm_close")
    _interruptible = False

    def pre_handler_hook(self) -> None:
        """Let an interrupt raise KeyboardInterrupt, for requests that run a user's code."""
        self._interruptible = self.get_parent("shell")["header"]["msg_type"] in self._runs_user_code
        if self._interruptible:
            super().pre_handler_hook()

    def post_handler_hook(self) -> None:
        """Ignore interrupts again."""
        while self._interruptible:
            try:
                super().post_handler_hook()
                self._interruptible = False
            except KeyboardInterrupt:
                continue

    @contextlib.contextmanager
    def _cancel_on_sigint(self, future: Any) -> Iterator[None]:
        """Have an interrupt cancel an asynchronous cell, and wake the event loop, which otherwise sleeps on."""
        with super()._cancel_on_sigint(future):
            cancel, asyncio_loop = signal.getsignal(signal.SIGINT), asyncio.get_running_loop()

            def cancel_and_wake(*of: Any) -> None:
                cancel(*of)  # type: ignore[operator, misc]
                asyncio_loop.call_soon_threadsafe(lambda: None)

            signal.signal(signal.SIGINT, cancel_and_wake)
            yield

    async def execute_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Run a cell."""
        try:
            await super().execute_request(stream, ident, parent)
        except KeyboardInterrupt:
            error = {"ename": "KeyboardInterrupt", "evalue": "", "traceback": ["KeyboardInterrupt"]}
            reply = {"status": "error", "execution_count": self.execution_count, **error}
            session: Any = self.session
            session.send(self.iopub_socket, "error", error, parent, ident=self._topic("error"))
            session.send(stream, "execute_reply", reply, parent, ident=ident)
            if parent["content"].get("stop_on_error", True):
                self._abort_queues(parent["header"].get("subshell_id"))


class OrderlyApplication(IPKernelApp):
    """An ipykernel application that always ends when it is asked to.

    The thread that serves the control channel tells the main thread to end and then flushes standard output
    through the thread that publishes it. If the main thread has stopped that one in the meantime, the flush waits
    ten seconds for an answer, and the main thread for the control thread: one kernel in ten or so had to be
    terminated by its client.
    """

    kernel_class = OrderlyKernel

    def start(self) -> None:
        """Run the kernel until it is told to shut down."""
        super().start()
        self.control_thread.stop()
        self.control_thread.join()


class ReadyKernel(OrderlyKernel):
    """A kernel that is built without sockets, streams and threads and gets them later."""

    @classmethod
    def instance(cls, *_: Any, **parts: Any) -> Self:
        """The kernel. ``parts`` go into the one that is there, if there is one."""
        if not cls.initialized():
            return super().instance(**parts)
        kernel = super().instance()
        for name in ("parent", "log", "profile_dir", "user_ns"):
            del parts[name]
        kernel.set_trait("ident", str(uuid.uuid4()))
        for name, part in parts.items():
            setattr(kernel, name, part)
        shell: Any = kernel.shell
        shell.displayhook.pub_socket = shell.display_pub.pub_socket = kernel.iopub_socket
        shell.displayhook.topic = kernel._topic("execute_result")
        return kernel


class ReadyApplication(OrderlyApplication):
    """An ipykernel application that is prepared once and then finished in each forked child."""

    kernel_class = ReadyKernel

    def prepare(self) -> None:
        """Read the configuration, build the kernel and its shell. No thread, no socket."""
        BaseIPythonApplication.initialize(self, ["--HistoryManager.enabled=False", "--log-level=ERROR"])
        self.init_pdb()
        for name in LATER:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        ReadyKernel.instance(parent=self, session=self.session, log=self.log, profile_dir=self.profile_dir, user_ns={})

    def finish(self, connection_file: str) -> None:
        """Bind the sockets that the connection file names and start the threads; then the kernel can answer."""
        self.update_config(Config({"IPKernelApp": {"connection_file": connection_file}}))
        self.parent_handle = os.getppid()
        self.session.pid, self.session.session = os.getpid(), new_id()
        self.init_blackhole()
        self.init_connection_file()
        self.init_sockets()
        self.init_heartbeat()
        self.write_connection_file()
        self.log_connection_info()
        self.init_io()
        self.init_signal()
        self.init_kernel()
        self._tell_shell()
        self.init_path()
        self.init_shell()
        self.init_gui_pylab()
        self.init_extensions()
        self.init_code()
        sys.stdout.flush()
        sys.stderr.flush()

    def _tell_shell(self) -> None:
        """What the shell took from the process that it was built in."""
        shell: Any = self.kernel.shell
        shell.starting_dir = str(Path.cwd())
        shell.init_environment()
        if name := os.environ.get("JPY_SESSION_NAME"):
            shell.user_ns["__session__"] = name

    def answer(self, pulse: socket.socket) -> None:
        """Send every byte that comes on ``pulse`` back, from the thread that serves the control channel.

        No answer within reasonable time means that no thread but one gets the interpreter's lock.
        """
        loop: IOLoop = self.control_thread.io_loop
        loop.add_callback(loop.add_handler, pulse, lambda *_: pulse.send(pulse.recv(16)), IOLoop.READ)


def prepared() -> ReadyApplication:
    """The application, as far as it can be built before a fork."""
    application: ReadyApplication = ReadyApplication.instance()
    application.prepare()
    return application
