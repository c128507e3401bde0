# Signs that the fork of a checkpoint was not committed: such a VM loses data when it is moved or restarted.

$script:ForkCodes = @('0x80048102', '0x800480bd', '0x800480bc', '0x800703ee')
# The same in every form in which an event may carry them: digits of the HRESULT, and the number with and without sign.
$script:ForkText = New-Object -TypeName System.Text.RegularExpressions.Regex -ArgumentList '80048102|800480bd|800480bc|800703ee|2147778818|2147778749|2147778748|2147943406|-2147188478|-2147188547|-2147188548|-2147023890', 'IgnoreCase, CultureInvariant'
$script:ForkRecords = 20000

function Read-HvTuiForkSign {
    <#
    .SYNOPSIS
    All signs in one log, oldest first, and how far back it was searched.
    .DESCRIPTION
    Event 3216 is found by the log service in the whole log. A code inside the data cannot be asked for: the records are
    looked through, the newest first, at most 20,000 of them.
    #>
    param([string]$Channel)
    $search = @{ Channel = $Channel; Oldest = $null; Wrapped = $false; Sign = New-Object -TypeName System.Collections.Generic.List[string] }
    foreach ($one in Read-HvTuiEventRecord -Channel $Channel -XPath '*' -MaxEvents 1) {
        $search.Oldest = $one.TimeCreated
        $search.Wrapped = $one.RecordId -gt 1
    }
    $found = @{}
    foreach ($one in Read-HvTuiEventRecord -Channel $Channel -XPath '*[System[EventID=3216]]' -MaxEvents $script:ForkRecords -Newest) { $found[[long]$one.RecordId] = $one }
    $count = 0
    foreach ($one in Read-HvTuiEventRecord -Channel $Channel -XPath '*' -MaxEvents $script:ForkRecords -Newest) {
        $count++
        $last = $one
        if ($found.ContainsKey([long]$one.RecordId)) { continue }
        if ($script:ForkText.IsMatch($one.ToXml())) { $found[[long]$one.RecordId] = $one }
    }
    if ($count -eq $script:ForkRecords) {
        # Older records were not looked through.
        $search.Oldest = $last.TimeCreated
        $search.Wrapped = $true
    }
    foreach ($record in ($found.Keys | Sort-Object)) {
        $text = ConvertTo-HvTuiForkSign -Channel $Channel -Record $found[$record]
        if ($text) { $search.Sign.Add($text) }
    }
    $search
}

function ConvertTo-HvTuiForkSign {
    <#
    .SYNOPSIS
    An event as a sign, JSON; nothing when the digits in it were no error code.
    #>
    param([string]$Channel, $Record)
    $values = New-Object -TypeName System.Collections.Specialized.OrderedDictionary -ArgumentList ([System.StringComparer]::Ordinal)
    try {
        Read-HvTuiEventData -Values $values -Text $Record.ToXml()
    } catch {
        $values.Clear()
    }
    $vm = ''
    $code = ''
    foreach ($key in $values.Keys) {
        if ($key -eq 'VmId') {
            $id = ConvertTo-HvTuiGuid -Value $values[$key]
            if ($null -ne $id) { $vm = $id }
        }
        foreach ($one in @(Get-HvTuiEventCode -Name $key -Value $values[$key])) { if (-not $code -and $script:ForkCodes -contains $one) { $code = $one } }
    }
    if ($Record.Id -ne 3216 -and -not $code) { return }
    '{"vm":' + (ConvertTo-HvTuiString -Value $vm) + ',"channel":' + (ConvertTo-HvTuiString -Value $Channel) + ',"record":' + (ConvertTo-HvTuiNumber -Value $Record.RecordId) +
        ',"id":' + (ConvertTo-HvTuiNumber -Value $Record.Id) + ',"time":' + (ConvertTo-HvTuiTime -Value $Record.TimeCreated) + ',"code":"' + $code + '"}'
}
