"""Cases of Watch-HvTuiCluster."""

from __future__ import annotations

import copy
from typing import Final

from tests.powershell import worlds
from tests.powershell.case_kit import NEW, TIMEOUT, Case, cluster, failing, with_cim
from tests.powershell.worlds import SQL, WEB

_WITNESS: Final = worlds.cluster()["commands"]["Get-ClusterQuorum"]["QuorumResource"]["Id"]


def cluster_cases() -> list[Case]:
    """Watch-HvTuiCluster."""
    world = worlds.cluster()
    private = copy.deepcopy(world)
    for row in private["cim"]["MSCluster_Resource"]:
        known, row["PrivateProperties"] = row["PrivateProperties"], None
        if known:
            kind = {"ResourceType": {"Name": row["Type"]}, "Id": "{" + row["Id"] + "}", "Parameters": known}
            private["commands"].setdefault("Get-ClusterResource", []).append(kind)
    private["commands"]["Get-ClusterResource"] += [
        {"ResourceType": {"Name": "Physical Disk"}, "Id": "disk", "Parameters": {"VmID": SQL}},
        {"ResourceType": {"Name": "Virtual Machine"}, "Id": "odd", "Parameters": {"VmID": "none"}},
    ]
    nameless = copy.deepcopy(world)
    for row in nameless["cim"]["MSCluster_Resource"]:
        row["PrivateProperties"] = None
    moved = copy.deepcopy(world)
    moved["cim"]["MSCluster_Node"][1] |= {"State": 2, "StatusInformation": 4, "NodeDrainStatus": 1, "BuildNumber": None}
    moved["cim"]["MSCluster_Resource"][4] |= {"OwnerNode": "HV02", "State": 4294967295}
    moved["cim"]["MSCluster_Resource"][2] |= {"State": 4294967295}
    moved["cim"]["MSCluster_Resource"][3] |= {"State": 4294967295}
    moved["cim"]["MSCluster_Resource"][0] |= {"State": None}
    moved["cim"]["MSCluster_Resource"][1] |= {"State": None}
    moved["cim"]["MSCluster_ResourceGroup"][0] |= {"State": 4294967295, "OwnerNode": "HV02"}
    moved["cim"]["MSCluster_ResourceGroup"][1] |= {
        "State": None,
        "StatusInformation": None,
        "Priority": None,
        "AntiAffinityClassNames": None,
    }
    grown = copy.deepcopy(world)
    grown["cim"]["MSCluster_ResourceGroup"] = [
        worlds.group(1, "SQL role"),
        worlds.group(9, "new", AntiAffinityClassNames=['a"b', "c"]),
        worlds.group(9, "new twice"),
        worlds.group(8, "by id"),
    ]
    by_id = worlds.group(8, "by id")["Id"]
    grown["cim"]["MSCluster_Resource"] = [
        worlds.resource("Configuration new", "Virtual Machine Configuration", "new"),
        worlds.resource("Virtual Machine new", "Virtual Machine", "new", VmID=NEW, MigrationState=3),
        worlds.resource("Virtual Machine by id", "Virtual Machine", by_id, VmID=WEB, MigrationProgress=40),
        worlds.resource("odd", "Virtual Machine", "SQL role", VmID="no guid"),
        {**worlds.resource("no id", "Physical Disk", "x"), "Id": "none"},
    ]
    volumes = copy.deepcopy(world)
    volumes["cim"]["MSCluster_ClusterSharedVolume"] = [
        {"Name": "C:\\ClusterStorage\\Volume2", "VolumeName": None, "FaultState": 4, "BackupState": 0},
        {"Name": None, "VolumeName": "\\\\?\\Volume{aa}\\", "FaultState": 2, "BackupState": 1},
    ]
    volumes["commands"]["Get-ClusterSharedVolume"] += [
        {
            "Id": "4444dddd-0000-4000-8000-000000000002",
            "Name": "Disk 2",
            "State": 4,
            "OwnerNode": None,
            "SharedVolumeInfo": [
                {"FriendlyVolumeName": "C:\\ClusterStorage\\Volume2", "Partition": None, "MaintenanceMode": True},
                {"FriendlyVolumeName": "C:\\ClusterStorage\\Volume3", "Partition": {"Name": "v3"}, "FaultState": 1},
            ],
        }
    ]
    no_witness = copy.deepcopy(world)
    no_witness["commands"]["Get-Cluster"]["MaximumParallelMigrations"] = 3
    no_witness["commands"]["Get-ClusterQuorum"] = {"QuorumType": 1, "QuorumResource": None}
    failed_witness = copy.deepcopy(world)
    witness = {**worlds.resource("Witness", "Physical Disk", "Cluster Group", 4), "Id": _WITNESS}
    failed_witness["cim"]["MSCluster_Resource"].append(witness)
    strange_witness = copy.deepcopy(world)
    strange_witness["commands"]["Get-ClusterQuorum"]["QuorumResource"]["Id"] = "none"
    other = worlds.resource("Virtual Machine SQL07", "Virtual Machine", "SQL role", 3, VmID=SQL)
    unnamed = worlds.resource("Virtual Machine SQL07", "Virtual Machine", "SQL role", 3, MigrationState=0)
    replaced = {"cim": {"MSCluster_Resource": [other]}}
    cases = [
        cluster("cluster: one full picture", world),
        cluster("cluster: changes", world, moved, {"cim": {}}, world),
        cluster("cluster: roles come and go", world, grown, {"cim": {}}, world),
        cluster("cluster: by cmdlet", private, {"cim": {}}),
        cluster("cluster: nobody tells the VM", nameless, world, *[{"cim": {}}] * 6),
        cluster(
            "cluster: a VM's resource without its GUID", with_cim(world, MSCluster_Resource=[unnamed]), {"cim": {}}
        ),
        cluster("cluster: nobody tells the VM any more", world, *[nameless] * 6),
        cluster("cluster: volumes", volumes, replaced, {"cim": {}}),
        cluster("cluster: no witness", no_witness),
        cluster("cluster: a witness that failed since", failed_witness),
        cluster("cluster: witness without id", strange_witness),
        cluster("cluster: nothing is shown", {**copy.deepcopy(world), "cim": {}}, world),
        cluster("cluster: beats and cadences", world, count=40, IntervalMs=1000, SlowSeconds=9),
        cluster(
            "cluster: a failing quorum comes back",
            failing(world, "Get-ClusterQuorum", code=0x80070005),
            *[{"cim": {}}] * 6,
        ),
    ]
    for name in (*world["cim"], *world["commands"]):
        fail = failing(world, name, code=0x800713AC)
        cases.append(cluster(f"cluster: {name} fails", fail, {"cim": {}}, {"cim": {}}))
    hang = failing({"cim": {}}, "MSCluster_Resource", code=TIMEOUT, seconds=10)
    cases.append(cluster("cluster: the service hangs", world, hang, hang, {"cim": {}}, count=9))
    waiting = {**hang, "slow": {"MSCluster_Node": 0.5}}
    cases.append(cluster("cluster: waiting is no work", world, waiting, {"cim": {}}))
    heavy = {"MSCluster_Node": 4}
    cases.append(cluster("cluster: heavy rounds", {**copy.deepcopy(world), "slow": heavy}, {"cim": {}, "slow": heavy}))
    first = failing(world, "MSCluster_Node", code=TIMEOUT, seconds=10)
    cases.append(cluster("cluster: the service hangs from the first round", first, first, world))
    denied = failing({"cim": {}}, "MSCluster_Resource", code=0x80070005)
    cases.append(cluster("cluster: resources denied later", world, *[denied] * 6))
    hostile = copy.deepcopy(world)
    hostile["cim"]["MSCluster_ResourceGroup"] = [
        worlds.group(n, name, OwnerNode=name) for n, name in enumerate(worlds.HOSTILE)
    ]
    hostile["cim"]["MSCluster_Resource"] += [
        worlds.resource(f"Virtual Machine {name}", "Virtual Machine", name, VmID=f"1111aaaa-0000-4000-8000-{n:012d}")
        for n, name in enumerate(worlds.HOSTILE)
    ]
    for n, name in enumerate(worlds.HOSTILE):
        row = {**world["cim"]["MSCluster_Node"][0], "Name": name, "Id": str(n)}
        hostile["cim"]["MSCluster_Node"].append(row)
        hostile["commands"]["Get-ClusterSharedVolumeState"].append(
            {
                "Node": name,
                "VolumeName": name,
                "StateInfo": n,
                "FileSystemRedirectedIOReason": 0,
                "BlockRedirectedIOReason": 0,
            }
        )
        hostile["commands"]["Get-ClusterNode"].append({"Name": name, "DrainErrorCode": n, "FailbackStatus": n})
    cases.append(cluster("cluster: hostile names", hostile))
    return cases
