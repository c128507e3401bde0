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
function Get-ClusterResource { foreach ($one in (Get-Answer 'commands' 'Get-ClusterResource')) { $one } }
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
    param([string[]]$Name)
    foreach ($one in (Get-Answer 'commands' 'Get-Service')) { if ($Name -contains $one.Name) { return $one } }
    throw [System.Management.Automation.ErrorRecord]::new([Exception]::new("Cannot find any service with service name '$Name'."), 'NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand', 'ObjectNotFound', $Name)
}

function Get-WinEvent {
    [CmdletBinding()]
    param([string]$LogName, [string]$FilterXPath, [long]$MaxEvents, [switch]$Oldest)
    $global:Calls.Add("Get-WinEvent [$FilterXPath] $MaxEvents $Oldest")
    $answer = Get-Answer 'commands' $LogName
    $found = @($answer)
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
