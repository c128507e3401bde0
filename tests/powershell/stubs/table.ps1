# Answers a table of cases in one session, for programs that run it many times over: with one unit of the module replaced
# (mutation) or with marks at its branches (coverage). One JSON object a line each way:
#   {"do": "load", "text": the module's text}     loads it and puts the stand-ins in place
#   {"do": "table", "cases": [...], "want": [...]} keeps the cases: name, command or script, parameters, world
#   {"do": "unit", "text": a function's text}     replaces one function
#   {"do": "run", "only": [...], "stop": bool, "marks": bool}  runs cases; ends at the first whose answer is not the wanted one
$ErrorActionPreference = 'Stop'
$utf8 = [System.Text.UTF8Encoding]::new($false)
$in = [System.IO.StreamReader]::new([Console]::OpenStandardInput(), $utf8)
$out = [System.IO.StreamWriter]::new([Console]::OpenStandardOutput(), $utf8)
. (Join-Path $PSScriptRoot 'windows.ps1')
$standins = {
    # What the module itself has under these names; a case may ask for it.
    $script:Own = @{}
    foreach ($name in 'NodeName', 'Now', 'BuildNumber', 'OemCodePage', 'VssAdminPath', 'FilterPath', 'GuestProgram', 'StartTime', 'Elapsed', 'ProcessorTime', 'Mutex', 'ActionMutex', 'Encoding', 'AccountSid') {
        $script:Own[$name] = (Microsoft.PowerShell.Management\Get-Item -LiteralPath "function:Get-HvTui$name").ScriptBlock
    }
    $script:Own['Elevation'] = (Microsoft.PowerShell.Management\Get-Item -LiteralPath 'function:Test-HvTuiElevation').ScriptBlock
    function script:Get-HvTuiNodeName { $global:World.name }
    function script:Get-HvTuiNow { Get-HvTuiStubNow }
    function script:Get-HvTuiBuildNumber { $global:World.build }
    function script:Get-HvTuiOemCodePage { 850 }
    # The constant stands left: it decides the type of the comparison, and $true would equal any text.
    function script:Test-HvTuiElevation { if ('fail' -eq $global:World.elevated) { throw [System.PlatformNotSupportedException]::new('no tokens here') }; $global:World.elevated }
    function script:Get-HvTuiVssAdminPath { $global:World.vssadmin }
    function script:Get-HvTuiFilterPath { $global:World.fltmc }
    function script:Get-HvTuiAccountSid { param([string]$Name) Get-StubSid $Name }
    function script:Get-HvTuiStartTime {
        param([int]$Id)
        if ($Id -lt 0 -and $global:Step -lt 2) { throw [System.ComponentModel.Win32Exception]::new(5, 'Access is denied') }
        (Get-HvTuiStubNow).AddHours(-$Id)
    }
    # The modules of this computer are no node's.
    function script:Get-Module {
        param([switch]$ListAvailable, [string[]]$Name)
        $global:Calls.Add("Get-Module $ListAvailable ($Name)")
        if ('fail' -eq $global:World.modules) { throw [System.IO.IOException]::new('no module path') }
        if ($global:World.modules) { foreach ($one in 'Hyper-V', 'Hyper-V', 'FailoverClusters') { [pscustomobject]@{ Name = $one; Version = [version]'2.0.0.0' } } }
    }
    function script:Get-HvTuiGuestProgram { '%SystemRoot%\vssadmin.exe' }
    function script:Get-HvTuiElapsed { $global:Seconds }
    function script:Get-HvTuiProcessorTime { if ($null -eq $global:World.cpu) { throw [System.ComponentModel.Win32Exception]::new(5, 'Access is denied') }; [double]$global:World.cpu }
    function script:Get-HvTuiMutex { [System.Threading.Mutex]::new($false, $global:World.mutex) }
    function script:Get-HvTuiActionMutex { if ('fail' -eq $global:World.mutex) { throw [System.UnauthorizedAccessException]::new('not yours') }; [System.Threading.Mutex]::new($false, $global:World.mutex) }
}

function Import-Text([string]$Text) {
    Get-Module HvTui | Remove-Module -Force
    . ([scriptblock]::Create($Text))
    $script:module = Get-Module HvTui
    & $script:module $standins
}

function Invoke-Case($Case) {
    Use-StubWorld $Case.world
    $global:Rows = $Case.rows
    try {
        # The decimal comma, calendar and names of the case's culture hold while it runs.
        if ($Case.culture) { [System.Threading.Thread]::CurrentThread.CurrentCulture = $script:cultures[$Case.culture] }
        $lines = @(& $script:module $Case.block $Case.arguments)
    } catch {
        $lines = @("$($_.Exception.GetType().Name): $($_.FullyQualifiedErrorId)")
    } finally {
        [System.Threading.Thread]::CurrentThread.CurrentCulture = [cultureinfo]::InvariantCulture
    }
    $counts = [System.Collections.Generic.SortedDictionary[string, int]]::new([System.StringComparer]::Ordinal)
    foreach ($call in $global:Calls) { $counts[$call] = 1 + $(if ($counts.ContainsKey($call)) { $counts[$call] } else { 0 }) }
    [ordered]@{ lines = $lines; calls = @(foreach ($call in $counts.Keys) { "$($counts[$call]) x $call" }) }
}

$strange = [cultureinfo]::InvariantCulture.Clone()
$strange.NumberFormat.NumberDecimalSeparator = ','
$strange.NumberFormat.NumberGroupSeparator = '.'
$strange.NumberFormat.NegativeSign = [char]0x2212 + ''
$strange.NumberFormat.NativeDigits = 0x660..0x669 | ForEach-Object { [string][char]$_ }
$strange.NumberFormat.DigitSubstitution = 'NativeNational'
$strange.DateTimeFormat.DateSeparator = '.'
$strange.DateTimeFormat.TimeSeparator = '.'
$arabic = [char]0x645 + '' + [char]0x62d
$strange.DateTimeFormat.MonthNames = @(1..12 | ForEach-Object { "$arabic$_" }) + ''
$strange.DateTimeFormat.DayNames = 1..7 | ForEach-Object { "$arabic$_" }
$calendars = @{ strange = $strange }
foreach ($calendar in 'ThaiBuddhistCalendar', 'HijriCalendar', 'PersianCalendar', 'UmAlQuraCalendar', 'HebrewCalendar', 'JapaneseLunisolarCalendar') {
    # A culture takes only calendars of its own list, and this engine may know invariant culture alone.
    $one = $strange.Clone()
    $field = $one.DateTimeFormat.GetType().GetField('_calendar', 'NonPublic,Instance')
    if ($null -eq $field) { $field = $one.DateTimeFormat.GetType().GetField('calendar', 'NonPublic,Instance') }
    $field.SetValue($one.DateTimeFormat, (New-Object "System.Globalization.$calendar"))
    $calendars[$calendar] = $one
}
$script:cultures = $calendars
$cases = @()
$want = @()
$global:Hits = [System.Collections.Generic.HashSet[string]]::new()

while ($null -ne ($line = $in.ReadLine())) {
    $request = $line | ConvertFrom-Json -DateKind String
    $answer = @{ error = '' }
    try {
        switch ($request.do) {
            'load' { Import-Text $request.text }
            'table' {
                $want = @(foreach ($one in $request.want) { ConvertTo-Json -InputObject $one -Compress -Depth 3 })
                $cases = foreach ($case in $request.cases) {
                    $arguments = @{}
                    foreach ($p in $case.parameters.PSObject.Properties) { $arguments[$p.Name] = if ($p.Name -eq 'Credential') { [pscredential]::new($p.Value, (ConvertTo-SecureString 'secret' -AsPlainText -Force)) } else { $p.Value } }
                    $block = if ($case.script) { [scriptblock]::Create($case.script) } else { [scriptblock]::Create("param(`$Arguments) $($case.command) @Arguments") }
                    @{ world = $case.world; rows = @{}; block = $block; arguments = $arguments; culture = $case.culture }
                }
                $cases = @($cases)
            }
            'unit' {
                & $script:module {
                    param($Text, $Name)
                    $short = $Name -replace '^(Get-HvTui|Test-HvTui)'
                    if ($script:Own.ContainsKey($short)) {
                        # The stand-in stays; only what a case reaches by its own name changes.
                        . ([scriptblock]::Create($Text.Replace("function $Name", "function Get-HvTuiOwn")))
                        $script:Own[$short] = (Microsoft.PowerShell.Management\Get-Item -LiteralPath 'function:Get-HvTuiOwn').ScriptBlock
                    } else {
                        . ([scriptblock]::Create(($Text -replace '^function ', 'function script:')))
                    }
                } $request.text $request.name
            }
            'run' {
                $answer.differs = -1
                $answer.answers = @()
                $answer.milliseconds = @()
                $answer.hits = @()
                foreach ($number in $request.only) {
                    $global:Hits.Clear()
                    $clock = [System.Diagnostics.Stopwatch]::StartNew()
                    $said = Invoke-Case $cases[$number]
                    $answer.milliseconds += $clock.ElapsedMilliseconds
                    if ($request.marks) { $answer.hits += , @($global:Hits) }
                    $text = ConvertTo-Json -InputObject $said -Compress -Depth 3
                    # What is this computer's, not the module's.
                    $text = [regex]::Replace($text, '(\\"duration_ms\\":)\d+', '${1}0').Replace('\"ps_version\":\"' + $PSVersionTable.PSVersion, '\"ps_version\":\"7')
                    if (-not $request.stop) { $answer.answers += $text } elseif ($text -cne $want[$number]) {
                        $answer.differs = $number
                        break
                    }
                }
            }
        }
    } catch {
        $answer.error = "$($_.Exception.Message)`n$($_.ScriptStackTrace)"
    }
    # The mark tells it from what a host may write by itself.
    $out.WriteLine('answer ' + (ConvertTo-Json -InputObject $answer -Compress -Depth 4))
    $out.Flush()
}
