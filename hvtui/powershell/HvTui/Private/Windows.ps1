# Calls into .NET that only Windows has, or that name this machine: one statement each, so that a test can replace them.

function Get-HvTuiNodeName {
    <#
    .SYNOPSIS
    The name of this node, as the cluster knows it.
    #>
    [System.Environment]::MachineName
}

function Get-HvTuiNow {
    <#
    .SYNOPSIS
    This node's clock, UTC.
    #>
    [datetime]::UtcNow
}

function Get-HvTuiElapsed {
    <#
    .SYNOPSIS
    Seconds on a clock that nobody sets, for costs and periods.
    #>
    [System.Diagnostics.Stopwatch]::GetTimestamp() / [System.Diagnostics.Stopwatch]::Frequency
}

function Get-HvTuiProcessorTime {
    <#
    .SYNOPSIS
    Milliseconds of processor that this session's process has used since it was started.
    #>
    [System.Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime.TotalMilliseconds
}

function Get-HvTuiBuildNumber {
    <#
    .SYNOPSIS
    The Windows build from the registry; .NET's own answer depends on the host program's manifest.
    #>
    [Microsoft.Win32.Registry]::GetValue('HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion', 'CurrentBuildNumber', $null)
}

function Get-HvTuiOemCodePage {
    <#
    .SYNOPSIS
    The code page in which programs without a console write.
    #>
    [Microsoft.Win32.Registry]::GetValue('HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Nls\CodePage', 'OEMCP', '437')
}

function Get-HvTuiEncoding {
    <#
    .SYNOPSIS
    The decoder of a code page.
    #>
    param([int]$CodePage)
    [System.Text.Encoding]::GetEncoding($CodePage)
}

function Test-HvTuiElevation {
    <#
    .SYNOPSIS
    Whether the caller acts as a member of the local Administrators, elevated.
    #>
    (New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList ([System.Security.Principal.WindowsIdentity]::GetCurrent())).IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Get-HvTuiVssAdminPath {
    <#
    .SYNOPSIS
    The full path of vssadmin.exe, so that PATH decides nothing.
    #>
    [System.IO.Path]::Combine([System.Environment]::SystemDirectory, 'vssadmin.exe')
}

function Get-HvTuiFilterPath {
    <#
    .SYNOPSIS
    The full path of fltmc.exe.
    #>
    [System.IO.Path]::Combine([System.Environment]::SystemDirectory, 'fltmc.exe')
}

function Get-HvTuiGuestProgram {
    <#
    .SYNOPSIS
    Where vssadmin.exe is in a guest; the guest puts its own folder in.
    #>
    '%SystemRoot%\System32\vssadmin.exe'
}

function Get-HvTuiMutex {
    <#
    .SYNOPSIS
    The node-wide lock that keeps two readers of writers apart, in whatever session they run.
    #>
    New-Object -TypeName System.Threading.Mutex -ArgumentList $false, 'Global\HvTuiWriter'
}

function Get-HvTuiActionMutex {
    <#
    .SYNOPSIS
    The node-wide lock that keeps two sessions apart while one of them stops or starts a service.
    #>
    New-Object -TypeName System.Threading.Mutex -ArgumentList $false, ('Global\HvTui-' + (Get-HvTuiNodeName))
}

function Get-HvTuiStartTime {
    <#
    .SYNOPSIS
    When a process was started, UTC.
    #>
    param([int]$Id)
    (Get-Process -Id $Id).StartTime.ToUniversalTime()
}

function Get-HvTuiAccountSid {
    <#
    .SYNOPSIS
    What an account's name stands for, as this node, its domain and those it trusts know it; an IdentityNotMappedException
    when it stands for nobody.
    #>
    param([string]$Name)
    (New-Object -TypeName System.Security.Principal.NTAccount -ArgumentList $Name).Translate([System.Security.Principal.SecurityIdentifier]).Value
}
