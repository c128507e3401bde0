"""Reads the configuration file and reports everything that is wrong with it at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from hvtui.config import BackupWindow, ClusterConfig, Config, Secret, nearest, split_address
from hvtui.errors import ConfigError
from hvtui.paths import config_file
from hvtui.text import safe_text
from hvtui.toml_lines import Key, key_lines, line_of

LARGEST: Final = 1_000_000
"""Bytes; a larger file is not a configuration."""

_NODE: Final = re.compile(r"[^\s/\\:*?\"<>|@{}\[\]]{1,63}\Z")
_HOST: Final = re.compile(r"[^\s/\\@{}\[\]\"<>|]{1,255}\Z")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z")
_SECRETS: Final = ("keyring", "env", "command", "plain")


class _Bad(Exception):
    """A value that cannot be used; the text says what is allowed. `inner` leads to the part of it that is wrong."""

    def __init__(self, text: str, inner: Key = ()) -> None:
        super().__init__(text)
        self.inner = inner


Check = Callable[[object], object]
"""Turns a value of the file into what the dataclass wants, or raises _Bad."""


def load_config(path: Path | None = None) -> Config:
    """Read `path`, or the user's own file when None (an empty configuration if there is none).

    Raises ConfigError with every problem: `file:line: key: what is wrong, what is allowed`.
    """
    wanted = path or config_file()
    try:
        if wanted.stat().st_size > LARGEST:
            raise ConfigError(f"{wanted} is too large for a configuration (over {LARGEST} bytes)")
        text = wanted.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if path is None:
            return Config(path=None, clusters={})
        raise ConfigError(f"there is no file {path}", hint="`hvtui config init` writes one to start from") from None
    except OSError as error:
        raise ConfigError(f"{wanted} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{wanted} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8") from None
    return parse_config(text, wanted)


def parse_config(text: str, path: Path) -> Config:
    """The configuration in `text`; `path` is named in problems, and relative paths start in its folder."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)|\(at end of document\)", str(error))
        line = int(found[1]) if found and found[1] else len(text.splitlines())
        what = re.sub(r"\s*\(at .*\)\Z", "", str(error))
        raise _errors(path, [(line, f"{path}:{line}: not valid TOML: {safe_text(what)}")]) from None
    return _Reader(path, text).read(values)


def _errors(path: Path, problems: list[tuple[int, str]]) -> ConfigError:
    texts = tuple(text for _, text in sorted(problems, key=lambda p: p[0]))
    count = "one problem" if len(texts) == 1 else f"{len(texts)} problems"
    return ConfigError(f"{path} has {count}", problems=texts, hint="`hvtui config check` shows them again")


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = key_lines(text)
        self.problems: list[tuple[int, str]] = []

    def read(self, values: dict[str, object]) -> Config:
        top = self.take(
            values,
            (),
            {
                "default": _text,
                "theme": _text,
                "ascii": _flag,
                "bells": _flag,
                "allow_plain_password": _flag,
                "clusters": _table,
            },
        )
        plain = top.pop("allow_plain_password", False) is True
        tables = top.pop("clusters", {})
        clusters = {}
        for name, table in tables.items() if isinstance(tables, dict) else ():
            cluster = self.cluster(name, table, plain=plain)
            if cluster is not None:
                clusters[name] = cluster
        default = top.get("default", "")
        if isinstance(tables, dict) and default and str(default).lower() not in {n.lower() for n in tables}:
            self.complain(("default",), f"no cluster `{default}` in this file", names=tables)
        if self.problems:
            raise _errors(self.path, self.problems)
        return Config(path=self.path, clusters=clusters, **top)  # type: ignore[arg-type]

    def cluster(self, name: str, table: object, *, plain: bool) -> ClusterConfig | None:
        key: Key = ("clusters", name)
        if not isinstance(table, dict):
            self.complain(key, "must be a table, `[clusters.NAME]`")
            return None
        before = len(self.problems)
        taken = self.take(
            table,
            key,
            {
                "seeds": _list(_node),
                "addresses": _addresses,
                "template": _template,
                "auth": _choice("negotiate", "kerberos", "ntlm"),
                "username": _text,
                "password": _secret,
                "endpoint": _endpoint,
                "port": _number(0, 65535, whole=True),
                "tls": _flag,
                "ca": self.existing_file,
                "verify": _flag,
                "refresh": _number(0.5, 60),
                "windows": _list(_window),
                "groups": _groups,
                "quiet": _list(_text),
                "kept_checkpoints": _list(_text),
                "actions": _flag,
                "protected": _flag,
            },
        )
        password = taken.get("password")
        if isinstance(password, Secret) and password.kind == "plain" and not plain:
            self.complain(
                (*key, "password"),
                "a password in clear is read only with `allow_plain_password = true` at the top of the file; "
                "better: keyring, prompt, env or command",
            )
        if "seeds" not in table:
            self.complain(key, 'needs `seeds`, the nodes that are asked first, such as `seeds = ["HV01"]`')
        if len(self.problems) > before:
            return None
        made = ClusterConfig(name=name, **taken)  # type: ignore[arg-type]
        self.check_nodes(key, made)
        return made

    def check_nodes(self, key: Key, cluster: ClusterConfig) -> None:
        """Faults that only show when several keys are seen together."""
        if not cluster.seeds:
            self.complain((*key, "seeds"), "must name at least one node")
        for node in _twice(cluster.seeds):
            self.complain((*key, "seeds"), f"names node `{node}` twice")
        for node in _twice(cluster.addresses):
            self.complain((*key, "addresses", node), f"node `{node}` has two addresses (case does not count)")
        owners: dict[tuple[str, int], str] = {}
        for node in cluster.addresses:
            address = cluster.address(node)
            if address is not None:
                first = owners.setdefault((address[0].lower(), address[1]), node)
                if first.lower() != node.lower():
                    self.complain((*key, "addresses", node), f"`{node}` has the same address as `{first}`")
        for node in cluster.seeds:
            if cluster.address(node) is None:
                self.complain(
                    (*key, "seeds"),
                    f"`{node}` has no address: add it to `addresses` or give a `template`",
                    names=cluster.addresses,
                    wrong=node,
                )

    def take(self, table: Mapping[str, object], key: Key, checks: dict[str, Check]) -> dict[str, object]:
        """The checked values of a table; unknown keys and bad values are noted."""
        taken = {}
        for name, value in table.items():
            check = checks.get(name)
            if check is None:
                self.complain((*key, name), "unknown key", names=checks)
                continue
            try:
                taken[name] = check(value)
            except _Bad as bad:
                self.complain((*key, name, *bad.inner), str(bad))
        return taken

    def complain(self, key: Key, text: str, *, names: Iterable[str] = (), wrong: str = "") -> None:
        """Note a problem; `names` are what is allowed, the nearest to `wrong` (or the key) is suggested."""
        known = list(names)
        line = line_of(self.lines, key)
        near = nearest(wrong or str(key[-1]), known)
        if near and text == "unknown key":
            text += f"; did you mean `{near}`?"
        if known:
            text += f" (known: {', '.join(known)})"
        dotted = ".".join(str(part) for part in key)
        self.problems.append((line, safe_text(f"{self.path}:{line}: {dotted}: {text}", limit=1000)))

    def existing_file(self, value: object) -> Path:
        """A path to a file; a relative one starts in the configuration file's folder."""
        path = self.path.parent / Path(str(_text(value))).expanduser()
        if not path.is_file():
            raise _Bad(f"there is no file {path}")
        return path


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    found = []
    for name in names:
        if name.lower() in seen:
            found.append(name)
        seen.add(name.lower())
    return found


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Bad(f"must be text in quotes, not {_shown(value)}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Bad(f"must be true or false, not {_shown(value)}")
    return value


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _Bad(f"must be a table, not {_shown(value)}")
    return value


def _number(low: float, high: float, *, whole: bool = False) -> Check:
    def check(value: object) -> float:
        kind = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise _Bad(f"must be a {'whole ' * whole}number from {low:g} to {high:g}, not {_shown(value)}")
        return value

    return check


def _choice(*allowed: str) -> Check:
    def check(value: object) -> str:
        if isinstance(value, str) and value.lower() in allowed:
            return value.lower()
        near = nearest(value, allowed) if isinstance(value, str) else ""
        hint = f"; did you mean `{near}`?" if near else ""
        raise _Bad(f"must be one of {', '.join(allowed)}, not {_shown(value)}{hint}")

    return check


def _list(item: Check) -> Check:
    def check(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise _Bad(f"must be a list, [ … ], not {_shown(value)}")
        made = []
        for index, one in enumerate(value):
            try:
                made.append(item(one))
            except _Bad as bad:
                raise _Bad(str(bad), (index, *bad.inner)) from None
        return tuple(made)

    return check


def _node(value: object) -> str:
    if not isinstance(value, str) or not _NODE.match(value):
        raise _Bad(f"must be a node's name as the cluster says it, without domain or port, not {_shown(value)}")
    return value


def _address(value: object) -> str:
    if isinstance(value, str):
        host, port = split_address(value)
        # What split_address did not take for a port is left in the host.
        if _HOST.match(host) and host.count(":") != 1 and port <= 65535 and not value.endswith((":", ":0")):
            return value
    raise _Bad(f"must be `host` or `host:port` with a port from 1 to 65535, not {_shown(value)}")


def _endpoint(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", value):
        raise _Bad(f"must be the name of a session configuration, such as Microsoft.PowerShell, not {_shown(value)}")
    return value


def _addresses(value: object) -> dict[str, str]:
    made = {}
    for node, address in _table(value).items():
        try:
            made[_node(node)] = _address(address)
        except _Bad as bad:
            raise _Bad(str(bad), (node,)) from None
    return made


def _groups(value: object) -> dict[str, tuple[str, ...]]:
    made = {}
    for name, vms in _table(value).items():
        try:
            if not isinstance(vms, list) or not vms:
                raise _Bad(f'must be a list of VMs, such as ["SQL*", "DC01"], not {_shown(vms)}')
            made[name] = tuple(str(_text(vm)) for vm in vms)
        except _Bad as bad:
            raise _Bad(str(bad), (name,)) from None
    return made


def _template(value: object) -> str:
    text = _text(value)
    if "{node}" not in text or re.search(r"[{}]", text.replace("{node}", "")):
        raise _Bad(f"must contain `{{node}}` and no other braces, such as `{{node}}.corp.example`, not {_shown(value)}")
    _address(text.replace("{node}", "HV01"))
    return text


def _secret(value: object) -> Secret:
    if value == "prompt":
        return Secret("prompt")
    if value == "keyring":
        return Secret("keyring")
    if isinstance(value, dict) and len(value) == 1:
        ((kind, where),) = value.items()
        if kind in _SECRETS and isinstance(where, str) and where.strip():
            return Secret(kind, where)
    # The value itself is never repeated: it may be a password.
    raise _Bad(
        'must be "prompt", "keyring", or a table with one of keyring, env, command, plain, '
        'such as `{ env = "HVTUI_PASSWORD" }`'
    )


def _window(value: object) -> BackupWindow:
    if not isinstance(value, dict) or not {"start", "end"} <= value.keys() <= {"start", "end", "zone"}:
        raise _Bad('must be like { start = "22:00", end = "04:00", zone = "Europe/Berlin" }')
    start, end = _clock(value["start"]), _clock(value["end"])
    zone = value.get("zone", "UTC")
    wrong = [
        f'{name} must be a time of day such as "22:00", not {_shown(value[name])}'
        for name, read in (("start", start), ("end", end))
        if read is None
    ]
    if start is not None and start == end:
        wrong.append("starts and ends at the same time")
    wrong += _bad_zone(zone)
    if start is None or end is None or wrong:
        raise _Bad("; ".join(wrong))
    return BackupWindow(start, end, zone)


def _bad_zone(zone: object) -> list[str]:
    """What is wrong with a time zone, if anything."""
    try:
        ZoneInfo(zone)  # type: ignore[arg-type]  # what is no text is one of the errors below
    except (KeyError, ValueError, TypeError, AttributeError, OSError):
        near = nearest(zone, available_timezones()) if isinstance(zone, str) else ""
        hint = f"; did you mean `{near}`?" if near else ""
        return [f"zone must be an IANA time zone, such as Europe/Berlin, not {_shown(zone)}{hint}"]
    return []


def _clock(value: object) -> time | None:
    """A time of day, None when it is none."""
    if isinstance(value, time):
        return value
    found = _CLOCK.match(value) if isinstance(value, str) else None
    return None if found is None else time(int(found[1]), int(found[2]))


def _shown(value: object) -> str:
    """A value as the file spells it, short."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return safe_text(text, limit=60)
