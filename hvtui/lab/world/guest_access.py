"""PowerShell Direct into the guests: whom they let in, and which of them answer at all (windows.md §8.3).

What it says are PowerShell's own words; a log-on that was refused is in the ledger, and a lock-out as well.
"""

from __future__ import annotations

from typing import Final

from hvtui.lab.world.guest_accounts import Account, LogOn, proof
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World

SINCE: Final = (6, 2)
"""Configuration version from which on a VM has PowerShell Direct."""
BOOT_SECONDS: Final = 45.0
"""World seconds after a start until the guest's service listens."""
NO_VM: Final = "The input VMId parameter does not resolve to a single virtual machine."
NOT_RUNNING: Final = "The virtual machine {} is not in running state."
NO_ANSWER: Final = (
    "A connection attempt failed because the connected party did not properly respond after a period of time, or "
    "established connection failed because connected host has failed to respond."
)
"""WSAETIMEDOUT of the Hyper-V socket: nobody listens in the guest."""
INVALID: Final = "The credential is invalid."


class NoSession(Exception):
    """No session came about. `kind`: `vm` or `state` (not even tried), `connect`, or `credential`."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


def check(node: Node, vm_id: str) -> Vm:
    """What Invoke-Command looks at before it connects: the VM is here and runs. Raises NoSession."""
    vm = node.vms.get(vm_id.lower())
    if vm is None:
        raise NoSession("vm", NO_VM)
    if not vm.running:
        raise NoSession("state", NOT_RUNNING.format(vm.name))
    return vm


def connect(world: World, node: Node, vm_id: str, user: str, password_proof: str) -> Vm:
    """Connect and log on, as an administrator of the guest. Raises NoSession."""
    vm = check(node, vm_id)
    if not _listens(world, vm):
        raise NoSession("connect", NO_ANSWER)
    accounts = world.guest_accounts
    account = accounts.find(vm, user)
    accepted = account is not None and not account.locked and proof(account.password) == password_proof
    accounts.log_ons.append(LogOn(world.elapsed, vm.id, user, accepted))
    if not accepted:
        _refused(world, vm, user, account)
        raise NoSession("credential", INVALID)
    assert account is not None
    account.failures = 0
    return vm


def _listens(world: World, vm: Vm) -> bool:
    numbers = tuple(int(part) for part in vm.config_version.split("."))
    up = vm.started is not None and world.elapsed - vm.started >= BOOT_SECONDS
    return vm.guest.session and numbers >= SINCE and up


def _refused(world: World, vm: Vm, user: str, account: Account | None) -> None:
    world.ledger.note(world.elapsed, "logon_failed", vm.name, f"{user} was refused")
    if account is None or account.locked:
        return
    account.failures += 1
    lockout = world.guest_accounts.lockout
    if lockout and account.failures >= lockout:
        account.locked = True
        world.ledger.note(world.elapsed, "account_locked", account.name, f"{account.failures} wrong log-ons to guests")
