"""Where VMs were, kept by name until they are back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hvtui.errors import InputError, NotDone
from hvtui.operations import homes
from hvtui.operations.plan import Move, Target
from hvtui.paths import state_dir

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CLUSTER = "0f0e8a52-7c1c-4f0e-9d53-0d2f4d1c7b77"


def move(name: str, source: str, destination: str = "HV09") -> Move:
    vm = Target(kind="vm", id=f"id-{name}", name=name)
    return Move(vm=vm, source=source, destination=destination, state=2, type="Live")


def keep(*moves: Move, name: str = "nightly", cluster: str = CLUSTER) -> None:
    homes.keep(cluster, "CLU", name, moves, time=NOON)


def where(name: str = "nightly") -> dict[str, str]:
    return {home.name: home.node for home in homes.load(CLUSTER, name).homes.values()}


def files() -> list[Path]:
    return sorted(path for path in (state_dir() / "homes").rglob("*") if path.is_file())


def test_the_first_home_counts_until_the_vm_is_back() -> None:
    keep(move("A", "HV01"), move("B", "HV02"))
    keep(move("A", "HV09"), move("C", "HV03"))
    assert where() == {"A": "HV01", "B": "HV02", "C": "HV03"}
    homes.forget(CLUSTER, "nightly", ["id-B"])
    assert where() == {"A": "HV01", "C": "HV03"}
    homes.forget(CLUSTER, "nightly", ["id-A", "id-C", "id-unknown"])
    assert files() == []
    homes.forget(CLUSTER, "nightly", ["id-A"])


def test_clusters_and_names_are_apart() -> None:
    keep(move("A", "HV01"))
    keep(move("A", "HV02"), name="weekly")
    keep(move("A", "HV03"), cluster="another")
    assert (where(), where("weekly")) == ({"A": "HV01"}, {"A": "HV02"})
    assert homes.names(CLUSTER) == ["nightly", "weekly"]
    assert where("NIGHTLY") == {"A": "HV01"}, "a file's name knows no case on Windows"
    with pytest.raises(NotDone) as raised:
        homes.load(CLUSTER, "monthly")
    assert "Kept: nightly, weekly." in raised.value.hint


def test_what_was_not_begun_leaves_it_as_it_was() -> None:
    homes.restore(CLUSTER, "nightly", None)
    keep(move("A", "HV01"))
    before = homes.kept(CLUSTER, "nightly")
    keep(move("B", "HV02"))
    homes.restore(CLUSTER, "nightly", before)
    assert where() == {"A": "HV01"}
    homes.restore(CLUSTER, "nightly", None)
    assert files() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"homes": 3}', "\x00"])
def test_what_is_not_its_own_is_not_overwritten(text: str) -> None:
    keep(move("A", "HV01"))
    (path,) = files()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        homes.load(CLUSTER, "nightly")
    with pytest.raises(InputError):
        keep(move("B", "HV02"))
    assert path.read_text(encoding="utf-8") == text


def test_a_disk_that_cannot_be_written_is_said_and_leaves_no_half_file() -> None:
    (state_dir() / "homes").parent.mkdir(parents=True, exist_ok=True)
    (state_dir() / "homes").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be"):
        keep(move("A", "HV01"))
