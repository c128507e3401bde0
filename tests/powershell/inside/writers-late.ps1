# What vssadmin does not do at will: be late, or leave a lock behind that nobody holds any more, or that cannot be made.
function Read-HvTuiWriter {
    param([hashtable]$Answer, [int]$Milliseconds)
    $global:Calls.Add("vssadmin for $Milliseconds ms")
    $Answer.TimedOut = $Milliseconds -eq 7000
    $Answer.Text = 'words'
}
function Get-HvTuiMutex { [System.Threading.Mutex]::new($false) }
Get-HvTuiWriter -TimeoutSeconds 7
function Get-HvTuiMutex {
    $lock = [System.Threading.Mutex]::new($false)
    $thread = [powershell]::Create().AddScript('param($m) [void]$m.WaitOne()').AddArgument($lock)
    $space = [runspacefactory]::CreateRunspace()
    $space.ThreadOptions = 'UseNewThread'
    $space.Open()
    $thread.Runspace = $space
    [void]$thread.Invoke()
    $space.Dispose()
    $lock
}
Get-HvTuiWriter -TimeoutSeconds 8
function Get-HvTuiMutex { throw [System.UnauthorizedAccessException]::new('Access to the path is denied.') }
Get-HvTuiWriter
