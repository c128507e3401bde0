# What a guest's CimException shows, which this engine has not: an error's name. Beside it HResults and types.
function Show-Problem([string]$Native, [int]$Number, [string]$Type, [string]$Id) {
    ConvertTo-HvTuiGuestProblem -Record ([pscustomobject]@{ Kind = 'problem'; Part = 'volumes'; Text = "text $Native"; Id = $Id; Number = $Number; Native = $Native; Type = $Type })
}
foreach ($native in '', 'AccessDenied', 'ServerLimitsExceeded', 'InvalidNamespace', 'InvalidClass', 'NotFound', 'InvalidQuery', 'Failed') { Show-Problem $native -2146233088 'x' 'x' }
foreach ($type in 'System.UnauthorizedAccessException', 'System.TimeoutException', 'System.Exception') { Show-Problem '' 0 $type 'x' }
foreach ($code in '80070005', '80041069', '800706ba', '8004100e', '80041001', '80004005', '80131501') { Show-Problem '' ([System.Convert]::ToInt32($code, 16)) 'x' 'x' }
# The code in the id is the one that counts, whatever the number.
Show-Problem 'Failed' -2146233088 'x' 'HRESULT 0x80041003,Microsoft.Management'
Show-Problem '' -2147024891 'x' 'HRESULT 0x8004100E,x'
