function Watch-HvTuiCluster {
    <#
    .SYNOPSIS
    The cluster as a stream of JSON messages: itself, its nodes, its CSVs and how each node reaches them, its VM roles.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidateRange(500, 60000)] [int]$IntervalMs = 2000,
        [ValidateRange(5, 600)] [int]$SlowSeconds = 30,
        [ValidateRange(0, 1000000)] [int]$Count = 0
    )
    $stream = Get-HvTuiStream -Source (Get-HvTuiClusterSource -SlowSeconds $SlowSeconds) -Single 'cluster'
    $stream.Role = @{}
    $stream.Identity = @{}
    $stream.CsvCount = -1
    while ($true) {
        $before = $stream.Clock.Elapsed.TotalMilliseconds
        Invoke-HvTuiSource -Stream $stream
        $section = @{}
        Add-HvTuiSection -Stream $stream -Section $section -Name 'cluster' -Builder 'Get-HvTuiClusterSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'nodes' -Builder 'Get-HvTuiNodeListSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'csvs' -Builder 'Get-HvTuiVolumeSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'io' -Builder 'Get-HvTuiIoSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'roles' -Builder 'Get-HvTuiRoleSection'
        $full = Test-HvTuiFull -Stream $stream -Section $section
        $cost = $stream.Clock.Elapsed.TotalMilliseconds - $before
        $wait = Measure-HvTuiWait -Cost $cost -Waited (1000 * $stream.Waited) -IntervalMs $IntervalMs
        Join-HvTuiFrame -Stream $stream -Section $section -Load '' -Full $full -Cost $cost -Wait $wait
        if ($Count -gt 0 -and $stream.Seq -ge $Count) { return }
        Start-Sleep -Milliseconds $wait
    }
}
