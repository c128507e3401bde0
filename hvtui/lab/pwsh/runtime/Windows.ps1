# Stands in for the calls into .NET that only Windows has, or that name the machine: on a node of the lab, the lab is asked.

# On Windows Get-WinEvent and Get-Service come with the engine; a restricted session loads no module by itself.
Import-Module -Name 'HvTuiWindows'

function Get-HvTuiNodeName {
    [string](Get-HvTuiLabFact -Name 'NodeName' -ErrorAction Stop)
}

function Get-HvTuiNow {
    (Get-HvTuiLabFact -Name 'Now' -ErrorAction Stop).ToUniversalTime()
}

function Get-HvTuiElapsed {
    [System.Diagnostics.Stopwatch]::GetTimestamp() / [System.Diagnostics.Stopwatch]::Frequency
}

function Get-HvTuiProcessorTime {
    [System.Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime.TotalMilliseconds
}

function Get-HvTuiBuildNumber {
    [string](Get-HvTuiLabFact -Name 'BuildNumber' -ErrorAction Stop)
}

function Get-HvTuiOemCodePage {
    [string](Get-HvTuiLabFact -Name 'OemCodePage' -ErrorAction Stop)
}

function Get-HvTuiEncoding {
    param([int]$CodePage)
    [System.Text.Encoding]::GetEncoding($CodePage)
}

function Test-HvTuiElevation {
    [bool](Get-HvTuiLabFact -Name 'Elevated' -ErrorAction Stop)
}

function Get-HvTuiVssAdminPath {
    foreach ($name in 'vssadmin.exe', 'vssadmin.cmd') {
        $path = [System.IO.Path]::Combine($env:HVTUI_LAB_BIN, $name)
        if ([System.IO.File]::Exists($path)) { return $path }
    }
}

function Get-HvTuiFilterPath {
    foreach ($name in 'fltmc.exe', 'fltmc.cmd') {
        $path = [System.IO.Path]::Combine($env:HVTUI_LAB_BIN, $name)
        if ([System.IO.File]::Exists($path)) { return $path }
    }
}

function Get-HvTuiGuestProgram {
    Get-HvTuiVssAdminPath
}

function Get-HvTuiMutex {
    # All nodes of a lab are on one machine; on Windows each has its own lock.
    $scope = ($env:HVTUI_LAB_CONTROL + '-' + (Get-HvTuiNodeName)) -replace '[^0-9A-Za-z]', '-'
    New-Object -TypeName System.Threading.Mutex -ArgumentList $false, "Global\HvTuiWriter-$scope"
}

function Get-HvTuiActionMutex {
    $scope = ($env:HVTUI_LAB_CONTROL + '-' + (Get-HvTuiNodeName)) -replace '[^0-9A-Za-z]', '-'
    New-Object -TypeName System.Threading.Mutex -ArgumentList $false, "Global\HvTui-$scope"
}

function Get-HvTuiStartTime {
    param([int]$Id)
    (Get-HvTuiLabFact -Name 'StartTime' -Id $Id -ErrorAction Stop).ToUniversalTime()
}

function Get-HvTuiAccountSid {
    param([string]$Name)
    [string](Get-HvTuiLabFact -Name 'AccountSid' -Text $Name -ErrorAction Stop)
}
