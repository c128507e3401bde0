# Who may take part in VSS: the values of one registry key, each named after an account.

# 0 denied, 1 writer, 2 requester, 3 both (Win32: security considerations for writers and for requesters).
$script:VssAccessKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\VSS\VssAccessControl'
# To these VSS gives their rights by itself, entry or not; Windows ships an entry for NetworkService, spelt without a
# blank. Entries of theirs are Windows' own: a wrong one hides System Writer (Microsoft, KB 2009272).
$script:OwnSids = @('S-1-5-18', 'S-1-5-19', 'S-1-5-20', 'S-1-5-32-544', 'S-1-5-32-551')
$script:OwnNames = @('ntauthority\system', 'ntauthority\localservice', 'ntauthority\networkservice', 'builtin\administrators', 'builtin\backupoperators')
# What may be admitted: an account or group that people made in a domain or on a machine, its Administrator, a service's
# own account and an application pool's. All else stands for everybody of a kind: Everyone (S-1-1-0), Authenticated Users
# (S-1-5-11), Users (S-1-5-32-545), Domain Users (S-1-5-21-...-513), Guest (-501), ALL SERVICES (S-1-5-80-0) and their kin.
$script:SingleSid = '^S-1-5-(21(-[0-9]+){3}-(500|[1-9][0-9]{3,})|8[02](-[0-9]+){5})$'
# The accounts that the service control manager gives to services by itself.
$script:ServiceNames = @('', 'localsystem', 'ntauthority\system', 'ntauthority\localservice', 'ntauthority\networkservice')
$script:ResolveSeconds = 10

function Read-HvTuiVssAccessKey {
    <#
    .SYNOPSIS
    The key; nothing when it is not there.
    #>
    try {
        Get-Item -LiteralPath $script:VssAccessKey
    } catch {
        if ($_.FullyQualifiedErrorId -notlike 'PathNotFound*') { throw }
    }
}

function Get-HvTuiVssAccessRight {
    <#
    .SYNOPSIS
    The right that a value of the key grants; nothing when it is none of the four numbers.
    #>
    param($Key, [string]$Name)
    if ([string]$Key.GetValueKind($Name) -ne 'DWord') { return }
    $value = [long]$Key.GetValue($Name)
    if ($value -ge 0 -and $value -le 3) { $value }
}

function Get-HvTuiVssAccessEntry {
    <#
    .SYNOPSIS
    What an account's entry says: its right, -1 when there is none, nothing when it says something else. Names know no case.
    #>
    param($Key, [string]$Account)
    foreach ($name in $Key.GetValueNames()) {
        if ([string]::Equals($name, $Account, [System.StringComparison]::OrdinalIgnoreCase)) { return Get-HvTuiVssAccessRight -Key $Key -Name $name }
    }
    -1
}

function Resolve-HvTuiAccount {
    <#
    .SYNOPSIS
    The SID of an account, as this node finds it; empty when the name stands for nobody.
    #>
    param([string]$Name)
    # NTAccount takes no other length, and says so before it looks anything up.
    if ($Name.Length -lt 1 -or $Name.Length -gt 256) { return '' }
    try {
        [string](Get-HvTuiAccountSid -Name $Name)
    } catch {
        $one = $_.Exception
        while ($null -ne $one -and $one.GetType().Name -ne 'IdentityNotMappedException') { $one = $one.InnerException }
        if ($null -eq $one) { throw }
        ''
    }
}

function Get-HvTuiPlainName {
    <#
    .SYNOPSIS
    The name of an account without blanks, in lower case: Windows itself writes some with blanks and without.
    #>
    param([string]$Name)
    ($Name -replace '\s', '').ToLowerInvariant()
}

function Test-HvTuiVssAccountFree {
    <#
    .SYNOPSIS
    Whether an account's entry is none of Windows' own; refuses the action when it is.
    #>
    param([hashtable]$Action, [string]$Account, [string]$Sid)
    if ($script:OwnSids -contains $Sid -or $script:OwnNames -contains (Get-HvTuiPlainName -Name $Account)) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "the entry of '$Account' is Windows' own"
        return $false
    }
    $true
}

function Read-HvTuiVssAccessAction {
    <#
    .SYNOPSIS
    The SID of an account (empty: nobody's) when its entry is as the plan saw it and not Windows' own; else nothing.
    #>
    param([hashtable]$Action, [string]$Account, [int]$ExpectValue)
    $Action.Part = 'access'
    $key = Read-HvTuiVssAccessKey
    if ($null -eq $key) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.key' -Text "there is no key $script:VssAccessKey"
        return
    }
    $found = Get-HvTuiVssAccessEntry -Key $key -Account $Account
    $Action.Before['value'] = $found
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'value' -Expected $ExpectValue -Found $found)) { return }
    $Action.Part = 'account'
    $sid = Resolve-HvTuiAccount -Name $Account
    $Action.Before['sid'] = $sid
    if (Test-HvTuiVssAccountFree -Action $Action -Account $Account -Sid $sid) { $sid }
}

function Read-HvTuiVssAccessAfter {
    <#
    .SYNOPSIS
    What the entry says after the command.
    #>
    param([hashtable]$Action, [string]$Account)
    $key = Read-HvTuiVssAccessKey
    if ($null -ne $key) { $Action.After['value'] = Get-HvTuiVssAccessEntry -Key $key -Account $Account }
}

function Invoke-HvTuiVssAccessSet {
    <#
    .SYNOPSIS
    Set-HvTuiVssAccess, inside the node's mutex.
    #>
    param([hashtable]$Action, [hashtable]$Wish)
    $account = $Wish.Account
    $value = $Wish.Value
    $sid = Read-HvTuiVssAccessAction -Action $Action -Account $account -ExpectValue $Wish.ExpectValue
    if ($null -eq $sid) { return }
    if (-not $sid) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.account' -Text "$($Action.Node) finds no account '$account'"
        return
    }
    if ($sid -cnotmatch $script:SingleSid) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "'$account' ($sid) stands for many: it is not admitted to VSS"
        return
    }
    if ($value -eq 0 -and -not $Wish.Undo) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text 'an account is denied only where that is what it was before'
        return
    }
    # PowerShell takes typographic quotes for quotes, too.
    $shown = [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($account)
    $taken = Invoke-HvTuiCommand -Action $Action -Command "New-ItemProperty -LiteralPath '$script:VssAccessKey' -Name '$shown' -Value $value -PropertyType DWord -Force" -Block {
        $null = New-ItemProperty -LiteralPath $script:VssAccessKey -Name $account -Value $value -PropertyType DWord -Force
    }
    if ($taken) { $Action.Outcome = 'done' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiVssAccessAfter -Action $Action -Account $account }
}

function Invoke-HvTuiVssAccessRemove {
    <#
    .SYNOPSIS
    Remove-HvTuiVssAccess, inside the node's mutex. Of an account that is gone only the name is left: it is removed too.
    #>
    param([hashtable]$Action, [hashtable]$Wish)
    $account = $Wish.Account
    if ($null -eq (Read-HvTuiVssAccessAction -Action $Action -Account $account -ExpectValue $Wish.ExpectValue)) { return }
    # PowerShell takes typographic quotes for quotes, too.
    $shown = [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($account)
    # With -LiteralPath the name is no wildcard either.
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Remove-ItemProperty -LiteralPath '$script:VssAccessKey' -Name '$shown'" -Block {
        Remove-ItemProperty -LiteralPath $script:VssAccessKey -Name $account
    }
    if ($taken) { $Action.Outcome = 'done' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiVssAccessAfter -Action $Action -Account $account }
}

function Read-HvTuiVssAccessEntry {
    <#
    .SYNOPSIS
    Every value of the key as JSON. Names that nobody could look up in time have no SID: the problem says so.
    #>
    param($Key, [System.Collections.Generic.List[string]]$Problem)
    $end = (Get-HvTuiElapsed) + $script:ResolveSeconds
    $asking = $true
    foreach ($name in $Key.GetValueNames()) {
        $sid = $null
        # A domain that does not answer answers no name: it is not asked again.
        if ($asking) {
            try {
                $sid = Resolve-HvTuiAccount -Name $name
                if ((Get-HvTuiElapsed) -gt $end) { throw (New-Object -TypeName System.TimeoutException -ArgumentList "accounts took more than $script:ResolveSeconds s to look up") }
            } catch {
                $asking = $false
                $Problem.Add((Get-HvTuiProblem -Part 'entries.sid' -ErrorRecord $_))
            }
        }
        '{"account":' + (ConvertTo-HvTuiString -Value $name) + ',"value":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiVssAccessRight -Key $Key -Name $name)) +
            ',"sid":' + (ConvertTo-HvTuiString -Value $sid) + '}'
    }
}

function Read-HvTuiServiceAccount {
    <#
    .SYNOPSIS
    The services that run as somebody of their own, as JSON.
    #>
    foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_Service' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'DisplayName', 'StartName', 'State') {
        if ($script:ServiceNames -contains (Get-HvTuiPlainName -Name $one.StartName)) { continue }
        '{"name":' + (ConvertTo-HvTuiString -Value $one.Name) + ',"display":' + (ConvertTo-HvTuiString -Value $one.DisplayName) +
            ',"account":' + (ConvertTo-HvTuiString -Value $one.StartName) + ',"state":' + (ConvertTo-HvTuiString -Value $one.State) + '}'
    }
}
