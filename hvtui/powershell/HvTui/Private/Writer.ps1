# Get-HvTuiWriter: what vssadmin prints.

function Read-HvTuiWriter {
    <#
    .SYNOPSIS
    Runs "vssadmin list writers" and fills Text, ExitCode and TimedOut of the answer.
    #>
    param([hashtable]$Answer, [int]$Milliseconds)
    Invoke-HvTuiProgram -Answer $Answer -Path (Get-HvTuiVssAdminPath) -Argument 'list writers' -Milliseconds $Milliseconds
}
