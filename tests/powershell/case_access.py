"""Cases of who may take part in VSS: the entries of one registry key, read, set and removed."""

from __future__ import annotations

from typing import Any, Final

from tests.powershell.case_kit import ACTED, Case, failing, with_cim

Step = dict[str, Any]
_SIDS: Final = {
    "CORP\\svc": "S-1-5-21-1-2-3-1104",
    "CORP\\o'brien $(x)`": "S-1-5-21-1-2-3-1105",
    "CORP\\[s]vc*?": "S-1-5-21-1-2-3-1106",
    "CORP\\漢字": "S-1-5-21-1-2-3-1107",
    "CORP\\Administrator": "S-1-5-21-1-2-3-500",
    "NT SERVICE\\Agent": "S-1-5-80-1-2-3-4-5",
    "IIS APPPOOL\\Pool": "S-1-5-82-1-2-3-4-5",
    "NT Authority\\NetworkService": "S-1-5-20",
}
_MANY: Final = (
    "S-1-1-0", "S-1-2-0", "S-1-3-0", "S-1-5-2", "S-1-5-4", "S-1-5-7", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546",
    "S-1-5-32-578", "S-1-5-21-1-2-3-501", "S-1-5-21-1-2-3-512", "S-1-5-21-1-2-3-513", "S-1-5-21-1-2-3-514",
    "S-1-5-21-1-2-3-999", "S-1-5-21-1-2-3-01104", "S-1-5-21-1-2-1104", "S-1-5-21-1-2-3-4-1104",
    "XS-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-1104x", "S-1-5-21-1-2-3-5000", "S-1-5-80-0", "S-1-5-83-1-2-3-4-5",
    "S-1-15-2-1", "s-1-5-21-1-2-3-1104",
)  # fmt: skip
"""SIDs of everybody of a kind, and of what is none; one among them is an account's."""
_OWN: Final = ("S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544", "S-1-5-32-551")


def entry(name: str, value: Any = 1, kind: str = "DWord") -> Step:
    """A value of VssAccessControl."""
    return {"name": name, "kind": kind, "value": value}


def access(*entries: Step) -> Step:
    """The key with what Windows ships, and these."""
    return {"commands": {"Get-Item": {"access": [entry("NT Authority\\NetworkService"), *entries]}}}


def _set(name: str, *steps: Step, world: Step | None = None, **changes: Any) -> Case:
    given = {"Account": "CORP\\svc", "Value": 1, "ExpectValue": -1, "Undo": 0, **ACTED, **changes}
    return Case(f"set access: {name}", "Set-HvTuiVssAccess", list(steps), given, world={"sids": _SIDS, **(world or {})})


def _remove(name: str, *steps: Step, world: Step | None = None, **changes: Any) -> Case:
    given = {"Account": "CORP\\svc", "ExpectValue": 1, **ACTED, **changes}
    known = {"sids": _SIDS, **(world or {})}
    return Case(f"remove access: {name}", "Remove-HvTuiVssAccess", list(steps), given, world=known)


def access_cases() -> list[Case]:
    """Get-, Set- and Remove-HvTuiVssAccess."""
    none, there = access(), access(entry("corp\\SVC"))
    wild = access(entry("CORP\\[s]vc*?"), entry("CORP\\svc"))
    services = [
        {"Name": name, "DisplayName": f"The {name}", "StartName": account, "State": "Running"}
        for name, account in (
            ("Replay", "CORP\\svc"), ("Local", ".\\svc"), ("Virtual", "NT SERVICE\\Agent"), ("a", "LocalSystem"),
            ("b", "NT AUTHORITY\\LocalService"), ("c", "NT Authority\\NETWORK SERVICE"), ("d", None), ("e", ""),
            ("f", "nt authority\\System"), ("NoTitle", "svc@corp.example"),
        )
    ]  # fmt: skip
    services[-1]["DisplayName"] = None
    odd = access(
        entry("CORP\\svc", 0), entry("Everyone", 2), entry("three", 3), entry("four", 4), entry("minus", -1),
        entry("text", "1", "String"), entry("", 1), entry("CORP\\漢字", 1), entry('say "hi"\n'),
        entry("l" * 256), entry("l" * 257),
    )  # fmt: skip

    def get(name: str, step: Step, **world: Any) -> Case:
        listed = with_cim(step, Win32_Service=services)
        return Case(f"access: {name}", "Get-HvTuiVssAccess", [listed], world={"sids": _SIDS, **world})

    return [
        get("as shipped", none),
        get("odd values", odd),
        get("no key", {}),
        get("key fails", failing(none, "Get-Item")),
        get("services fail", failing(none, "Win32_Service")),
        get("the domain does not answer", failing(odd, "AccountSid", code=0x800706BA)),
        get("the domain is slow", odd, lookup=6),
        get("slow enough", there, lookup=5),
        _set("new", none, there),
        _set("both", none, access(entry("CORP\\svc", 3)), Value=3),
        _set("another right", there, access(entry("corp\\SVC", 2)), Value=2, ExpectValue=1),
        *(
            _set(f"hostile {name}", access(entry("CORP\\svc")), access(entry(name)), Account=name)
            for name in list(_SIDS)[1:4]
        ),
        *(_set(f"admitted {name}", none, access(entry(name)), Account=name) for name in list(_SIDS)[4:7]),
        _set("entered meanwhile", there),
        _set("gone meanwhile", none, ExpectValue=1),
        _set("another right meanwhile", access(entry("CORP\\svc", 2)), ExpectValue=1),
        *(_set(f"no right, {value}", access(entry("CORP\\svc", value)), ExpectValue=0) for value in (4, -1)),
        _set("a text", access(entry("CORP\\svc", "1", "String")), ExpectValue=1),
        _set("no key", {}),
        _set("key fails", failing(none, "Get-Item")),
        _set("nobody", none, Account="CORP\\nobody"),
        _set("the domain does not answer", failing(none, "AccountSid", code=0x800706BA)),
        *(_set(f"stands for {sid}", none, there, world={"sids": {"CORP\\svc": sid}}) for sid in (*_MANY, *_OWN)),
        *(
            _set(f"Windows' own, {name}", none, Account=name, world={"sids": {name: "S-1-5-21-1-2-3-1104"}})
            for name in (
                "nt authority\\system", "NT AUTHORITY\\Local Service", "NT\u2003AUTHORITY\\NETWORK SERVICE",
                "BUILTIN\\Administrators", "BUILTIN\\Backup Operators",
            )
        ),
        _set("shipped", none, Account="NT Authority\\NetworkService", ExpectValue=1, Value=3),
        _set("denied", there, ExpectValue=1, Value=0),
        _set("denied again", there, access(entry("CORP\\svc", 0)), ExpectValue=1, Value=0, Undo=1),
        _set("everybody by an undo", none, Undo=1, world={"sids": {"CORP\\svc": "S-1-1-0"}}),
        _set("Windows refuses", failing(none, "New-ItemProperty", code=0x80070005), none),
        _set("nothing is told afterwards", none, failing(there, "Get-Item")),
        _set("no key afterwards", none, {"commands": {"Get-Item": {}}}),
        _set("no record", failing(none, "Write-EventLog"), there),
        _set("no lock", none, world={"mutex": "fail"}),
        _remove("there", there, none),
        _remove("one of two", wild, access(entry("CORP\\svc")), Account="CORP\\[s]vc*?"),
        _remove("hostile", access(entry("CORP\\o'brien $(x)`")), none, Account="CORP\\o'brien $(x)`"),
        _remove("of nobody", access(entry("S-1-5-21-gone", 3)), none, Account="S-1-5-21-gone", ExpectValue=3),
        _remove("of everybody", there, none, world={"sids": {"CORP\\svc": "S-1-1-0"}}),
        _remove("not there", none),
        _remove("another right", there, ExpectValue=2),
        _remove("a right that is none", access(entry("CORP\\svc", 4)), ExpectValue=0),
        _remove("shipped", none, Account="nt authority\\networkservice"),
        _remove("shipped, unknown", none, Account="NT Authority\\NetworkService", world={"sids": {}}),
        _remove("no key", {}),
        _remove("the domain does not answer", failing(there, "AccountSid", code=0x800706BA)),
        _remove("Windows refuses", failing(there, "Remove-ItemProperty", code=0x80070005), there),
        _remove("nothing is told afterwards", there, failing(none, "Get-Item")),
        _remove("no lock", there, world={"mutex": "fail"}),
    ]  # fmt: skip
