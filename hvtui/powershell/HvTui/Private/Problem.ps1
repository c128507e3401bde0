# Why something could not be read: numbers decide, words are only shown.

$script:DeniedCodes = @('0x80070005', '0x80041003', '0x80041062', '0x80070522')
$script:TimeoutCodes = @('0x800705b4', '0x80041032', '0x80041069', '0x8007071a', '0x80010002', '0x8001011f', '0x80338029')
$script:GoneCodes = @('0x800706ba', '0x800706bb', '0x800706be', '0x800706d9', '0x80041014', '0x80041015', '0x80070426', '0x800713ac', '0x800713ba', '0x80071726', '0x8007138f', '0x8004100a')
$script:MissingCodes = @('0x8004100e', '0x80041010', '0x80041002', '0x80041017', '0x80041058', '0x80070002', '0x80073a9f')

function Get-HvTuiErrorCode {
    <#
    .SYNOPSIS
    Windows' error number behind an error, as 0x and eight digits; empty when there are only .NET's own numbers.
    #>
    param($ErrorRecord)
    # A CimException's HResult says nothing; its number is in the id: HRESULT 0x80041003,Microsoft.Management...
    # and, where another exception wraps it, in its MessageId.
    if ([string]$ErrorRecord.FullyQualifiedErrorId -match 'HRESULT (0x[0-9a-fA-F]{8})') { return $Matches[1].ToLowerInvariant() }
    $last = ''
    $one = $ErrorRecord.Exception
    while ($null -ne $one) {
        if ([string](Get-HvTuiValue -Object $one -Name 'MessageId') -match '^HRESULT (0x[0-9a-fA-F]{8})') { return $Matches[1].ToLowerInvariant() }
        $native = Get-HvTuiValue -Object $one -Name 'NativeErrorCode'
        # A Win32Exception carries the plain number; written as an HRESULT like all others.
        if ($native -is [int] -and $native -gt 0 -and $native -lt 65536) { return '0x8007{0:x4}' -f $native }
        $code = '0x{0:x8}' -f [int]$one.HResult
        # 8013.... says which .NET exception it is; 80004005 says "failed".
        if ($code -eq '0x80004005') { $last = $code } elseif ($code -ne '0x00000000' -and -not $code.StartsWith('0x8013')) { return $code }
        $one = $one.InnerException
    }
    $last
}

function Get-HvTuiProblemKind {
    <#
    .SYNOPSIS
    denied, timeout, unavailable, missing or other.
    #>
    param($ErrorRecord, [string]$Code)
    if ($script:DeniedCodes -contains $Code) { return 'denied' }
    if ($script:TimeoutCodes -contains $Code) { return 'timeout' }
    if ($script:GoneCodes -contains $Code) { return 'unavailable' }
    if ($script:MissingCodes -contains $Code) { return 'missing' }
    $one = $ErrorRecord.Exception
    while ($null -ne $one) {
        # The registry says the second.
        if ($one -is [System.UnauthorizedAccessException] -or $one -is [System.Security.SecurityException]) { return 'denied' }
        if ($one -is [System.TimeoutException]) { return 'timeout' }
        if ($one -is [System.Management.Automation.CommandNotFoundException] -or $one -is [System.MissingMemberException]) { return 'missing' }
        # A CimException names its error instead.
        $native = [string](Get-HvTuiValue -Object $one -Name 'NativeErrorCode')
        if ($native -eq 'AccessDenied') { return 'denied' }
        if ($native -eq 'ServerLimitsExceeded') { return 'timeout' }
        if ('InvalidNamespace', 'InvalidClass', 'NotFound', 'InvalidQuery' -contains $native) { return 'missing' }
        $one = $one.InnerException
    }
    $id = [string]$ErrorRecord.FullyQualifiedErrorId
    if ($id -like 'NoMatchingLogsFound*' -or $id -like 'PropertyNotFoundStrict*' -or $id -like 'Modules_ModuleNotFound*') { return 'missing' }
    'other'
}

function Get-HvTuiProblem {
    <#
    .SYNOPSIS
    A Problem record (JSON) from an error record: part, kind, text, code.
    #>
    param([string]$Part, $ErrorRecord)
    $code = Get-HvTuiErrorCode -ErrorRecord $ErrorRecord
    $kind = Get-HvTuiProblemKind -ErrorRecord $ErrorRecord -Code $code
    Join-HvTuiProblem -Part $Part -Kind $kind -Text $ErrorRecord.Exception.Message -Code $code
}

function Join-HvTuiProblem {
    <#
    .SYNOPSIS
    A Problem record (JSON) from its fields.
    #>
    param([string]$Part, [string]$Kind, [string]$Text, [string]$Code = '')
    $Text = $Text.Trim()
    if ($Text.Length -gt 500) { $Text = $Text.Substring(0, 500) }
    '{"part":' + (ConvertTo-HvTuiString -Value $Part) + ',"kind":"' + $Kind + '","text":' + (ConvertTo-HvTuiString -Value $Text) +
        ',"code":"' + $Code + '"}'
}

function Get-HvTuiAbsence {
    <#
    .SYNOPSIS
    The exception for a class that answered without the instance or property that was asked for.
    #>
    param([string]$Name)
    New-Object -TypeName System.MissingMemberException -ArgumentList "$Name gave no answer to take the value from"
}
