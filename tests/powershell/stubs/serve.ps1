# Serves requests, one JSON object a line: the module to load (installed form: the path of its manifest; sent form: the
# path of its text), the world, a command and its parameters. Each starts from nothing; the answer is one JSON line.
$ErrorActionPreference = 'Stop'
$utf8 = [System.Text.UTF8Encoding]::new($false)
$in = [System.IO.StreamReader]::new([Console]::OpenStandardInput(), $utf8)
$out = [System.IO.StreamWriter]::new([Console]::OpenStandardOutput(), $utf8)
. (Join-Path $PSScriptRoot 'windows.ps1')
while ($null -ne ($line = $in.ReadLine())) {
    $request = $line | ConvertFrom-Json -DateKind String
    $answer = @{ lines = @(); asked = @(); error = '' }
    try {
        Use-StubWorld $request.world
        Get-Module HvTui | Remove-Module -Force
        if ($request.module.EndsWith('.psd1')) { Import-Module $request.module -Force } else { . ([scriptblock]::Create((Get-Content -Raw -LiteralPath $request.module))) }
        # The module's one-statement calls into Windows.
        & (Get-Module HvTui) {
            function script:Get-HvTuiNodeName { 'HV01' }
            function script:Get-HvTuiNow { Get-HvTuiStubNow }
            function script:Get-HvTuiBuildNumber { $global:World.build }
            function script:Get-HvTuiOemCodePage { 65001 }
            function script:Test-HvTuiElevation { $global:World.elevated }
            function script:Get-HvTuiProcessorTime { [double]$global:World.cpu }
            function script:Get-HvTuiVssAdminPath { $global:World.vssadmin }
            function script:Get-HvTuiFilterPath { $global:World.fltmc }
            function script:Get-HvTuiAccountSid { param([string]$Name) Get-StubSid $Name }
            function script:Get-HvTuiStartTime { param([int]$Id) (Get-HvTuiStubNow).AddHours(-$Id) }
            if (-not $global:World.real) {
                function script:Get-HvTuiElapsed { $global:Seconds }
            }
            if ($global:World.mutex) {
                function script:Get-HvTuiMutex { [System.Threading.Mutex]::new($false, $global:World.mutex) }
                function script:Get-HvTuiActionMutex { [System.Threading.Mutex]::new($false, $global:World.mutex) }
            }
        }
        $arguments = @{}
        foreach ($p in $request.parameters.PSObject.Properties) { $arguments[$p.Name] = $p.Value }
        $command = $request.command
        $answer.lines = @(& $command @arguments)
    } catch {
        $answer.error = "$($_.Exception.Message)`n$($_.ScriptStackTrace)"
    }
    $answer.asked = @($global:Asked)
    $out.WriteLine(($answer | ConvertTo-Json -Compress -Depth 3))
    $out.Flush()
}
