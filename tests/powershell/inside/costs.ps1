# Every look at the clock takes a twentieth of a second: what a round costs is told, writing the last message included.
function Get-HvTuiElapsed { $global:Seconds += 0.05; $global:Seconds }
Watch-HvTuiNode -Count 3
Watch-HvTuiCluster -Count 3
# A stream without a count goes on until somebody ends it.
function Start-Sleep {
    param([int]$Milliseconds)
    $global:Calls.Add("waits $Milliseconds ms")
    if (++$global:Step -ge 3) { throw 'enough' }
}
foreach ($stream in 'Watch-HvTuiNode', 'Watch-HvTuiCluster') {
    $global:Step = 0
    try { & $stream } catch { "$_" }
}
