"""The lab's vssadmin and fltmc print in the layout in which people published what Windows' own print."""

from __future__ import annotations

import re

import pytest

from hvtui.lab.world.writers import SYSTEM_PROVIDER, Shadow
from tests.engine.control_client import controlled
from tests.engine.test_control_programs import run
from tests.support.published import DATA

VOLUME = "\\\\?\\Volume{0a1b2c3d-0000-4000-8000-000000000003}\\"


def published(name: str) -> list[str]:
    return (DATA / "programs" / f"{name}.txt").read_text("utf-8").splitlines()


def labels(lines: list[str]) -> list[str]:
    """Indentation and label of each line; lines without one whole."""
    return [re.sub(r"(?<=: ).*", "", line) for line in lines]


async def printed(program: str, *arguments: str) -> list[str]:
    """What a program of the lab prints on a node with one provider and one shadow copy."""
    async with controlled() as (world, _, session):
        node = world.node("HV01")
        node.shadows[:] = [Shadow("1" * 8, "2" * 8, VOLUME, world.elapsed)]
        node.providers[:] = [SYSTEM_PROVIDER]
        data, code = await run(session, program, *arguments)
        assert code == 0
        assert b"\r\n" in data
        return data.decode("cp437").splitlines()


@pytest.mark.parametrize("what", ["providers", "shadows"])
async def test_vssadmin_has_the_labels_in_their_order(what: str) -> None:
    assert labels(await printed("vssadmin.exe", "list", what)) == labels(published(f"vssadmin-list-{what}"))


async def test_a_provider_is_listed_word_for_word() -> None:
    assert await printed("vssadmin.exe", "list", "providers") == published("vssadmin-list-providers")


async def test_a_volume_without_a_letter_and_its_copy_are_named() -> None:
    lines = await printed("vssadmin.exe", "list", "shadows")
    assert f"         Original Volume: (?){VOLUME}" in lines
    assert "         Shadow Copy Volume: \\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy1" in lines


async def test_fltmc_has_the_columns_at_their_places() -> None:
    lines, model = await printed("fltmc.exe", "filters"), published("fltmc-filters")
    assert lines[:3] == model[:3]
    for line in (*lines[3:], *model[3:]):
        # Numbers end, and altitudes have their point, where those of all other lines do.
        assert re.fullmatch(r"\S+ *", line[:30]), line
        assert re.fullmatch(r" *\d+", line[30:41]), line
        assert re.fullmatch(r" {7} ?\d{5,6}", line[41:54]), line
        assert re.fullmatch(r"(\.\d| {2}) {7}0", line[54:64]), line
        assert line[64:] == ""
    assert {line.split()[0]: line.split()[2] for line in lines[3:]}["WdFilter"] == "328010"


async def test_fltmc_lists_instances_in_columns_too() -> None:
    lines, model = await printed("fltmc.exe", "instances"), published("fltmc-instances")
    assert lines[:2] == model[:2]
    for line in (*lines[2:], *model[2:]):
        assert re.fullmatch(r"\S+ *", line[:22]), line
        assert re.fullmatch(r"\S* *", line[22:62]), line
        assert re.fullmatch(r" {2,3}\d{5,6}(\.\d| {2}) {3}", line[62:75]), line
        assert re.fullmatch(r"\S.*\S {2,}", line[75:101]), line
        assert re.fullmatch(r"0 {5}[0-9a-f]{8} *", line[101:]), line
