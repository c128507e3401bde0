# Memory of names that came and went is given back: nothing grows for ever.
function Get-Grown([int]$Size) { $map = New-Object -TypeName 'System.Collections.Generic.Dictionary[string,string]'; for ($i = 0; $i -lt $Size; $i++) { $map["n$i"] = 'x' }; , $map }
$vm = [pscustomobject]@{ Name = '1111AAAA-0000-4000-8000-000000000001'; ElementName = 'a'; EnabledState = 3; HealthState = 5; OperationalStatus = $null; OnTimeInMilliseconds = 0; LastSuccessfulBackupTime = $null; ReplicationMode = $null }
$group = [pscustomobject]@{ Id = 'g'; Name = 'a'; OwnerNode = 'n'; State = 0; StatusInformation = 0; Priority = 0; AntiAffinityClassNames = $null }
foreach ($size in 20000, 20001) {
    $stream = @{ Source = @(@{ Name = 'machine'; Fresh = $true }, @{ Name = 'group'; Fresh = $true }); Name = Get-Grown $size; Slot = @{}; Start = @{}; Backup = @{}; Load = @{}; NextSlot = 0; Now = Get-HvTuiNow; Data = @{ machine = @{ Item = @($vm) }; group = @{ Item = @($group) } }; Role = @{}; RoleVm = @{} }
    $null = Get-HvTuiMachineSection -Stream $stream
    "$($stream.Name.Count)"
    $stream.Name = Get-Grown $size
    $null = Get-HvTuiRoleSection -Stream $stream
    "$($stream.Name.Count)"
    $times = @{}
    for ($i = 0; $i -lt $size; $i++) { $times[$i] = 'x' }
    $stream.Time = $times
    $null = Read-HvTuiSetting -Stream $stream
    "$($stream.Time.Count)"
}
foreach ($size in 102, 103) {
    $role = @{}
    for ($i = 0; $i -lt $size; $i++) { $role["r$i"] = $true }
    $stream.Role = $role
    $stream.RoleVm = @{ x = 'y' }
    $null = Get-HvTuiRoleSection -Stream $stream
    "$($stream.Role.Count) $($stream.RoleVm.Count)"
}
foreach ($size in 5000, 5001) {
    $tried = @{}
    for ($i = 0; $i -lt $size; $i++) { $tried["j$i"] = 1 }
    $stream = @{ JobTry = $tried; JobLink = @{ a = 1 }; JobVm = @{ a = 1 }; JobMark = ''; Source = @(@{ Name = 'setting'; Urgent = $false }) }
    $null = Read-HvTuiJob -Stream $stream
    "$($stream.JobTry.Count) $($stream.JobLink.Count) $($stream.JobVm.Count) $($stream.Source[0].Urgent)"
}
