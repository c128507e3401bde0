function Watch-HvTuiNode {
    <#
    .SYNOPSIS
    This node as a stream of JSON messages: its facts, its VMs, their files, their jobs, and the load.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidateRange(500, 60000)] [int]$IntervalMs = 2000,
        [ValidateRange(5, 600)] [int]$SlowSeconds = 30,
        [ValidateRange(1, 600)] [int]$LoadSeconds = 10,
        [ValidateRange(0, 1000000)] [int]$Count = 0
    )
    $stream = Get-HvTuiStream -Source (Get-HvTuiNodeSource -SlowSeconds $SlowSeconds -LoadSeconds $LoadSeconds) -Single 'host'
    $stream.Slot = @{}
    $stream.NextSlot = 0
    $stream.Start = @{}
    $stream.Backup = @{}
    $stream.Load = @{}
    $stream.HostLoad = $null
    $stream.JobVm = @{}
    $stream.JobTry = @{}
    $stream.JobMark = ''
    $stream.Service = $null
    $stream.Processor = $null
    while ($true) {
        $before = $stream.Clock.Elapsed.TotalMilliseconds
        Invoke-HvTuiSource -Stream $stream
        $section = @{}
        Add-HvTuiSection -Stream $stream -Section $section -Name 'host' -Builder 'Get-HvTuiHostSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'vms' -Builder 'Get-HvTuiMachineSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'files' -Builder 'Get-HvTuiFileSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'jobs' -Builder 'Get-HvTuiJobSection'
        $full = Test-HvTuiFull -Stream $stream -Section $section
        $load = Join-HvTuiLoad -Stream $stream -Full $full
        $cost = $stream.Clock.Elapsed.TotalMilliseconds - $before
        $wait = Measure-HvTuiWait -Cost $cost -Waited (1000 * $stream.Waited) -IntervalMs $IntervalMs
        Join-HvTuiFrame -Stream $stream -Section $section -Load $load -Full $full -Cost $cost -Wait $wait
        if ($Count -gt 0 -and $stream.Seq -ge $Count) { return }
        Start-Sleep -Milliseconds $wait
    }
}
