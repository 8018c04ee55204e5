"""Python imports this module by itself when its folder is on PYTHONPATH.

So the processes that a test starts (command line, kernels) are refused the network too.
"""

import offline  # noqa: F401
