"""Measurements that are looked at and not asserted: `python -m tests.bench.findings`."""
