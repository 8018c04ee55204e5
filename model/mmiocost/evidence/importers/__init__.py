"""What tools printed on the user's machine, read into evidence: traces, counters, microbenchmarks, workloads.

Bytes come in through ``source``, ``detect`` names their format, one module a format reads it into a
:class:`~.reading.Reading`, and ``folder`` keeps what was read. Nothing here trusts what it reads: a line is an event,
a known non-event or counted as skipped, and every name in it is data.
"""
