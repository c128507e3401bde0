"""pypsrp alone: `python -m tests.bench.programs.fetch LOGIN floor|baseline`, prints seconds and bytes as JSON.

`floor`: a runspace to every node, all at once, each gets its first picture as one string that nobody parses.
`baseline`: one node after the other, its VMs as objects.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.bench.server import OBJECTS


def ask(address: str, login: dict[str, str], commands: tuple[str, ...]) -> int:
    """Characters or objects that a node answered."""
    host, _, port = address.partition(":")
    wsman = WSMan(host, port=int(port), username=login["username"], password=login["password"], ssl=False, auth="ntlm")
    got = 0
    with wsman, RunspacePool(wsman) as pool:
        for command in commands:
            shell = PowerShell(pool)
            shell.add_cmdlet(command)
            if command.startswith("Watch-"):
                shell.add_parameter("Count", 1)
            for one in shell.invoke():
                got += len(one) if isinstance(one, str) else 1
    return got


def main() -> None:
    """Measure from the start of the process on."""
    login = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    began = time.perf_counter()
    addresses = list(login["addresses"].values())
    if sys.argv[2] == "floor":
        with ThreadPoolExecutor(len(addresses) + 1) as pool:
            asked = [pool.submit(ask, address, login, ("Watch-HvTuiNode",)) for address in addresses]
            asked.append(pool.submit(ask, addresses[0], login, ("Watch-HvTuiCluster",)))
            got = sum(one.result() for one in asked)
    else:
        got = sum(ask(address, login, (OBJECTS,)) for address in addresses)
    print(json.dumps({"seconds": time.perf_counter() - began, "got": got}))  # noqa: T201


if __name__ == "__main__":
    main()
