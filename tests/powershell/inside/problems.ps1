function Get-Record($Exception, $Id = 'x', $Target = $null) { [System.Management.Automation.ErrorRecord]::new($Exception, $Id, 'NotSpecified', $Target) }
$codes = '80070005 80041003 80041062 80070522 800705b4 80041032 80041069 8007071a 80010002 8001011f 80338029 800706ba 800706bb 800706be 800706d9 80041014 80041015 80070426 800713ac 800713ba 80071726 8007138f 8004100a 8004100e 80041010 80041002 80041017 80041058 80070002 80073a9f 80004005 80131500 80041001 00000000'
foreach ($code in $codes.Split(' ')) {
    $e = [Exception]::new("  text $code ")
    $e.HResult = [System.Convert]::ToInt32($code, 16)
    Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record $e)
    Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record ([Exception]::new('word')) "HRESULT 0x$($code.ToUpperInvariant()),Microsoft.Management")
}
$inner = [System.ComponentModel.Win32Exception]::new(5, 'inner')
$outer = [InvalidOperationException]::new('outer', $inner)
Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record $outer)
foreach ($number in 0, 1, 65535, 65536, -1) { Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record ([System.ComponentModel.Win32Exception]::new($number, 'w'))) }
foreach ($e in [UnauthorizedAccessException]::new('u'), [TimeoutException]::new('t'), [System.Management.Automation.CommandNotFoundException]::new('c'), [MissingMemberException]::new('m'), [ArgumentException]::new('a')) {
    Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record $e)
    Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record ([InvalidOperationException]::new('wrapped', $e)))
}
foreach ($id in 'NoMatchingLogsFound,x', 'PropertyNotFoundStrict,x', 'PropertyNotFoundStrict', 'Modules_ModuleNotFound,x', 'Other') { Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record ([Exception]::new('i')) $id) }
# What a CimException shows, which this engine has not: an error's name, and the number in MessageId.
foreach ($name in 'AccessDenied', 'ServerLimitsExceeded', 'InvalidNamespace', 'InvalidClass', 'NotFound', 'InvalidQuery', 'Failed') {
    $e = [Exception]::new("cim $name") | Add-Member -PassThru -NotePropertyName NativeErrorCode -NotePropertyValue $name
    Get-HvTuiProblem -Part 'p' -ErrorRecord ([pscustomobject]@{ Exception = $e; FullyQualifiedErrorId = 'x' })
}
$e = [Exception]::new('cim') | Add-Member -PassThru -NotePropertyName MessageId -NotePropertyValue 'HRESULT 0x8004100E'
Get-HvTuiProblem -Part 'p' -ErrorRecord ([pscustomobject]@{ Exception = $e; FullyQualifiedErrorId = 'x' })
Join-HvTuiProblem -Part 'p"' -Kind 'other' -Text ('x' * 500)
Join-HvTuiProblem -Part $null -Kind 'other' -Text ('x' * 501) -Code '0x1'
Get-HvTuiProblem -Part 'p' -ErrorRecord (Get-Record (Get-HvTuiAbsence -Name 'Class'))
