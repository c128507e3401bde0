# Event logs by record position, so that nothing is read twice and a gap is noticed.

function Read-HvTuiEventRecord {
    <#
    .SYNOPSIS
    Get-WinEvent, where no match is an answer and not an error.
    #>
    param([string]$Channel, [string]$XPath, [long]$MaxEvents, [switch]$Newest)
    try {
        if ($Newest) {
            Get-WinEvent -LogName $Channel -FilterXPath $XPath -MaxEvents $MaxEvents
        } else {
            Get-WinEvent -LogName $Channel -FilterXPath $XPath -MaxEvents $MaxEvents -Oldest
        }
    } catch {
        if ($_.FullyQualifiedErrorId -notlike 'NoMatchingEventsFound*') { throw }
    }
}

function Read-HvTuiEventPage {
    <#
    .SYNOPSIS
    Fills a page: how far the log reaches, whether it wrapped, and the events after a position or of the last hours.
    #>
    param([hashtable]$Page, [string]$Channel, [long]$AfterRecord, [int]$Hours, [int]$MaxEvents)
    foreach ($one in Read-HvTuiEventRecord -Channel $Channel -XPath '*' -MaxEvents 1) {
        $Page.Oldest = $one.RecordId
        $Page.OldestTime = $one.TimeCreated
    }
    foreach ($one in Read-HvTuiEventRecord -Channel $Channel -XPath '*' -MaxEvents 1 -Newest) { $Page.Newest = $one.RecordId }
    $Page.Wrapped = $false
    $byTime = $AfterRecord -eq 0
    if ($null -eq $Page.Oldest) {
        # An empty log: everything that was there before is gone.
        $Page.Wrapped = $AfterRecord -gt 0
    } elseif ($byTime) {
        $Page.Wrapped = $Page.Oldest -gt 1
    } elseif ($null -ne $Page.Newest -and $Page.Newest -lt $AfterRecord) {
        # Cleared, and counting from 1 again: what is there now is all new.
        $Page.Wrapped = $true
        $AfterRecord = $Page.Oldest - 1
    } else {
        $Page.Wrapped = $Page.Oldest -gt $AfterRecord + 1
    }
    if ($byTime) {
        $term = 'TimeCreated[timediff(@SystemTime) <= {0}]' -f ([long]$Hours * 3600000)
    } else {
        $term = 'EventRecordID > {0}' -f $AfterRecord
    }
    if ($Channel -eq 'System') {
        $term += " and Provider[@Name='Microsoft-Windows-FailoverClustering' or @Name='volsnap' or @Name='Volsnap']"
    } elseif ($Channel -eq 'Application') {
        $term += " and Provider[@Name='VSS' or @Name='Microsoft-Windows-CAPI2' or @Name='HvTui']"
    }
    $texts = New-Object -TypeName System.Collections.Generic.List[string]
    foreach ($one in Read-HvTuiEventRecord -Channel $Channel -XPath "*[System[$term]]" -MaxEvents ($MaxEvents + 1)) {
        if ($texts.Count -eq $MaxEvents) {
            $Page.More = $true
            break
        }
        $texts.Add((ConvertTo-HvTuiEvent -Channel $Channel -Record $one))
    }
    $Page.Events = $texts
}

function ConvertTo-HvTuiEvent {
    <#
    .SYNOPSIS
    An event as JSON. Hyper-V keeps its values in UserData, others in EventData: both are read, by name or by position.
    #>
    param([string]$Channel, $Record)
    $values = New-Object -TypeName System.Collections.Specialized.OrderedDictionary -ArgumentList ([System.StringComparer]::Ordinal)
    try {
        Read-HvTuiEventData -Values $values -Text $Record.ToXml()
    } catch {
        # An event whose data is no XML is still an event; only its named values are missing.
        $values.Clear()
    }
    $vm = 'null'
    $title = 'null'
    $codes = New-Object -TypeName System.Collections.Generic.List[string]
    $pairs = New-Object -TypeName System.Collections.Generic.List[string]
    foreach ($key in $values.Keys) {
        $value = $values[$key]
        if ($key -eq 'VmId') {
            $id = ConvertTo-HvTuiGuid -Value $value
            if ($null -ne $id) { $vm = '"' + $id + '"' }
        } elseif ($key -eq 'VmName') {
            $title = ConvertTo-HvTuiString -Value $value
        }
        foreach ($code in @(Get-HvTuiEventCode -Name $key -Value $value)) { if ($codes.Count -lt 16 -and -not $codes.Contains($code)) { $codes.Add($code) } }
        $pairs.Add((ConvertTo-HvTuiString -Value $key) + ':' + (ConvertTo-HvTuiString -Value $value))
    }
    $text = [string](Get-HvTuiValue -Object $Record -Name 'Message')
    if ($text.Length -gt 4000) { $text = $text.Substring(0, 4000) }
    $level = $Record.Level
    if ($null -eq $level) { $level = 0 }
    $quoted = foreach ($code in $codes) { '"' + $code + '"' }
    '{"channel":' + (ConvertTo-HvTuiString -Value $Channel) + ',"record":' + (ConvertTo-HvTuiNumber -Value $Record.RecordId) + ',"id":' + (ConvertTo-HvTuiNumber -Value $Record.Id) +
        ',"level":' + (ConvertTo-HvTuiNumber -Value $level) + ',"time":' + (ConvertTo-HvTuiTime -Value $Record.TimeCreated) + ',"provider":' + (ConvertTo-HvTuiString -Value ([string]$Record.ProviderName)) +
        ',"vm":' + $vm + ',"vm_name":' + $title + ',"codes":[' + (@($quoted) -join ',') + '],"data":{' + ($pairs -join ',') + '},"text":' + (ConvertTo-HvTuiString -Value $text) + '}'
}

function Read-HvTuiEventData {
    <#
    .SYNOPSIS
    Named values of EventData and UserData; unnamed ones are numbered. At most 64, each cut at 2,000 characters.
    #>
    param([System.Collections.Specialized.OrderedDictionary]$Values, [string]$Text)
    $document = New-Object -TypeName System.Xml.XmlDocument
    $document.XmlResolver = $null
    $document.LoadXml($Text)
    $number = 0
    foreach ($part in $document.DocumentElement.ChildNodes) {
        $nodes = $null
        if ($part.LocalName -eq 'EventData') {
            $nodes = $part.ChildNodes
        } elseif ($part.LocalName -eq 'UserData' -and $null -ne $part.FirstChild) {
            $nodes = $part.FirstChild.ChildNodes
        } else {
            continue
        }
        foreach ($node in $nodes) {
            if ($node -isnot [System.Xml.XmlElement] -or $Values.Count -ge 64) { continue }
            $name = $node.LocalName
            if ($name -eq 'Binary') {
                $written = ConvertFrom-HvTuiBinary -Value $node.InnerText
                if ($written) { $Values['Binary'] = $written }
                continue
            }
            if ($part.LocalName -eq 'EventData') {
                $number++
                $name = $node.GetAttribute('Name')
                if (-not $name) { $name = $number.ToString($script:Invariant) }
            }
            $value = $node.InnerText
            if ($value.Length -gt 2000) { $value = $value.Substring(0, 2000) }
            $Values[$name] = $value
        }
    }
}

function ConvertFrom-HvTuiBinary {
    <#
    .SYNOPSIS
    The text in the binary data of an error of VSS: its process, and the account and SID that runs as; else nothing.
    .DESCRIPTION
    It begins with "- Code: " in every language; an account whose name is not ASCII ends it early.
    #>
    param([string]$Value)
    if ($Value -notmatch '\A2D20436F64653A20(?:[0-9A-F]{2})*\z') { return }
    $out = New-Object -TypeName System.Text.StringBuilder
    for ($i = 0; $i -lt $Value.Length -and $i -lt 4000; $i += 2) {
        $code = [System.Convert]::ToInt32($Value.Substring($i, 2), 16)
        if ($code -lt 0x20 -or $code -gt 0x7e) { break }
        [void]$out.Append([char]$code)
    }
    $out.ToString().TrimEnd()
}

function Get-HvTuiEventCode {
    <#
    .SYNOPSIS
    The error codes in one value: 0x8..., %%number, or the plain number of a value that is named for a code.
    #>
    param([string]$Name, [string]$Value)
    foreach ($match in [regex]::Matches($Value, '0x([0-9a-fA-F]{8})(?![0-9a-fA-F])')) { '0x' + $match.Groups[1].Value.ToLowerInvariant() }
    foreach ($match in [regex]::Matches($Value, '%%(\d{1,10})')) {
        $number = [long]$match.Groups[1].Value
        if ($number -gt 0 -and $number -le 4294967295) { '0x{0:x8}' -f $number }
    }
    if ($Name -like '*ErrorCode' -and $Value -match '^-?\d{1,10}$') {
        $number = [long]$Value
        if ($number -lt 0) { $number += 4294967296 }
        if ($number -gt 0 -and $number -le 4294967295) { '0x{0:x8}' -f $number }
    }
}
