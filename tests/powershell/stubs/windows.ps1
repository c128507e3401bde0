# Stand-ins for the Windows commands that HvTui calls. What they answer comes from a JSON file: a list of steps, each with
# "cim" (class to rows), "commands" (cmdlet to answer), "fail" (class or cmdlet to an error) and "slow" (to seconds). Start-Sleep goes to the
# next step and moves the clock, so a stream of an hour is played in a moment. A row has what the file says and, where
# a question names properties, exactly those: reading any other fails under StrictMode as it would on a node.
Set-StrictMode -Version Latest

function Use-StubWorld($World) {
    $global:World = $World
    $global:Step = 0
    $global:Asked = [System.Collections.Generic.List[string]]::new()
    # Every question in full words, and how many objects were given out: what a node is asked is a contract too.
    $global:Calls = [System.Collections.Generic.List[string]]::new()
    $global:Objects = 0
    $global:Seconds = 0.0
    $global:Rows = @{}
}

function ConvertFrom-Stub($Value) {
    if ($Value -is [System.Management.Automation.PSCustomObject]) {
        if ($Value.PSObject.Properties['$time']) {
            return [datetime]::Parse($Value.'$time', [cultureinfo]::InvariantCulture, 'AdjustToUniversal, AssumeUniversal').ToLocalTime()
        }
        if ($Value.PSObject.Properties['$rows']) {
            # So many copies of a row, {0} being the number: for the sizes that matter.
            $text = $Value.row | ConvertTo-Json -Compress -Depth 6
            return , @(foreach ($i in 1..$Value.'$rows') { ConvertFrom-Stub ($text.Replace('{0}', $i.ToString('d4')) | ConvertFrom-Json -DateKind String) })
        }
        $copy = [ordered]@{}
        foreach ($p in $Value.PSObject.Properties) { $copy[$p.Name] = ConvertFrom-Stub $p.Value }
        return [pscustomobject]$copy
    }
    if ($Value -is [array]) { return , @(foreach ($one in $Value) { ConvertFrom-Stub $one }) }
    $Value
}

function Get-Answer($Kind, $Name) {
    $global:Asked.Add($Name)
    if ($Kind -eq 'commands') { $global:Calls.Add($Name) }
    $step = $global:World.steps[[Math]::Min($global:Step, $global:World.steps.Count - 1)]
    if ($step.PSObject.Properties['fail'] -and $step.fail.PSObject.Properties[$Name]) {
        $fail = $step.fail.$Name
        $global:Seconds += $fail.seconds
        $exception = [Exception]::new($fail.text)
        $exception.HResult = $fail.code
        throw [System.Management.Automation.ErrorRecord]::new($exception, $fail.id, 'NotSpecified', $null)
    }
    if ($step.PSObject.Properties['slow'] -and $step.slow.PSObject.Properties[$Name]) { $global:Seconds += $step.slow.$Name }
    # The newest step that says something about it holds.
    for ($i = [Math]::Min($global:Step, $global:World.steps.Count - 1); $i -ge 0; $i--) {
        $one = $global:World.steps[$i]
        if ($one.PSObject.Properties[$Kind] -and $one.$Kind.PSObject.Properties[$Name]) {
            $key = "$i $Name"
            if (-not $global:Rows.ContainsKey($key)) { $global:Rows[$key] = ConvertFrom-Stub $one.$Kind.$Name }
            return , $global:Rows[$key]
        }
    }
    , @()
}

function Get-CimInstance {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string]$Namespace, [Parameter(Mandatory)] [string]$ClassName, [string]$Filter, [string[]]$Property, [Parameter(Mandatory)] [uint32]$OperationTimeoutSec)
    if ($OperationTimeoutSec -lt 1) { throw 'no deadline' }
    $global:Calls.Add("$Namespace $ClassName [$Filter] ($Property) $OperationTimeoutSec s")
    $rows = Get-Answer 'cim' $ClassName
    foreach ($row in $rows) {
        if ($Filter -match "^Type = 'Virtual Machine'" -and $row.Type -notlike 'Virtual Machine*') { continue }
        if ($Filter -eq 'GroupType = 111' -and $row.GroupType -ne 111) { continue }
        if ($Filter -match '^Name = ' -and $row.PSObject.Properties['Name'] -and @([regex]::Matches($Filter, "Name = '([^']+)'") | ForEach-Object { $_.Groups[1].Value }) -notcontains $row.Name) { continue }
        # What was not asked for is not there; what has no value is null.
        $copy = [ordered]@{}
        foreach ($name in $Property) {
            $held = $row.PSObject.Properties[$name]
            $copy[$name] = if ($held) { , $held.Value } else { $null }
        }
        $global:Objects++
        [pscustomobject]$copy
    }
}

function Get-Cluster { foreach ($one in (Get-Answer 'commands' 'Get-Cluster')) { $one } }
function Get-ClusterQuorum { foreach ($one in (Get-Answer 'commands' 'Get-ClusterQuorum')) { $one } }
function Get-ClusterNode { foreach ($one in (Get-Answer 'commands' 'Get-ClusterNode')) { $one } }
function Get-ClusterSharedVolume { foreach ($one in (Get-Answer 'commands' 'Get-ClusterSharedVolume')) { $one } }
function Get-ClusterSharedVolumeState { foreach ($one in (Get-Answer 'commands' 'Get-ClusterSharedVolumeState')) { $one } }
function Get-ClusterResource {
    param([string]$VMId)
    if ($VMId) { $global:Calls.Add("Get-ClusterResource -VMId $VMId") }
    foreach ($one in (Get-Answer 'commands' 'Get-ClusterResource')) { if (-not $VMId -or $one.Parameters.VmID -eq $VMId) { $one } }
}
function Get-ClusterGroup {
    param([Parameter(Mandatory)] [string]$VMId)
    $global:Calls.Add("Get-ClusterGroup -VMId $VMId")
    foreach ($one in (Get-Answer 'commands' 'Get-ClusterGroup')) { if ($one.VmId -eq $VMId) { $one } }
}
function Get-ClusterOwnerNode {
    param([Parameter(ValueFromPipeline)] $InputObject)
    process {
        $global:Calls.Add("Get-ClusterOwnerNode $($InputObject.Name)")
        $null = Get-Answer 'commands' 'Get-ClusterOwnerNode'
        [pscustomobject]@{ ClusterObject = $InputObject; OwnerNodes = @(foreach ($name in $InputObject.Owners) { [pscustomobject]@{ Name = $name } }) }
    }
}
function Get-ClusterResourceType {
    param([string]$Name)
    $global:Calls.Add("Get-ClusterResourceType $Name")
    foreach ($one in (Get-Answer 'commands' 'Get-ClusterResourceType')) { $one }
}
function Get-VM {
    param([Parameter(Mandatory)] [guid]$Id)
    $global:Calls.Add("Get-VM -Id $Id")
    $known = $false
    foreach ($one in (Get-Answer 'commands' 'Get-VM')) {
        $known = $true
        if ([guid]$one.Id -eq $Id) { $one }
    }
    if (-not $known) { Get-StubVm $Id }
}
# A step that lists none has every VM; one with an empty list has none.
function Get-StubVm([guid]$Id) {
    foreach ($step in $global:World.steps) { if ($step.PSObject.Properties['commands'] -and $step.commands.PSObject.Properties['Get-VM']) { return } }
    [pscustomobject]@{ Id = $Id }
}
function Get-VMSnapshot {
    param([Parameter(Mandatory)] $VM)
    $global:Calls.Add("Get-VMSnapshot $($VM.Id)")
    foreach ($one in (Get-Answer 'commands' 'Get-VMSnapshot')) { $one }
}
function Get-VMHost { foreach ($one in (Get-Answer 'commands' 'Get-VMHost')) { $one } }
function Get-VHD {
    param([Parameter(Mandatory)] [string]$Path)
    $global:Calls.Add("Get-VHD $Path")
    foreach ($one in (Get-Answer 'commands' 'Get-VHD')) { if ($one.Path -eq $Path) { return $one } }
    throw [System.IO.FileNotFoundException]::new("no file $Path")
}

# A change is a step of the world: what is read next is what became of it.
function Invoke-StubChange([string]$Name, [string]$Text) {
    $global:Calls.Add($Text)
    $said = Get-Answer 'commands' $Name
    $global:Step++
    foreach ($one in $said) { $one }
}
function Move-ClusterVirtualMachineRole {
    [CmdletBinding()]
    param([guid]$VMId, [string]$Node, [ValidateSet('TurnOff', 'Quick', 'Shutdown', 'ShutdownForce', 'Live')] [string]$MigrationType, [switch]$Cancel, [int]$Wait = -1)
    Invoke-StubChange 'Move-ClusterVirtualMachineRole' "Move-ClusterVirtualMachineRole $VMId to '$Node' $MigrationType Cancel $Cancel Wait $Wait"
}
function Set-VM {
    [CmdletBinding()]
    param([Parameter(Mandatory)] $VM, [ValidateSet('Disabled', 'Production', 'ProductionOnly', 'Standard')] [string]$CheckpointType)
    Invoke-StubChange 'Set-VM' "Set-VM $($VM.Id) $CheckpointType"
}
# What a job says is an error record with its number.
function Get-StubJob($Job) {
    foreach ($one in $Job) {
        $one.Error = @(foreach ($said in $one.Error) { New-StubError $said })
        foreach ($child in $one.ChildJobs) { $child.Error = @(foreach ($said in $child.Error) { New-StubError $said }) }
        if ($one.JobStateInfo.Reason -and $one.JobStateInfo.Reason -isnot [Exception]) { $one.JobStateInfo.Reason = (New-StubError $one.JobStateInfo.Reason).Exception }
        $one
    }
}
function New-StubError($Said) {
    if ($Said -is [System.Management.Automation.ErrorRecord]) { return $Said }
    $exception = [Exception]::new($Said.'$error')
    $exception.HResult = $Said.code
    [System.Management.Automation.ErrorRecord]::new($exception, 'OperationFailed', 'NotSpecified', $null)
}
function Checkpoint-VM {
    [CmdletBinding()]
    param([Parameter(Mandatory)] $VM, [string]$SnapshotName, [switch]$AsJob)
    Get-StubJob (Invoke-StubChange 'Checkpoint-VM' "Checkpoint-VM $($VM.Id) [$SnapshotName] AsJob $AsJob")
}
function Restore-VMSnapshot {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory)] $VMSnapshot, [switch]$AsJob)
    if ($PSCmdlet.ShouldProcess($VMSnapshot.Id)) { Get-StubJob (Invoke-StubChange 'Restore-VMSnapshot' "Restore-VMSnapshot $($VMSnapshot.Id) AsJob $AsJob") }
}
function Remove-VMSnapshot {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory)] $VMSnapshot, [switch]$AsJob, [switch]$IncludeAllChildSnapshots)
    if ($PSCmdlet.ShouldProcess($VMSnapshot.Id)) { Get-StubJob (Invoke-StubChange 'Remove-VMSnapshot' "Remove-VMSnapshot $($VMSnapshot.Id) AsJob $AsJob all $IncludeAllChildSnapshots") }
}
function Start-VM {
    [CmdletBinding()]
    param([Parameter(Mandatory)] $VM, [switch]$AsJob)
    Get-StubJob (Invoke-StubChange 'Start-VM' "Start-VM $($VM.Id) AsJob $AsJob")
}
function Start-ClusterGroup {
    [CmdletBinding()]
    param([Parameter(ValueFromPipeline)] $InputObject, [int]$Wait = -1)
    process { Invoke-StubChange 'Start-ClusterGroup' "Start-ClusterGroup $($InputObject.VmId) Wait $Wait" }
}
function Suspend-ClusterNode {
    [CmdletBinding()]
    param([string]$Name, [switch]$Drain, [switch]$ForceDrain, [switch]$Wait)
    Invoke-StubChange 'Suspend-ClusterNode' "Suspend-ClusterNode $Name Drain $Drain Force $ForceDrain Wait $Wait"
}
function Resume-ClusterNode {
    [CmdletBinding()]
    param([string]$Name, [string]$Failback)
    Invoke-StubChange 'Resume-ClusterNode' "Resume-ClusterNode $Name $Failback"
}
function Move-ClusterSharedVolume {
    [CmdletBinding()]
    param([Parameter(ValueFromPipeline)] $InputObject, [string]$Node, [int]$Wait = -1)
    process { Invoke-StubChange 'Move-ClusterSharedVolume' "Move-ClusterSharedVolume $($InputObject.Id) to $Node Wait $Wait" }
}
function Invoke-CimMethod {
    [CmdletBinding()]
    param([string]$Query, [string]$MethodName, [Parameter(Mandatory)] [uint32]$OperationTimeoutSec)
    Invoke-StubChange 'Invoke-CimMethod' "Invoke-CimMethod [$Query] $MethodName $OperationTimeoutSec s"
}
function Write-EventLog {
    [CmdletBinding()]
    param([string]$LogName, [string]$Source, [int]$EventId, [string]$EntryType, [string]$Message)
    $global:Calls.Add("Write-EventLog $LogName $Source $EventId $EntryType [$Message]")
    $null = Get-Answer 'commands' 'Write-EventLog'
    if ($global:World.source -eq 'none') { throw [System.InvalidOperationException]::new("The source name '$Source' does not exist") }
}
function New-EventLog {
    [CmdletBinding()]
    param([string]$LogName, [string]$Source)
    $global:Calls.Add("New-EventLog $LogName $Source")
    $null = Get-Answer 'commands' 'New-EventLog'
    $global:World.source = 'there'
}
# The one key with values: name to kind and value, as "access" says; names are known by "sids".
function Get-Item {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string]$LiteralPath)
    $global:Calls.Add("Get-Item $LiteralPath")
    $values = Get-Answer 'commands' 'Get-Item'
    if (-not $values.PSObject.Properties['access']) {
        throw [System.Management.Automation.ErrorRecord]::new([System.Management.Automation.ItemNotFoundException]::new("Cannot find path '$LiteralPath'"), 'PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand', 'ObjectNotFound', $null)
    }
    $key = [pscustomobject]@{ Values = $values.access }
    $key | Add-Member -MemberType ScriptMethod -Name GetValueNames -Value { foreach ($one in $this.Values) { $one.name } }
    $key | Add-Member -MemberType ScriptMethod -Name GetValueKind -Value { param($Name) foreach ($one in $this.Values) { if ($one.name -ceq $Name) { $one.kind } } }
    $key | Add-Member -MemberType ScriptMethod -Name GetValue -Value { param($Name) foreach ($one in $this.Values) { if ($one.name -ceq $Name) { $one.value } } }
    $key
}
function New-ItemProperty {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string]$LiteralPath, [Parameter(Mandatory)] [string]$Name, $Value, [string]$PropertyType, [switch]$Force)
    Invoke-StubChange 'New-ItemProperty' "New-ItemProperty $LiteralPath [$Name] $($Value.GetType().Name) $Value $PropertyType Force $Force"
    [pscustomobject]@{ $Name = $Value }
}
function Remove-ItemProperty {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string]$LiteralPath, [Parameter(Mandatory)] [string]$Name)
    Invoke-StubChange 'Remove-ItemProperty' "Remove-ItemProperty $LiteralPath [$Name]"
}
Add-Type -TypeDefinition 'namespace HvTuiStub { public class IdentityNotMappedException : System.SystemException { public IdentityNotMappedException(string text) : base(text) { } } }'
function Get-StubSid([string]$Name) {
    $global:Calls.Add("Get-HvTuiAccountSid [$Name]")
    # One after the other, as the domain answers them.
    $global:Seconds += $global:World.lookup
    $null = Get-Answer 'commands' 'AccountSid'
    foreach ($one in $global:World.sids.PSObject.Properties) { if ($one.Name -eq $Name) { return $one.Value } }
    # As PowerShell wraps what a method throws.
    throw [System.InvalidOperationException]::new('Exception calling "Translate"', [HvTuiStub.IdentityNotMappedException]::new('Some or all identity references could not be translated.'))
}
function Get-ClusterParameter {
    [CmdletBinding()]
    param([Parameter(ValueFromPipeline)] $InputObject, [string[]]$Name)
    process {
        $global:Calls.Add("Get-ClusterParameter ($Name)")
        foreach ($one in $Name) { [pscustomobject]@{ ClusterObject = $InputObject; Name = $one; Value = $InputObject.Parameters.$one } }
    }
}

function Get-Service {
    [CmdletBinding()]
    param([string[]]$Name, [switch]$DependentServices)
    if ($DependentServices) {
        $global:Calls.Add("Get-Service $Name DependentServices")
        foreach ($one in (Get-Answer 'commands' 'Dependents')) { $one }
        return
    }
    foreach ($one in (Get-Answer 'commands' 'Get-Service')) { if ($Name -contains $one.Name) { return $one } }
    throw [System.Management.Automation.ErrorRecord]::new([Exception]::new("Cannot find any service with service name '$Name'."), 'NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand', 'ObjectNotFound', $Name)
}

function Get-WinEvent {
    [CmdletBinding()]
    param([string]$LogName, [string]$FilterXPath, [long]$MaxEvents, [switch]$Oldest)
    $global:Calls.Add("Get-WinEvent [$FilterXPath] $MaxEvents $Oldest")
    $answer = Get-Answer 'commands' $LogName
    $found = @($answer)
    if ($FilterXPath -match 'EventID=(\d+)') { $found = @($found | Where-Object Id -EQ ([int]$Matches[1])) }
    if ($FilterXPath -match 'EventRecordID > (\d+)') { $found = @($found | Where-Object RecordId -GT ([long]$Matches[1])) }
    if ($FilterXPath -match 'timediff\(@SystemTime\) <= (\d+)') {
        $from = (Get-HvTuiStubNow).AddMilliseconds(-[long]$Matches[1])
        $found = @($found | Where-Object { $_.TimeCreated.ToUniversalTime() -ge $from })
    }
    $providers = @([regex]::Matches($FilterXPath, "@Name='([^']+)'") | ForEach-Object { $_.Groups[1].Value })
    if ($providers.Count) { $found = @($found | Where-Object { $providers -ccontains $_.ProviderName }) }
    if (-not $found.Count) {
        throw [System.Management.Automation.ErrorRecord]::new([Exception]::new('No events were found that match the specified selection criteria.'), 'NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand', 'ObjectNotFound', $null)
    }
    if (-not $Oldest) { [array]::Reverse($found) }
    foreach ($one in $found | Select-Object -First $MaxEvents) {
        $one | Add-Member -MemberType ScriptMethod -Name ToXml -Value { $this.Xml } -Force
        $one
    }
}

# A guest is a row of "Invoke-Command": how its job ends (reason), after how many seconds, what vssadmin does in it.
function Invoke-Command {
    [CmdletBinding()]
    param([guid[]]$VMId, [pscredential]$Credential, [scriptblock]$ScriptBlock, [object[]]$ArgumentList, [switch]$AsJob)
    $global:Calls.Add("Invoke-Command $VMId as $($Credential.UserName) with $($ArgumentList -join ', ') AsJob $AsJob")
    $row = $null
    foreach ($one in (Get-Answer 'commands' 'Invoke-Command')) { if ([guid]$one.VMId -eq $VMId[0]) { $row = $one } }
    if ($row.reason -eq 'state') {
        throw [System.Management.Automation.ErrorRecord]::new([System.ArgumentException]::new('The virtual machine is not in running state.'), 'InvalidVMState,Microsoft.PowerShell.Commands.InvokeCommandCommand', 'InvalidArgument', $null)
    }
    $inner = switch ($row.reason) {
        'denied' { [System.Management.Automation.Remoting.PSDirectException]::new('The credential is invalid.') }
        'socket' { [System.Net.Sockets.SocketException]::new(10060, 'nobody listens') }
        'lost' { [System.InvalidOperationException]::new('the session ended') }
    }
    $reason = if ($inner) { [System.Management.Automation.Remoting.PSRemotingDataStructureException]::new('  A remote session might have ended. ', $inner) }
    $job = [pscustomobject]@{ Row = $row; Output = @(if (-not $reason) { Invoke-StubGuest $row $ScriptBlock.ToString() $ArgumentList }); Ends = $global:Seconds + [double]$row.after; ChildJobs = @([pscustomobject]@{ JobStateInfo = [pscustomobject]@{ Reason = $null } }) }
    if ($reason -and $row.told -ne 'record') { $job.ChildJobs[0].JobStateInfo.Reason = $reason }
    $job | Add-Member -MemberType NoteProperty -Name Reason -Value $reason
    $job | Add-Member -MemberType ScriptProperty -Name State -Value { if ($global:Seconds -lt $this.Ends) { 'Running' } elseif ($this.Reason) { 'Failed' } else { 'Completed' } }
    $job
}
function Receive-Job {
    [CmdletBinding()]
    param($Job)
    $global:Calls.Add("Receive-Job $($Job.Row.VMId) $($Job.State)")
    if ($Job.Reason -and $Job.Row.told -eq 'record') { $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new($Job.Reason, 'PSSessionStateBroken', 'OpenError', $null)) }
    if ($Job.State -eq 'Completed') { $Job.Output }
}
# As in another computer: the block runs by its text, and knows none of the module's functions.
function Invoke-StubGuest($row, [string]$text, [object[]]$values) {
    function New-Object {
        param([string]$TypeName, [object[]]$ArgumentList = @())
        if ($TypeName -ne 'System.Diagnostics.Process') {
            Microsoft.PowerShell.Utility\Write-Output -NoEnumerate -InputObject (Microsoft.PowerShell.Utility\New-Object -TypeName $TypeName -ArgumentList $ArgumentList)
            return
        }
        $pipe = [pscustomobject]@{ BaseStream = [System.IO.MemoryStream]::new([System.Text.Encoding]::GetEncoding(437).GetBytes([string]$row.vssadmin)) }
        $child = [pscustomobject]@{ Row = $row; StartInfo = [System.Diagnostics.ProcessStartInfo]::new(); StandardOutput = $pipe; StandardError = $pipe; StandardInput = [System.IO.StringWriter]::new(); ExitCode = [int]$row.exit; Waited = 0; HasExited = $false }
        $child | Add-Member -MemberType ScriptMethod -Name Start -Value {
            $global:Calls.Add("start $($this.StartInfo.FileName) $($this.StartInfo.Arguments)")
            if ($this.Row.start -eq 'fail') { throw [System.ComponentModel.Win32Exception]::new(2, 'The system cannot find the file specified') }
            $true
        }
        $child | Add-Member -MemberType ScriptMethod -Name WaitForExit -Value { $this.Waited++; $this.HasExited = -not $this.Row.hangs -and $this.Waited -gt 1; $this.HasExited }
        $child | Add-Member -MemberType ScriptMethod -Name Kill -Value { $global:Calls.Add('kill') }
        $child | Add-Member -MemberType ScriptMethod -Name Dispose -Value { $global:Calls.Add('dispose') }
        $child
    }
    function Get-ChildItem {
        [CmdletBinding()]
        param([string]$LiteralPath, [switch]$Force)
        $global:Calls.Add("Get-ChildItem $LiteralPath $Force")
        $global:Seconds += $row.folder
        $listed = $row.folders.PSObject.Properties[$LiteralPath]
        if (-not $listed) { throw [System.UnauthorizedAccessException]::new("Access to the path '$LiteralPath' is denied.") }
        foreach ($one in $listed.Value) { [pscustomobject]@{ FullName = $LiteralPath.TrimEnd('\') + '\' + $one[0]; PSIsContainer = $one[1] -lt 0; Length = $one[1]; Attributes = [System.IO.FileAttributes]$(if ($one[1] -lt -1) { 1040 } else { 16 }) } }
    }
    & ([scriptblock]::Create($text)) @values
}
function Remove-Job {
    [CmdletBinding()]
    param($Job, [switch]$Force)
    $global:Calls.Add("Remove-Job $($Job.Row.VMId) Force $Force")
}

function Start-Sleep {
    [CmdletBinding()]
    param([int]$Milliseconds)
    if ($global:World.real) { [System.Threading.Thread]::Sleep($Milliseconds); return }
    # A stream that nothing ends any more must not run for ever.
    if (++$global:Step -gt 2000) { throw 'the stream does not end' }
    $global:Seconds += $Milliseconds / 1000
}

function Get-HvTuiStubNow {
    [datetime]::Parse($global:World.start, [cultureinfo]::InvariantCulture, 'AdjustToUniversal, AssumeUniversal').AddSeconds($global:Seconds)
}
