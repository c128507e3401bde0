$global:World.mutex = [guid]::NewGuid().ToString()
$global:World.real = $true
$program = [System.IO.Path]::GetTempFileName()
function Set-Program([string]$Text) {
    [System.IO.File]::WriteAllText($program, "#!/bin/sh`n$Text`n")
    [System.IO.File]::SetUnixFileMode($program, 'UserRead, UserWrite, UserExecute')
}
try {
    $global:World.vssadmin = $program
    Set-Program 'read x; echo "$@ <$x>"; head -c 200000 /dev/zero | tr "\0" x >&2; printf "\220tat\n"'
    Get-HvTuiWriter
    Set-Program 'echo no; exit 2'
    Get-HvTuiWriter
    $global:World.elevated = $false
    Get-HvTuiWriter -TimeoutSeconds 9
    # The error names the working folder, and the answer must not depend on where the tests run.
    [System.Environment]::CurrentDirectory = '/'
    $global:World.vssadmin = '/nonexistent/vssadmin.exe'
    Get-HvTuiWriter
    $held = [System.Threading.Mutex]::new($false, $global:World.mutex)
    $other = [System.Threading.Mutex]::new($false, $global:World.mutex)
    $job = [powershell]::Create().AddScript('param($m, $go) [void]$m.WaitOne(); [void]$go.Set(); [System.Threading.Thread]::Sleep(300); $m.ReleaseMutex()')
    $go = [System.Threading.ManualResetEvent]::new($false)
    $running = $job.AddArgument($other).AddArgument($go).BeginInvoke()
    [void]$go.WaitOne()
    Get-HvTuiWriter
    [void]$job.EndInvoke($running)
    # A child that hangs is ended, and no other.
    $global:World.vssadmin = $program
    $mark = "$program.pid"
    Set-Program "echo `$`$ > '$mark'; echo words; exec sleep 60"
    $answer = @{ Text = $null; ExitCode = $null; TimedOut = $false }
    Read-HvTuiWriter -Answer $answer -Milliseconds 400
    "$($answer.Text)|$($answer.ExitCode)|$($answer.TimedOut)"
    $id = [int][System.IO.File]::ReadAllText($mark).Trim()
    [System.IO.File]::Delete($mark)
    "$(@(Get-Process -Id $id -ErrorAction SilentlyContinue | Where-Object { -not $_.HasExited }).Count)"
    # The lock is free again.
    "$($held.WaitOne(0))"
    $held.ReleaseMutex()
} finally { [System.IO.File]::Delete($program) }
