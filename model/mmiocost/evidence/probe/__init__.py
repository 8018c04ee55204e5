"""The live probe: a tiny VM on /dev/kvm that repeats one guest operation, timed and counted.

From the ground up: ``abi`` and ``statistics`` speak with KVM, ``guest_code``, ``guest_tables`` and ``registers`` make
the guest, ``machine`` is one VM, ``worker`` a process that holds it and ``child`` its other end. ``operations`` and
``design`` say what is measured, ``campaign`` in which order and for how long, ``raw`` and ``cells`` hold what came
out, ``observed`` turns it into observations; ``measuring`` puts all of it together.
"""
