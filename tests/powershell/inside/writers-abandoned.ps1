# The session that read the writers died and left the lock to nobody: the next reader takes it, and gives it back.
$global:World.mutex = [guid]::NewGuid().ToString()
function Read-HvTuiWriter {
    param([hashtable]$Answer, [int]$Milliseconds)
    $global:Calls.Add("vssadmin for $Milliseconds ms")
    $Answer.Text = 'words'
    $Answer.ExitCode = 0
}
$lock = [System.Threading.Mutex]::new($false, $global:World.mutex)
$space = [runspacefactory]::CreateRunspace()
$space.ThreadOptions = 'UseNewThread'
$space.Open()
$shell = [powershell]::Create()
$shell.Runspace = $space
$dead = $shell.AddScript('param($Lock) [void]$Lock.WaitOne(); [System.Threading.Thread]::CurrentThread').AddArgument($lock).Invoke()[0]
"$($dead.Join(60000))"
$shell.Dispose()
$space.Dispose()
Get-HvTuiWriter
"$($lock.WaitOne(0))"
$lock.ReleaseMutex()
$lock.Dispose()
