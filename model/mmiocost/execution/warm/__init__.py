"""Warm kernels: ready ipykernels, forked from a process that has the libraries loaded.

Starting a kernel for a notebook and importing its libraries costs seconds; the notebook's own work often is a tenth
of one. Here a process, the *nursery*, imports the libraries and builds ipykernel's application as far as sockets
and threads allow, once; each notebook then gets a fork of it. A kernel is a process of its own all the same: nothing
that one notebook does is seen by the next.

**Use**: by the kernelspec ``mmiocost-warm``, in whatever runs notebooks: ``papermill -k mmiocost-warm``,
``NotebookClient(notebook, kernel_name="mmiocost-warm")``, ``jupyter nbconvert --execute
--ExecutePreprocessor.kernel_name=mmiocost-warm``, JupyterLab. ``JUPYTER_PATH`` must name ``execution/jupyter``. The
first kernel of a process starts a nursery and waits for it; it ends with the process. What is loaded ahead is data,
``preload`` in the kernelspec: ``module`` is imported, ``module:function`` is called too. ``MMIOCOST_PRELOAD`` in the
kernel's environment adds more, with commas between them.

**From several processes**, such as workers that each run one notebook after another: their parent calls
``client.start_nursery(sys.executable, preload, environment)`` and gives the handle's ``address`` to them in
``MMIOCOST_NURSERY``; call ``end()`` on the handle, or let it end with the parent. A worker needs nothing but the
variable and the kernel's name. One that can't reach the nursery starts its own.

**What ends what**: a kernel ends with the process that holds it and with its nursery, a nursery with the process
that started it, each by the system's means and whatever it is doing. A kernel's process group goes with it: the
processes that a notebook started, unless they left the group. After an interrupt some thread of the kernel must run
within ``interrupt_grace`` seconds (kernelspec), or the kernel is killed: a cell that is in C code which keeps the
interpreter's lock can't be stopped otherwise.

**What differs** from a kernel started anew: no command history, no debugger; modules that were loaded ahead are not
imported again, so one of that name beside the notebook does not shadow them, and code at their top level ran before
the fork; the seed of ``hash()`` is the nursery's. Without Linux (5.3 or later), for command-line options to the
kernel, and if something loaded ahead has started a thread (a fork would lose it), the kernelspec's command starts a
fresh kernel instead; the last with a warning in the log.

Who does what: ``provisioner`` is what Jupyter calls, ``client`` holds the nurseries of a process and ``process`` a
handle of each kernel, ``folder`` has the place for their sockets, ``readiness`` knows when a kernel answers.
``program`` is the nursery's process, ``nursery`` its loop, ``keeper`` cleans up when it is killed; ``preload`` and
``exercise`` are what it loads, ``application`` is ipykernel in two halves. Both sides speak through ``messages`` and
ask Linux through ``linux``.
"""
