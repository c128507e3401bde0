# Programs of Windows as children of this session: one may hang for minutes, so it has a deadline of its own.

function Invoke-HvTuiProgram {
    <#
    .SYNOPSIS
    Runs a program and fills Text, ExitCode and TimedOut of the answer. Ends its own child, never another.
    #>
    param([hashtable]$Answer, [string]$Path, [string]$Argument, [int]$Milliseconds)
    $encoding = Get-HvTuiEncoding -CodePage ([int](Get-HvTuiOemCodePage))
    $child = New-Object -TypeName System.Diagnostics.Process
    $child.StartInfo.FileName = $Path
    $child.StartInfo.Arguments = $Argument
    $child.StartInfo.UseShellExecute = $false
    $child.StartInfo.CreateNoWindow = $true
    $child.StartInfo.RedirectStandardOutput = $true
    $child.StartInfo.RedirectStandardError = $true
    $child.StartInfo.RedirectStandardInput = $true
    $memory = New-Object -TypeName System.IO.MemoryStream
    $waste = New-Object -TypeName System.IO.MemoryStream
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $started = $false
    try {
        $started = $child.Start()
        $child.StandardInput.Close()
        $reading = $child.StandardOutput.BaseStream.CopyToAsync($memory)
        # Read as well: a child blocks when nobody empties its second pipe.
        [void]$child.StandardError.BaseStream.CopyToAsync($waste)
        # In short steps, so that the client's stop signal is heard.
        while (-not $child.WaitForExit(100) -and $clock.ElapsedMilliseconds -lt $Milliseconds) { Start-Sleep -Milliseconds 50 }
        if ($child.HasExited) {
            if ($reading.Wait(5000)) { $Answer.Text = $encoding.GetString($memory.ToArray()) }
            $Answer.ExitCode = $child.ExitCode
        } else {
            $Answer.TimedOut = $true
        }
    } finally {
        if ($started -and -not $child.HasExited) {
            $child.Kill()
            [void]$child.WaitForExit(2000)
        }
        $child.Dispose()
    }
}
