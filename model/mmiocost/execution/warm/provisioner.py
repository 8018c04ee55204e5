"""The Jupyter kernel provisioner ``mmiocost-warm``: kernels forked from a process that has the libraries loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Float, List, Unicode

from mmiocost.execution.warm import client, linux
from mmiocost.execution.warm.folder import new_kernel_name
from mmiocost.execution.warm.process import KernelProcess
from mmiocost.execution.warm.readiness import prompt

# What a fresh start may be asked for and a forked kernel can do too; anything else gets a fresh kernel.
_UNDERSTOOD = {"cwd", "env", "stdin", "stdout", "stderr", "extra_arguments", "kernel_id"}
_ENDING_POLL_S = 1.0


class WarmProvisioner(LocalProvisioner):
    """Forks a kernel where it can, and starts the kernelspec's command, a fresh kernel, where it can't.

    It can't without Linux, or if the client passes the kernel options of its own. Everything else that a
    ``LocalProvisioner`` does stays as it is.
    """

    preload = List(
        Unicode(), help="Modules to import before the fork; module:function calls a function to warm up."
    ).tag(config=True)
    interrupt_grace = Float(
        5.0, help="Seconds after an interrupt within which some thread of the kernel must run, or it is killed."
    ).tag(config=True)

    process: Any = None
    _ending = False

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Use sockets in a private folder, where no two kernels can get the same port."""
        manager: Any = self.parent
        if manager is not None and linux.supported() and manager.transport == "tcp" and not manager.shell_port:
            manager.transport = "ipc"
            manager.ip = new_kernel_name((kwargs.get("env") or os.environ).get(client.SHARED))
            if not manager.connection_file:
                manager.connection_file = f"{manager.ip}.json"
            manager.client_factory = prompt(manager.client_factory)
        result: dict[str, Any] = await super().pre_launch(**kwargs)
        return result

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; returns when its sockets are bound."""
        self._ending = False
        if linux.supported() and self._is_plain(cmd, kwargs):
            try:
                self.process = await self._fork(cmd, **kwargs)
                self.pid = self.pgid = self.process.pid
                self.cwd = kwargs.get("cwd") or Path.cwd()
                return self.connection_info
            except client.NoWarmKernel as error:
                self.log.warning("a fresh kernel is started instead of a warm one: %s", error)
        return await super().launch_kernel(cmd, **kwargs)

    def _is_plain(self, cmd: list[str], kwargs: dict[str, Any]) -> bool:
        known = {name for name, value in kwargs.items() if value is not None} <= _UNDERSTOOD
        return known and len(cmd) == 5 and cmd[1] == "-m" and cmd[3] == "-f"

    async def _fork(self, cmd: list[str], **kwargs: Any) -> KernelProcess:
        environment = kwargs["env"]
        entries = [*self.preload, *filter(None, environment.get("MMIOCOST_PRELOAD", "").split(","))]
        request = {
            "connection_file": cmd[4],
            "environment": environment,
            "folder": os.path.realpath(kwargs.get("cwd") or "."),
            "arguments": cmd[2:],
            "grace": self.interrupt_grace,
        }
        null = os.open(os.devnull, os.O_RDWR)
        try:
            files = [
                _number(kwargs.get(name), usual) for name, usual in (("stdin", null), ("stdout", 1), ("stderr", 2))
            ]
            return await client.launch(cmd[0], entries, request, files)
        finally:
            os.close(null)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """From now on the manager asks again and again whether the kernel has ended."""
        self._ending = True

    async def poll(self) -> int | None:
        """Exit status or None. While the kernel is to end this waits for it, so that nobody needs to sleep."""
        if self._ending and isinstance(self.process, KernelProcess):
            await self.process.ended(_ENDING_POLL_S)
        status: int | None = await super().poll()
        return status

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        process = self.process
        if isinstance(process, KernelProcess):
            await process.ended()
            process.close()
        status: int | None = await super().wait()
        return status

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group, through the nursery, which knows whether it still exists."""
        if isinstance(self.process, KernelProcess):
            self.process.send_signal(signum)
        else:
            await super().send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel's process group."""
        self._ending = True
        await super().kill(restart=restart)

    async def terminate(self, restart: bool = False) -> None:
        """Terminate the kernel's process group."""
        self._ending = True
        await super().terminate(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Give back what belongs to the kernel."""
        if isinstance(self.process, KernelProcess):
            self.process.close()
        await super().cleanup(restart=restart)


def _number(file: Any, usual: int) -> int:
    """File number of what ``subprocess.Popen`` would accept for a standard stream."""
    if file is None:
        return usual
    return file if isinstance(file, int) else int(file.fileno())
