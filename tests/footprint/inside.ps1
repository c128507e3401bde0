# Put into a session with the module and the stand-ins for Windows: counts what each round of a stream asks, and how much
# processor of this process it takes, once in all and once within the stand-ins. A round ends where the stream waits.
& (Get-Module -Name 'HvTui') {
    $global:Rounds = [System.Collections.Generic.List[object]]::new()
    # Processor time in steps of a microsecond, of all threads of this process.
    function global:Get-FootprintTime { [System.Environment]::CpuUsage.TotalTime.TotalMilliseconds }
    function global:Clear-FootprintRound {
        $global:Standins = 0.0
        $global:Queries = $global:Commands = $global:Objects = 0
        $global:Began = Get-FootprintTime
    }
    $names = @{ 'Get-CimInstance' = 'CimCmdlets' }
    foreach ($name in 'Get-Cluster', 'Get-ClusterQuorum', 'Get-ClusterNode', 'Get-ClusterResource', 'Get-ClusterParameter', 'Get-ClusterSharedVolume', 'Get-ClusterSharedVolumeState') {
        $names[$name] = 'FailoverClusters'
    }
    foreach ($name in $names.Keys) {
        $counter = if ($name -eq 'Get-CimInstance') { 'Queries' } else { 'Commands' }
        # An object from the pipeline is not taken: of these, no round without a fault asks Get-ClusterParameter.
        Set-Item -LiteralPath "function:script:$name" -Value ([scriptblock]::Create(@"
`$began = Get-FootprintTime
`$global:$counter++
try {
    `$found = @($($names[$name])\$name @args)
} finally {
    `$global:Standins += (Get-FootprintTime) - `$began
}
`$global:Objects += `$found.Count
`$found
"@))
    }
    function script:Start-Sleep {
        param([int]$Milliseconds)
        $null = $Milliseconds
        $global:Rounds.Add(@{ all = (Get-FootprintTime) - $global:Began; standins = $global:Standins; queries = $global:Queries; commands = $global:Commands; objects = $global:Objects })
        [Console]::Out.WriteLine('~')
        $line = [Console]::In.ReadLine()
        if ($line -eq 'stop') { throw 'LabStop' }
        $global:LabElapsed = [double]::Parse($line, [System.Globalization.CultureInfo]::InvariantCulture)
        Clear-FootprintRound
    }
    Clear-FootprintRound
}
