# JSON text, written by hand: ConvertTo-Json differs between engines and costs more than everything else in a tick.
# These three hold for every function of the module, in both its forms (installed, or sent as one text).
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$script:Invariant = [System.Globalization.CultureInfo]::InvariantCulture
$script:TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"
# What needs a look at each character; quotes and backslashes do not.
$script:Hard = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList '[\u0000-\u001f\ud800-\udfff]'

function ConvertTo-HvTuiString {
    <#
    .SYNOPSIS
    A JSON string with its quotes, or null. Half a surrogate pair becomes U+FFFD: no decoder takes it.
    #>
    param($Value)
    if ($null -eq $Value) { return 'null' }
    $text = [string]$Value
    if (-not $script:Hard.IsMatch($text)) {
        return '"' + $text.Replace('\', '\\').Replace('"', '\"') + '"'
    }
    $out = New-Object -TypeName System.Text.StringBuilder -ArgumentList ($text.Length + 16)
    [void]$out.Append('"')
    for ($i = 0; $i -lt $text.Length; $i++) {
        $char = $text[$i]
        $code = [int]$char
        if ($code -lt 0x20) {
            [void]$out.Append('\u').Append($code.ToString('x4', $script:Invariant))
        } elseif ($code -eq 0x22 -or $code -eq 0x5c) {
            [void]$out.Append('\').Append($char)
        } elseif ($code -lt 0xd800 -or $code -gt 0xdfff) {
            [void]$out.Append($char)
        } elseif ($code -le 0xdbff -and $i + 1 -lt $text.Length -and [char]::IsLowSurrogate($text[$i + 1])) {
            [void]$out.Append($char).Append($text[$i + 1])
            $i++
        } else {
            [void]$out.Append([char]0xfffd)
        }
    }
    [void]$out.Append('"')
    $out.ToString()
}

function ConvertTo-HvTuiNumber {
    <#
    .SYNOPSIS
    A JSON integer, or null. An enum gives its number; 4294967295, which WMI shows for -1, gives -1.
    #>
    param($Value)
    if ($null -eq $Value) { return 'null' }
    if ($Value -is [enum]) { $Value = [System.Convert]::ToInt64($Value, $script:Invariant) }
    $number = [decimal]$Value
    if ($number -eq 4294967295) { return '-1' }
    [decimal]::Truncate($number).ToString($script:Invariant)
}

function ConvertTo-HvTuiBoolean {
    <#
    .SYNOPSIS
    true, false, or null.
    #>
    param($Value)
    if ($null -eq $Value) { return 'null' }
    if ($Value) { 'true' } else { 'false' }
}

function ConvertTo-HvTuiTime {
    <#
    .SYNOPSIS
    A time as UTC with milliseconds, or null. A time before 1990 is how Windows writes never.
    #>
    param($Value)
    if ($Value -isnot [datetime] -or $Value.Year -lt 1990) { return 'null' }
    '"' + $Value.ToUniversalTime().ToString($script:TimeFormat, $script:Invariant) + '"'
}

function ConvertTo-HvTuiList {
    <#
    .SYNOPSIS
    A JSON list of strings, or null.
    #>
    param($Value)
    if ($null -eq $Value) { return 'null' }
    $texts = foreach ($one in $Value) { ConvertTo-HvTuiString -Value $one }
    '[' + (@($texts) -join ',') + ']'
}

function ConvertTo-HvTuiGuid {
    <#
    .SYNOPSIS
    The first GUID in a text, lower case without braces; nothing when there is none.
    #>
    param($Value)
    if ([string]$Value -match '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') { $Matches[0].ToLowerInvariant() }
}

function Join-HvTuiCost {
    <#
    .SYNOPSIS
    The member of every answer that says what this session has cost: cpu_ms, null when that cannot be told.
    #>
    $spent = $null
    try {
        $spent = Get-HvTuiProcessorTime
    } catch {
        $spent = $null
    }
    '"cpu_ms":' + (ConvertTo-HvTuiNumber -Value $spent)
}

function Get-HvTuiValue {
    <#
    .SYNOPSIS
    A property that an older Windows may not have; nothing when it is absent.
    #>
    param($Object, [string]$Name)
    if ($null -eq $Object) { return }
    $property = $Object.PSObject.Properties[$Name]
    if ($null -ne $property) { $property.Value }
}
