"""Cases of rules about VSS on the nodes: accounts, providers, updates, room."""

from __future__ import annotations

from hvtui.findings.finding import Sure
from tests.support.builders import NOW
from tests.unit.findings.pieces_vss import (
    CSV_PROVIDER,
    access,
    ago,
    all_saved,
    callback,
    hardware,
    hotfix,
    last_backups_unread,
    nothing,
    other_code,
    saved,
)
from tests.unit.findings.runner import Case, Quiet
from tests.unit.findings.scene import CAPI2, VOLSNAP, VSS

CASES = (
    Case(
        rule="vss-callback-denied",
        target="cluster:CLU-TEST",
        sure=Sure.CERTAIN,
        pieces={
            "at two backups": callback("HV01", 8),
            "and again": callback("HV01", 2),
            "backups succeed": (saved("SQL07", 60), nothing),
            "account without an entry": (access("HV01", "HV02"), access("HV01", "HV02", entry=1)),
            "entries read": (nothing, lambda s: s.answers.vss_access.clear()),
        },
        without={"backups succeed": Sure.LIKELY},
    ),
    Case(
        rule="vss-callback-denied",
        name="entries-not-read",
        target="cluster:CLU-TEST",
        sure=Sure.POSSIBLE,
        pieces={
            "first": callback("HV01", 20),
            "second": callback("HV01", 8),
            "third": callback("HV01", 2),
            "no entry of its own": (nothing, access("HV01", "HV02", account="")),
        },
    ),
    Case(
        rule="vss-metadata-too-long",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(8193, VSS, codes=["0x80070018"]),
            "its code": (nothing, lambda s: other_code(s, 8193, "0x80070005")),
            "none saved since": (nothing, all_saved(5)),
            "last backups read": (nothing, last_backups_unread),
        },
        without={"last backups read": Sure.LIKELY},
    ),
    Case(
        rule="software-provider-fails",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(12292, VSS, codes=["0x80080005"]),
            "its code": (nothing, lambda s: other_code(s, 12292, "0x80070005")),
            "event 11 beside it": lambda s: s.event(11, VSS),
            "provider is missing": lambda s: s.providers("HV01", CSV_PROVIDER),
        },
        without={"event 11 beside it": Sure.LIKELY, "provider is missing": Sure.LIKELY},
    ),
    Case(
        rule="vss-unstable",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "event": lambda s: s.event(12366, VSS),
            "update of these days": (
                lambda s: hotfix(s, NOW.date() - ago(days=2)),
                lambda s: hotfix(s, NOW.date() - ago(days=20)),
            ),
        },
        without={"update of these days": Sure.POSSIBLE},
    ),
    Case(
        rule="shadow-storage-short",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "volsnap": lambda s: s.event(36, VOLSNAP),
            "VSS": lambda s: s.event(12298, VSS, codes=["0x8004231f"]),
        },
        without={"volsnap": Sure.LIKELY, "VSS": Sure.LIKELY},
    ),
    Case(
        rule="hardware-provider-differs",
        target="node:HV02",
        sure=Sure.CERTAIN,
        pieces={
            "missing here, there elsewhere": (hardware(HV02=None), hardware()),
            "providers read": (nothing, lambda s: s.providers_unread("HV02")),
        },
    ),
    Case(
        rule="hardware-provider-differs",
        name="version",
        target="node:HV02",
        sure=Sure.CERTAIN,
        pieces={"older here": (hardware(HV02="4.1.9"), hardware())},
    ),
)

SILENT = (
    Quiet("a single cosmetic 8194, no entries read", callback("HV01", 2)),
    Quiet(
        "a cosmetic 8194 now and then, and no account of a backup product",
        lambda s: (
            callback("HV01", 20)(s),
            callback("HV01", 8)(s),
            callback("HV01", 2)(s),
            access("HV01", "HV02", account="")(s),
        ),
    ),
    Quiet(
        "8194 and 513 together",
        lambda s: (callback("HV02", 2)(s), s.event(513, CAPI2, node="HV02", codes=["0x80070005"])),
        incident=11,
    ),
    Quiet("12298 of another reason", lambda s: s.event(12298, VSS, codes=["0x80042314"])),
    Quiet("providers that only one node has", hardware(None, HV02="4.2")),
)
