function Get-HvTuiWriter {
    <#
    .SYNOPSIS
    The raw text of "vssadmin list writers" on this node, as one JSON object.
    .DESCRIPTION
    vssadmin.exe runs as a child of this session. When the deadline passes, or the session is stopped, that child and no
    other is ended. On one node only one hvtui session reads writers at a time; another one is told that it is busy.
    Reading is not harmless: every writer does real work and some log warnings. Nothing here repeats it by itself.

    Where each field comes from:
      time           this node's clock
      cpu_ms         TotalProcessorTime of this session's process, since it was started
      duration_ms    a stopwatch
      text           standard output of vssadmin, decoded with OEMCP of the registry's Nls\CodePage; in Windows' language
      exit_code      of vssadmin
      timed_out      whether the deadline passed
      busy           whether another session held the lock Global\HvTuiWriter
      errors         why there is no text, or not a good one
    .PARAMETER TimeoutSeconds
    Seconds that vssadmin may take.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiWriter -TimeoutSeconds 60
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidateRange(5, 600)] [int]$TimeoutSeconds = 120
    )
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $answer = @{ Text = $null; ExitCode = $null; TimedOut = $false; Busy = $false }
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $lock = $null
    $held = $false
    try {
        $lock = Get-HvTuiMutex
        try {
            $held = $lock.WaitOne(0)
        } catch [System.Threading.AbandonedMutexException] {
            # The session that held it is gone; the lock is ours.
            $held = $true
        }
        if ($held) {
            Read-HvTuiWriter -Answer $answer -Milliseconds (1000 * $TimeoutSeconds)
            if ($null -ne $answer.ExitCode -and $answer.ExitCode -ne 0) {
                $kind = 'other'
                if (-not (Test-HvTuiElevation)) { $kind = 'denied' }
                $problems.Add((Join-HvTuiProblem -Part 'writers' -Kind $kind -Text "vssadmin ended with exit code $($answer.ExitCode)"))
            }
            if ($answer.TimedOut) { $problems.Add((Join-HvTuiProblem -Part 'writers' -Kind 'timeout' -Text "vssadmin gave no answer in $TimeoutSeconds s and was ended")) }
        } else {
            $answer.Busy = $true
            $problems.Add((Join-HvTuiProblem -Part 'writers' -Kind 'unavailable' -Text 'another hvtui session reads the writers of this node at this moment'))
        }
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'writers' -ErrorRecord $_))
    } finally {
        if ($held) { $lock.ReleaseMutex() }
        if ($null -ne $lock) { $lock.Dispose() }
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"duration_ms":' + $clock.ElapsedMilliseconds + ',"text":' + (ConvertTo-HvTuiString -Value $answer.Text) +
        ',"exit_code":' + (ConvertTo-HvTuiNumber -Value $answer.ExitCode) + ',"timed_out":' + (ConvertTo-HvTuiBoolean -Value $answer.TimedOut) +
        ',"busy":' + (ConvertTo-HvTuiBoolean -Value $answer.Busy) + ',"errors":[' + ($problems -join ',') + ']}'
}
