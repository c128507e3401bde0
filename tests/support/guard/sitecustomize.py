"""Python imports this at start when its folder is on PYTHONPATH: the guard for the tests' child processes."""

import netguard  # type: ignore[import-not-found]  # it is beside this file, on PYTHONPATH

netguard.install()
