"""What a client knows after the messages of a stream: the whole picture, and which records it was told of."""

from __future__ import annotations

from typing import Any, Final

_SECTIONS: Final = ("cluster", "nodes", "csvs", "io", "roles", "host", "vms", "files", "jobs")
_SINGLE: Final = frozenset({"cluster", "host"})
_KEYS: Final = {"nodes": "name"}


class Picture:
    """Puts the messages of one stream together."""

    def __init__(self) -> None:
        self.sections: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, tuple[str, str, str]] = {}
        self.host_load: tuple[int, int] | None = None
        self.loads: dict[int, tuple[int, int]] = {}
        self.changed: set[tuple[str, str]] = set()
        self.gone: set[tuple[str, str]] = set()
        self._seq = 0

    def apply(self, frame: dict[str, Any]) -> None:
        """One message; its number must be the next."""
        self._seq += 1
        assert frame["seq"] == self._seq
        full = frame["kind"] == "full"
        said = frame.keys() - {"v", "kind", "seq", "time", "tick_ms", "interval_ms", "cpu_ms"}
        assert (frame["kind"] == "beat") == (not said)
        if full:
            self.sections.clear()
            self.loads.clear()
            self.host_load = None
        for name in _SECTIONS:
            if name not in frame:
                continue
            held = self.sections.setdefault(name, {})
            records = [frame[name]] if name in _SINGLE else frame[name]
            for record in records:
                key = name if name in _SINGLE else record[_KEYS.get(name, "id")]
                assert full or held.get(key) != record, f"{name} {key} was sent though nothing in it changed"
                held[key] = record
                self.changed.add((name, key))
        for name, keys in frame.get("gone", {}).items():
            for key in keys:
                del self.sections[name][key]
                self.gone.add((name, key))
        load = frame.get("load")
        if load is not None:
            if load["host"] is not None:
                self.host_load = tuple(load["host"])
            numbers = load["vms"]
            for slot, cpu, memory in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
                self.loads[slot] = (cpu, memory)
        if "errors" in frame:
            self.errors = {one["part"]: (one["kind"], one["text"], one["code"]) for one in frame["errors"]}
            assert len(self.errors) == len(frame["errors"])

    def forget(self) -> None:
        """From now on `changed` and `gone` count anew."""
        self.changed.clear()
        self.gone.clear()

    def load_by_vm(self) -> dict[str, tuple[int, int]]:
        """CPU and memory by VM: the numbers of slots are a stream's own."""
        return {
            vm["id"]: self.loads[vm["slot"]] for vm in self.sections.get("vms", {}).values() if vm["slot"] in self.loads
        }


def differences(native: Any, module: Any, path: str = "") -> list[str]:
    """Every place where two decoded answers differ, in words."""
    if isinstance(native, dict) and isinstance(module, dict):
        found: list[str] = []
        for key in sorted(native.keys() | module.keys(), key=str):
            if key not in native:
                found.append(f"{path}.{key}: only the module says {module[key]!r}")
            elif key not in module:
                found.append(f"{path}.{key}: only the native engine says {native[key]!r}")
            else:
                found += differences(native[key], module[key], f"{path}.{key}")
        return found
    if isinstance(native, list) and isinstance(module, list) and len(native) == len(module):
        return [
            line
            for i, pair in enumerate(zip(native, module, strict=True))
            for line in differences(*pair, f"{path}[{i}]")
        ]
    if type(native) is type(module) and native == module:
        return []
    return [f"{path}: native {native!r}, module {module!r}"]
