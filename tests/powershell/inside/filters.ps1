$global:World.real = $true
$program = [System.IO.Path]::GetTempFileName()
function Set-Program([string]$Text) {
    [System.IO.File]::WriteAllText($program, "#!/bin/sh`n$Text`n")
    [System.IO.File]::SetUnixFileMode($program, 'UserRead, UserWrite, UserExecute')
}
$longest = $script:FilterMilliseconds
try {
    $global:World.fltmc = $program
    Set-Program 'read x; echo "$@ <$x>"; printf "\220tat\n"'
    Get-HvTuiFilter
    # The second listing fails by itself.
    Set-Program 'if [ "$1" = instances ]; then exit 3; fi; echo "$1"'
    Get-HvTuiFilter
    Set-Program 'echo no; exit 5'
    Get-HvTuiFilter
    $global:World.elevated = $false
    Get-HvTuiFilter
    # One that hangs is ended, and the other listing is not asked for.
    $mark = "$program.asked"
    Set-Program "echo `$1 >> '$mark'; exec sleep 60"
    $script:FilterMilliseconds = 400
    Get-HvTuiFilter
    [System.IO.File]::ReadAllText($mark)
    [System.IO.File]::Delete($mark)
    $script:FilterMilliseconds = $longest
    # The error names the working folder, and the answer must not depend on where the tests run.
    [System.Environment]::CurrentDirectory = '/'
    $global:World.fltmc = '/nonexistent/fltmc.exe'
    Get-HvTuiFilter
} finally {
    $script:FilterMilliseconds = $longest
    [System.IO.File]::Delete($program)
}
