"""The first answers of many lanes are decoded at one time, each on its own thread: that must not crash the process."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, threading
sys.setswitchinterval(1e-6)
from hvtui.remote.contract import WATCH_NODE
from hvtui.remote.wire import decode
text = (
    '{"v":1,"kind":"full","seq":1,"time":"2026-03-14T00:48:07.000Z","tick_ms":1,"interval_ms":2000,"errors":[],'
    '"host":{"name":"HV01"},"vms":[{"id":"a","name":"b","slot":1,"state":2,"op":[2]}],"jobs":[]}'
)
barrier = threading.Barrier(16)
names = []

def first():
    barrier.wait()
    names.append(decode(WATCH_NODE, text, "HV01").vms[0].name)

threads = [threading.Thread(target=first) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(names))
"""
RUNS = 8
"""A decoder that is made by the threads themselves crashed half of the processes."""


def test_first_answers_on_many_threads() -> None:
    for _ in range(RUNS):
        run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
        assert (run.returncode, run.stdout.strip()) == (0, "16"), run.stderr
