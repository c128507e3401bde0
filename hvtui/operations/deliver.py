"""What a checkpoint of a guest can be: one that the guest itself made consistent, one with its memory, or none at all.

Sources: windows.md §2.2 (types, fallback, configuration version 6.2, what rules checkpoints out), §2.5 (the integration
service for backup), §2.1 (states). What could not be read makes the answer unknown, never a promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hvtui.model.enums import CheckpointType, IntegrationStatus, VmState, name_of
from hvtui.model.preflight import VmPreflight
from hvtui.model.records import Vm
from hvtui.model.severity import Severity

PRODUCTION_VERSION: Final = (6, 2)
"""The oldest configuration version that has production checkpoints."""
DOMAIN_CONTROLLER: Final = 2
"""KVP ProductType, VER_NT_DOMAIN_CONTROLLER."""
_OFF: Final = frozenset({VmState.Off})
_SAVED: Final = frozenset({VmState.Saved, VmState.SavedVendor})
_PAUSED: Final = frozenset({VmState.Paused, VmState.PausedVendor})


class Can(StrEnum):
    """The best that a guest delivers now."""

    PRODUCTION = "production"
    STANDARD = "standard only"
    NONE = "no checkpoint"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Delivery:
    """What the guest can deliver and why, worst first. `system` is what the guest calls itself, empty when not known.

    `controller`: it is a domain controller; None when nothing told.
    """

    word: Can
    reasons: tuple[str, ...] = ()
    severity: Severity = Severity.OK
    system: str = ""
    controller: bool | None = None

    @property
    def text(self) -> str:
        """The word and the reasons as one."""
        return f"{self.word.value}: {'; '.join(self.reasons)}" if self.reasons else self.word.value


_SEVERITY: Final = {
    Can.PRODUCTION: Severity.OK,
    Can.STANDARD: Severity.WARN,
    Can.NONE: Severity.BAD,
    Can.UNKNOWN: Severity.UNKNOWN,
}


def deliver(vm: Vm | None, asked: VmPreflight | None) -> Delivery:
    """`vm` as its node's stream tells it, `asked` its preflight; None when that was not read."""
    if vm is None:
        return Delivery(Can.UNKNOWN, ("no node tells of it",), Severity.UNKNOWN)
    system = (asked.system or "") if asked is not None else ""
    controller = None if asked is None or not asked.product else asked.product == DOMAIN_CONTROLLER
    never = tuple(_never(asked))
    never_unread = tuple(_never_unread(asked))
    unless = tuple(_standard(vm))
    unread = (*never_unread, *_unread(vm))
    if never:
        word, reasons = Can.NONE, never
    elif unless:
        # Whatever else could not be read: it is no better than that.
        word, reasons = Can.STANDARD, (*unless, *never_unread)
    elif unread:
        word, reasons = Can.UNKNOWN, unread
    else:
        word, reasons = Can.PRODUCTION, tuple(_how(vm, system))
    return Delivery(word, reasons, _SEVERITY[word], system, controller)


def _never(asked: VmPreflight | None) -> Iterator[str]:
    """What Windows takes no checkpoint of."""
    if asked is None:
        return
    if asked.pass_through:
        yield f"a pass-through disk ({', '.join(asked.pass_through[:2])})"
    if asked.shared:
        yield f"a disk that several VMs share ({', '.join(asked.shared[:2])})"
    if asked.fibre_channel:
        yield f"virtual Fibre Channel ({asked.fibre_channel} adapters)"
    if asked.gpu:
        yield f"a GPU is assigned ({asked.gpu})"


def _never_unread(asked: VmPreflight | None) -> Iterator[str]:
    if asked is None:
        yield "its disks and adapters could not be read"
        return
    if asked.pass_through is None or asked.shared is None:
        yield "its disks could not be read"
    if asked.fibre_channel is None:
        yield "its Fibre Channel adapters could not be read"
    if asked.gpu is None:
        yield "its GPUs could not be read"


def _standard(vm: Vm) -> Iterator[str]:
    """Why the guest cannot make it consistent: then it holds memory, and Production falls back without a word."""
    version = version_of(vm.version)
    if version is not None and version < PRODUCTION_VERSION:
        yield f"configuration version {vm.version}: production checkpoints need 6.2"
    if vm.state in _SAVED:
        yield "it is saved: a checkpoint holds its memory"
    elif vm.state in _PAUSED:
        yield "it is paused: its guest cannot freeze anything"
    if vm.state in _OFF or vm.state in _SAVED:
        return
    if vm.vss_enabled is False or vm.vss == IntegrationStatus.Disabled:
        yield "its integration service for backup (VSS) is off"
    elif vm.vss == IntegrationStatus.NoContact:
        yield "its guest does not answer for backup: vmicvss, or on Linux the hv_vss_daemon, does not run"
    elif vm.vss is not None and vm.vss not in {IntegrationStatus.Ok, IntegrationStatus.Degraded}:
        yield f"its integration service for backup says {name_of(IntegrationStatus, vm.vss)}"


def _unread(vm: Vm) -> Iterator[str]:
    if version_of(vm.version) is None:
        yield "its configuration version could not be read"
    if vm.state not in _OFF and vm.vss is None:
        yield "its integration service for backup could not be read"


def _how(vm: Vm, system: str) -> Iterator[str]:
    """What a production checkpoint of it rests on."""
    if vm.state in _OFF:
        yield "it is off: there is no memory to keep"
    elif vm.vss == IntegrationStatus.Degraded:
        yield "its integration services are degraded, such as older than the host's"
    if system and "windows" not in system.lower() and vm.state not in _OFF:
        yield "its file systems are frozen, its applications are not told"


def version_of(version: str | None) -> tuple[int, int] | None:
    """`9.0` as numbers; None for what is none."""
    major, _, minor = (version or "").partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def becomes(delivery: Delivery, kind: int) -> tuple[str, Severity]:
    """What a checkpoint of a guest would be under a checkpoint type, and how much that matters."""
    if kind == CheckpointType.Disabled:
        return "no checkpoint can be taken of it, and backups that take one may fail", Severity.WARN
    if delivery.word is Can.NONE:
        return f"no checkpoint can be taken of it: {'; '.join(delivery.reasons)}", Severity.BAD
    return _standard_is(delivery) if kind == CheckpointType.Standard else _production_is(delivery, kind)


def _standard_is(delivery: Delivery) -> tuple[str, Severity]:
    if delivery.controller:
        text = "holds the memory of a domain controller: only production checkpoints of one are supported"
        return text, Severity.BAD
    return "holds memory: applied, it brings the old one back", Severity.INFO


def _production_is(delivery: Delivery, kind: int) -> tuple[str, Severity]:
    why = "; ".join(delivery.reasons)
    if delivery.word is Can.UNKNOWN:
        return f"not known what it would be: {why}", Severity.UNKNOWN
    if delivery.word is Can.STANDARD and kind == CheckpointType.ProductionOnly:
        return f"checkpoints of it will fail: {why}", Severity.WARN
    if delivery.word is Can.STANDARD:
        return f"falls back to one with memory, without a word: {why}", Severity.WARN
    return f"made consistent by its guest{f'; {why}' if why else ''}", Severity.OK
