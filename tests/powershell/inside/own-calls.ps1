# The module's own calls into .NET, as far as this system has them.
"$((& $script:Own['NodeName']) -ceq [System.Environment]::MachineName)"
$now = & $script:Own['Now']
"$($now.Kind) $([Math]::Abs(([datetime]::UtcNow - $now).TotalMinutes) -lt 1)"
$first = & $script:Own['Elapsed']
[System.Threading.Thread]::Sleep(20)
$passed = (& $script:Own['Elapsed']) - $first
"$($passed -gt 0.01) $($passed -lt 60)"
$spent = & $script:Own['ProcessorTime']
"$($spent -gt 0 -and $spent -le [System.Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime.TotalMilliseconds)"
"$((& $script:Own['Encoding'] -CodePage 65001).WebName) $((& $script:Own['Encoding'] -CodePage 1200).WebName)"
"$((& $script:Own['VssAdminPath']) -ceq [System.IO.Path]::Combine([System.Environment]::SystemDirectory, 'vssadmin.exe'))"
"$((& $script:Own['FilterPath']) -ceq [System.IO.Path]::Combine([System.Environment]::SystemDirectory, 'fltmc.exe'))"
$lock = & $script:Own['Mutex']
"$($lock.GetType().Name) $($lock.WaitOne(0))"
$lock.ReleaseMutex()
$lock.Dispose()
$lock = & $script:Own['ActionMutex']
"$($lock.GetType().Name) $($lock.WaitOne(0))"
$lock.ReleaseMutex()
$lock.Dispose()
$began = & $script:Own['StartTime'] -Id $PID
"$($began.Kind) $($began -eq (Get-Process -Id $PID).StartTime.ToUniversalTime())"
