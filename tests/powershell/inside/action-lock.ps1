# The lock of a node's services: held by another session it is waited for and then given up; left by a dead one it is ours.
$global:World.mutex = [guid]::NewGuid().ToString()
$held = [System.Threading.Mutex]::new($false, $global:World.mutex)
$go = [System.Threading.ManualResetEvent]::new($false)
function Start-Other([string]$Text, $Lock) {
    $space = [runspacefactory]::CreateRunspace()
    $space.ThreadOptions = 'UseNewThread'
    $space.Open()
    $shell = [powershell]::Create()
    $shell.Runspace = $space
    @{ Shell = $shell.AddScript($Text).AddArgument($Lock).AddArgument($go); Space = $space }
}
function Get-Seen { @{ Name = 'vmms'; ExpectState = 'Stopped'; ExpectProcessId = 0; ExpectStarted = ''; OperationId = '7c9e6679-7425-40de-944b-e07fc1f90ae7'; Actor = 'anna@ADMIN7' } }
$seen = Get-Seen
$other = Start-Other 'param($Lock) [void]$Lock.WaitOne(); [System.Threading.Thread]::CurrentThread' $held
$dead = $other.Shell.Invoke()[0]
"$($dead.Join(60000))"
Start-HvTuiService @seen
"$($held.WaitOne(0))"
# Now this thread holds it: another session's call is told so.
$other = Start-Other 'param($Lock, $Go) [void]$Lock.WaitOne(); [void]$Go.WaitOne(60000); $Lock.ReleaseMutex()' $held
$held.ReleaseMutex()
$running = $other.Shell.BeginInvoke()
while ($held.WaitOne(0)) { $held.ReleaseMutex(); [System.Threading.Thread]::Sleep(20) }
Start-HvTuiService @seen
[void]$go.Set()
$null = $other.Shell.EndInvoke($running)
"$($held.WaitOne(60000))"
$held.ReleaseMutex()
$held.Dispose()
