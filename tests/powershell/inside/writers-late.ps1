# What does not happen at will: vssadmin being late, and a lock that cannot be made.
function Read-HvTuiWriter {
    param([hashtable]$Answer, [int]$Milliseconds)
    $global:Calls.Add("vssadmin for $Milliseconds ms")
    $Answer.TimedOut = $Milliseconds -eq 7000
    $Answer.Text = 'words'
}
function Get-HvTuiMutex { [System.Threading.Mutex]::new($false) }
Get-HvTuiWriter -TimeoutSeconds 7
function Get-HvTuiMutex { throw [System.UnauthorizedAccessException]::new('Access to the path is denied.') }
Get-HvTuiWriter
