function Get-HvTuiEvent {
    <#
    .SYNOPSIS
    A bounded piece of one event channel of this node, oldest first, as one JSON object.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [ValidateSet('Microsoft-Windows-Hyper-V-VMMS-Admin', 'Microsoft-Windows-Hyper-V-Worker-Admin',
            'Microsoft-Windows-Hyper-V-High-Availability-Admin', 'Microsoft-Windows-Hyper-V-StorageVSP-Admin',
            'Microsoft-Windows-FailoverClustering/Operational', 'System', 'Application')]
        [string]$Channel,
        [ValidateRange(0, 4611686018427387904)] [long]$AfterRecord = 0,
        [ValidateRange(1, 168)] [int]$Hours = 24,
        [ValidateRange(1, 1000)] [int]$MaxEvents = 200
    )
    $page = @{ Oldest = $null; OldestTime = $null; Newest = $null; Wrapped = $null; More = $false; Events = $null }
    $problem = ''
    try {
        Read-HvTuiEventPage -Page $page -Channel $Channel -AfterRecord $AfterRecord -Hours $Hours -MaxEvents $MaxEvents
    } catch {
        $problem = Get-HvTuiProblem -Part 'events' -ErrorRecord $_
    }
    $events = 'null'
    if ($null -ne $page.Events) { $events = '[' + ($page.Events -join ',') + ']' }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',"channel":' + (ConvertTo-HvTuiString -Value $Channel) +
        ',"oldest_record":' + (ConvertTo-HvTuiNumber -Value $page.Oldest) + ',"oldest_time":' + (ConvertTo-HvTuiTime -Value $page.OldestTime) +
        ',"newest_record":' + (ConvertTo-HvTuiNumber -Value $page.Newest) + ',"wrapped":' + (ConvertTo-HvTuiBoolean -Value $page.Wrapped) +
        ',"more":' + (ConvertTo-HvTuiBoolean -Value $page.More) + ',"events":' + $events + ',"errors":[' + $problem + ']}'
}
