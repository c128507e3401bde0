"""What people and programs do to a cluster: the world's side of every change, and the harm that a wrong one does.

Both engines in front of the world call these. Those that stand for a command of Windows take `asked`, write the command
log and raise `Refused` where the command would end with an error.
"""

from hvtui.lab.world.actions.access import access_of, entry_of, remove_access, set_access
from hvtui.lab.world.actions.asking import Refused
from hvtui.lab.world.actions.checkpoints import (
    apply_checkpoint,
    checkpoint,
    remove_checkpoint,
    set_checkpoint_type,
    start_vm,
)
from hvtui.lab.world.actions.drains import drain, resume, resume_node, suspend
from hvtui.lab.world.actions.failures import (
    fail_node,
    power_off,
    power_on,
    reboot_node,
    restart_guest,
    return_node,
)
from hvtui.lab.world.actions.moves import cancel_move, migrate, move_group, move_role
from hvtui.lab.world.actions.people import free_space, kill_backup, schedule_timeline, start_backup
from hvtui.lab.world.actions.services import restart_vmms, start_service, stop_service
from hvtui.lab.world.actions.volumes import move_volume, redirect
from hvtui.lab.world.command_log import Asked

__all__ = [
    "Asked",
    "Refused",
    "access_of",
    "apply_checkpoint",
    "cancel_move",
    "checkpoint",
    "drain",
    "entry_of",
    "fail_node",
    "free_space",
    "kill_backup",
    "migrate",
    "move_group",
    "move_role",
    "move_volume",
    "power_off",
    "power_on",
    "reboot_node",
    "redirect",
    "remove_access",
    "remove_checkpoint",
    "restart_guest",
    "restart_vmms",
    "resume",
    "resume_node",
    "return_node",
    "schedule_timeline",
    "set_access",
    "set_checkpoint_type",
    "start_backup",
    "start_service",
    "start_vm",
    "stop_service",
    "suspend",
]
