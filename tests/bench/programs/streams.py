"""pypsrp alone that follows every node and reads nothing: `python -m tests.bench.programs.streams LOGIN`."""

import json
import sys
import threading
from pathlib import Path

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan


def follow(address: str, login: dict[str, str], command: str, first: threading.Barrier) -> None:
    """Take every message of a stream, as it comes, and let it fall."""
    host, _, port = address.partition(":")
    wsman = WSMan(host, port=int(port), username=login["username"], password=login["password"], ssl=False, auth="ntlm")
    with wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet(command)
        shell.begin_invoke()
        waiting = True
        while True:
            shell.poll_invoke(timeout=5)
            shell.output.clear()
            if waiting:
                waiting = False
                first.wait()


def main() -> None:
    """Say `following` when every stream has begun."""
    login = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    addresses = list(login["addresses"].values())
    work = [(address, "Watch-HvTuiNode") for address in addresses] + [(addresses[0], "Watch-HvTuiCluster")]
    first = threading.Barrier(len(work) + 1)
    for address, command in work:
        threading.Thread(target=follow, args=(address, login, command, first), daemon=True).start()
    first.wait()
    print("following", flush=True)  # noqa: T201
    threading.Event().wait()


if __name__ == "__main__":
    main()
