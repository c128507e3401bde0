# vssadmin as a child of this session: it may hang for minutes behind a snapshot, so it has a deadline of its own.

function Read-HvTuiWriter {
    <#
    .SYNOPSIS
    Runs "vssadmin list writers" and fills Text, ExitCode and TimedOut of the answer. Ends its own child, never another.
    #>
    param([hashtable]$Answer, [int]$Milliseconds)
    $encoding = Get-HvTuiEncoding -CodePage ([int](Get-HvTuiOemCodePage))
    $child = New-Object -TypeName System.Diagnostics.Process
    $child.StartInfo.FileName = Get-HvTuiVssAdminPath
    $child.StartInfo.Arguments = 'list writers'
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
