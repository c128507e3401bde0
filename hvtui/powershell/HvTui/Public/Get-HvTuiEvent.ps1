function Get-HvTuiEvent {
    <#
    .SYNOPSIS
    A bounded piece of one event channel of this node, oldest first, as one JSON object.
    .DESCRIPTION
    Of System only the providers FailoverClustering and volsnap are read, of Application only VSS, CAPI2 and
    HvTui's own records of changes.

    Where each field comes from (all of Get-WinEvent):
      time               this node's clock
      cpu_ms             TotalProcessorTime of this session's process, since it was started
      channel            the parameter
      oldest_record, oldest_time  RecordId, TimeCreated of the oldest record
      newest_record      RecordId of the newest record
      wrapped            whether records that were asked for are gone; on a reading by hours, whether any are
      more               whether there are further events after the last one here
      events.channel     the parameter
      events.record      RecordId
      events.id          Id
      events.level       Level
      events.time        TimeCreated
      events.provider    ProviderName
      events.vm          VmId in UserData or EventData
      events.vm_name     VmName in UserData or EventData
      events.codes       0x........ and %%number in the data, and numbers named ErrorCode
      events.data        UserData and EventData of ToXml
      events.text        Message, in Windows' language, cut at 4,000 characters
      errors             why there are no events
    .PARAMETER Channel
    The log.
    .PARAMETER AfterRecord
    Position after which to read; 0 reads by time.
    .PARAMETER Hours
    With AfterRecord 0: how far back by this node's clock.
    .PARAMETER MaxEvents
    Largest number of events in one answer.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiEvent -Channel Microsoft-Windows-Hyper-V-VMMS-Admin -AfterRecord 4711
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [ValidateSet('Microsoft-Windows-Hyper-V-VMMS-Admin', 'Microsoft-Windows-Hyper-V-Worker-Admin',
            'Microsoft-Windows-Hyper-V-High-Availability-Admin', 'Microsoft-Windows-Hyper-V-StorageVSP-Admin',
            'Microsoft-Windows-FailoverClustering/Operational', 'System', 'Application')]
        [string]$Channel,
        [ValidateRange(0L, 4611686018427387904L)] [long]$AfterRecord = 0,
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
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"channel":' + (ConvertTo-HvTuiString -Value $Channel) +
        ',"oldest_record":' + (ConvertTo-HvTuiNumber -Value $page.Oldest) + ',"oldest_time":' + (ConvertTo-HvTuiTime -Value $page.OldestTime) +
        ',"newest_record":' + (ConvertTo-HvTuiNumber -Value $page.Newest) + ',"wrapped":' + (ConvertTo-HvTuiBoolean -Value $page.Wrapped) +
        ',"more":' + (ConvertTo-HvTuiBoolean -Value $page.More) + ',"events":' + $events + ',"errors":[' + $problem + ']}'
}
