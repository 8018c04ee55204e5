"""The live probe: a tiny VM on /dev/kvm that repeats one guest operation, timed and counted.

From the ground up: ``abi``, ``statistics`` and ``tracing`` speak with KVM; ``guest_code``, ``guest_tables`` and
``registers`` make the guest; ``machine`` is one VM, ``worker`` the process that holds it, ``child`` its other end.
``operations``, ``plan`` and ``design`` say what is measured, ``campaign`` in which order and for how long. ``raw``,
``counts``, ``intervals`` and ``cells`` hold what came out, ``seen`` which paths the host showed, ``observed`` the rows
for the fit. ``host`` knows the host, ``microbenchmarks`` run in user space; ``measuring`` puts all together, ``kept``
writes it into the evidence folder, ``runs`` reads it again.
"""
