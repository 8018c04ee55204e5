"""Reports and counters as tools print them, one module a format: ``fits`` recognises it, ``read`` reads it.

``read(lines, account, options)`` gives a Reading. Rows of ``observations`` leave out what only the import as a whole
knows (machine, kernel, source).
"""
