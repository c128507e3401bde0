# A stream: sources are read when they are due, sections are compared with what was sent, a frame says the difference.
#
# A source is one bulk question to Windows. It has a period, and is asked no sooner than thirty times its own last cost
# after the last time: the round with it is followed by a wait of nine times its cost, and the cheap questions must get
# most of the time that is left. Sources behind the same provider share a
# guard: when one runs into its deadline, the others are not asked in vain, and the provider is left alone for a while.

$script:HoldSeconds = 10
$script:FirstRestMs = 30000

function Get-HvTuiStream {
    <#
    .SYNOPSIS
    The state of a new stream. Sources: Name, Part (of its Problem), Reader (function), Guard, Period (seconds), Slow.
    Section: the sections in their order; Single: those that are one record.
    #>
    param([object[]]$Source, [string[]]$Section, [string[]]$Single)
    foreach ($one in $Source) {
        $one.Due = [double]0
        $one.Fresh = $false
        $one.Urgent = $false
    }
    @{
        Source   = $Source
        Section  = $Section
        Single   = $Single
        First    = $true
        Seq      = 0
        Data     = @{}
        Base     = @{}
        Problem  = New-Object -TypeName System.Collections.Specialized.OrderedDictionary
        Sent     = ''
        Hold     = @{}
        Blind    = @()
        HoldFor  = @{}
        Waited   = [double]0
        Writing  = [double]0
        Name     = New-Object -TypeName 'System.Collections.Generic.Dictionary[string,string]' -ArgumentList ([System.StringComparer]::Ordinal)
        Node     = Get-HvTuiNodeName
        Now      = Get-HvTuiNow
    }
}

function Get-HvTuiSource {
    <#
    .SYNOPSIS
    A source of a stream.
    #>
    param([string]$Name, [string]$Part, [string]$Reader, [string]$Guard = '', [double]$Period = 0, [switch]$Slow)
    @{ Name = $Name; Part = $Part; Reader = $Reader; Guard = $Guard; Period = $Period; Slow = [bool]$Slow }
}

function Invoke-HvTuiSource {
    <#
    .SYNOPSIS
    Asks the sources that are due. After the first round at most one slow one a round, the longest overdue.
    #>
    param([hashtable]$Stream)
    $Stream.Now = Get-HvTuiNow
    $Stream.Waited = [double]0
    $Stream.Blind = @()
    $blind = ''
    $started = Get-HvTuiElapsed
    $slow = $null
    foreach ($one in $Stream.Source) {
        $one.Fresh = $false
        if ($one.Slow -and $one.Due -le $started -and ($null -eq $slow -or $one.Due -lt $slow.Due)) { $slow = $one }
    }
    foreach ($one in $Stream.Source) {
        if ($one.Due -gt $started -and -not $one.Urgent) { continue }
        $before = Get-HvTuiElapsed
        if ($Stream.Blind -contains $one.Name) {
            $Stream.Data[$one.Name] = $null
            $Stream.Problem[$one.Part] = $blind.Replace('"part":null', '"part":' + (ConvertTo-HvTuiString -Value $one.Part))
            continue
        }
        if ($one.Guard -and $Stream.Hold.ContainsKey($one.Guard) -and $Stream.Hold[$one.Guard] -gt $before) {
            # The provider just let another question run out; what it said there holds for this one.
            $Stream.Data[$one.Name] = $null
            $Stream.Problem[$one.Part] = $Stream.HoldFor[$one.Guard].Replace('"part":null', '"part":' + (ConvertTo-HvTuiString -Value $one.Part))
            continue
        }
        # Whatever cannot be asked now says so at once, also when it is not its turn.
        if ($one.Slow -and -not $one.Urgent -and -not $Stream.First -and -not [object]::ReferenceEquals($one, $slow)) { continue }
        $one.Urgent = $false
        $waited = $Stream.Waited
        try {
            $Stream.Data[$one.Name] = & $one.Reader $Stream
            $one.Fresh = $true
            if ($Stream.Problem.Contains($one.Part)) { $Stream.Problem.Remove($one.Part) }
        } catch {
            $Stream.Data[$one.Name] = $null
            $problem = Get-HvTuiProblem -Part $one.Part -ErrorRecord $_
            $Stream.Problem[$one.Part] = $problem
            if ($Stream.Blind.Count) { $blind = $problem.Replace('"part":' + (ConvertTo-HvTuiString -Value $one.Part), '"part":null') }
            if ($problem.Contains(',"kind":"timeout",')) {
                # Waiting costs the node nothing; it must not count as work done there.
                $Stream.Waited += (Get-HvTuiElapsed) - $before
                if ($one.Guard) {
                    $Stream.Hold[$one.Guard] = (Get-HvTuiElapsed) + $script:HoldSeconds
                    $Stream.HoldFor[$one.Guard] = $problem.Replace('"part":' + (ConvertTo-HvTuiString -Value $one.Part), '"part":null')
                }
            }
        }
        $after = Get-HvTuiElapsed
        # What belongs to every round is read in every round; the wait between rounds keeps the share of time.
        $one.Due = [double]0
        if ($one.Period) { $one.Due = $after + [System.Math]::Max($one.Period, 30 * ($after - $before - $Stream.Waited + $waited)) }
    }
}

function Test-HvTuiSource {
    <#
    .SYNOPSIS
    Whether a source was read in this round; else what it gave, if anything, stands from an earlier one.
    #>
    param([hashtable]$Stream, [string]$Name)
    foreach ($one in $Stream.Source) {
        if ($one.Name -eq $Name) { return $one.Fresh }
    }
    $false
}

function Request-HvTuiSource {
    <#
    .SYNOPSIS
    Makes a source due now, or in the next round when its turn is over: something new belongs into the message.
    #>
    param([hashtable]$Stream, [string]$Name)
    foreach ($one in $Stream.Source) {
        if ($one.Name -eq $Name) { $one.Urgent = $true }
    }
}

function Get-HvTuiSection {
    <#
    .SYNOPSIS
    An empty section: the ids in order, and the JSON text of each.
    #>
    @{
        Id   = New-Object -TypeName System.Collections.Generic.List[string]
        Text = New-Object -TypeName 'System.Collections.Generic.Dictionary[string,string]' -ArgumentList ([System.StringComparer]::Ordinal)
    }
}

function Add-HvTuiSection {
    <#
    .SYNOPSIS
    Builds a section and keeps it; a builder that fails costs this section its news and no other.
    #>
    param([hashtable]$Stream, [hashtable]$Section, [string]$Name, [string]$Builder)
    $key = 'build ' + $Name
    try {
        $made = & $Builder -Stream $Stream
        if ($null -ne $made) { $Section[$Name] = $made }
        if ($Stream.Problem.Contains($key)) { $Stream.Problem.Remove($key) }
    } catch {
        $Stream.Problem[$key] = Get-HvTuiProblem -Part $Name -ErrorRecord $_
    }
}

function Test-HvTuiFull {
    <#
    .SYNOPSIS
    Whether the next message must be a full one: the first, or one with a section that was never read before. Only a
    full message can say that what the client kept of that section from an earlier stream is gone.
    #>
    param([hashtable]$Stream, [hashtable]$Section)
    if ($Stream.First) { return $true }
    foreach ($name in $Section.Keys) {
        if (-not $Stream.Base.ContainsKey($name)) { return $true }
    }
    $false
}

function Join-HvTuiFrame {
    <#
    .SYNOPSIS
    The next message. Section: name to section; one that is missing was not read now and stays as it was.
    #>
    param([hashtable]$Stream, [hashtable]$Section, [string]$Load, [bool]$Full, [double]$Cost, [double]$Wait)
    $parts = New-Object -TypeName System.Collections.Generic.List[string]
    $gone = New-Object -TypeName System.Collections.Generic.List[string]
    foreach ($name in $Stream.Section) {
        if (-not $Section.ContainsKey($name)) { continue }
        $new = $Section[$name]
        if (-not $Full) {
            $texts = $new.Text
            $old = $Stream.Base[$name].Text
            $changed = New-Object -TypeName System.Collections.Generic.List[string]
            foreach ($id in $new.Id) {
                $text = $texts[$id]
                if (-not $old.ContainsKey($id) -or -not [string]::Equals($old[$id], $text)) { $changed.Add($text) }
            }
            if ($changed.Count) { $parts.Add((Join-HvTuiSection -Stream $Stream -Name $name -Text $changed)) }
            $lost = foreach ($id in $Stream.Base[$name].Id) {
                if (-not $texts.ContainsKey($id)) { ConvertTo-HvTuiString -Value $id }
            }
            if ($null -ne $lost) { $gone.Add('"' + $name + '":[' + (@($lost) -join ',') + ']') }
        }
        $Stream.Base[$name] = $new
    }
    if ($Full) {
        # What stands from an earlier round belongs to the whole picture too.
        foreach ($name in $Stream.Section) {
            if (-not $Stream.Base.ContainsKey($name)) { continue }
            $texts = New-Object -TypeName System.Collections.Generic.List[string]
            foreach ($id in $Stream.Base[$name].Id) { $texts.Add($Stream.Base[$name].Text[$id]) }
            $parts.Add((Join-HvTuiSection -Stream $Stream -Name $name -Text $texts))
        }
    }
    if ($Load) { $parts.Add('"load":' + $Load) }
    if ($gone.Count) { $parts.Add('"gone":{' + ($gone -join ',') + '}') }
    $errors = '[' + (@($Stream.Problem.Values) -join ',') + ']'
    if ($Full -or -not [string]::Equals($errors, $Stream.Sent)) {
        $parts.Add('"errors":' + $errors)
        $Stream.Sent = $errors
    }
    $kind = 'delta'
    if ($Full) { $kind = 'full' } elseif ($parts.Count -eq 0) { $kind = 'beat' }
    $Stream.Seq++
    $Stream.First = $false
    $head = '{"v":1,"kind":"' + $kind + '","seq":' + $Stream.Seq + ',"time":' + (ConvertTo-HvTuiTime -Value $Stream.Now)
    $head += ',"tick_ms":' + [int]$Cost + ',"interval_ms":' + [int]$Wait + ',' + (Join-HvTuiCost)
    if ($parts.Count) { $head += ',' + ($parts -join ',') }
    $head + '}'
}

function Join-HvTuiSection {
    <#
    .SYNOPSIS
    A section of a message: one record, or a list of them.
    #>
    param([hashtable]$Stream, [string]$Name, [System.Collections.Generic.List[string]]$Text)
    if ($Stream.Single -contains $Name) { return '"' + $Name + '":' + $Text[0] }
    '"' + $Name + '":[' + ($Text -join ',') + ']'
}

function Measure-HvTuiWait {
    <#
    .SYNOPSIS
    Milliseconds until the next round: the asked interval, or longer when a round costs more than a tenth of the time.
    First: whether it was the stream's first round, which asks everything, and cold, and so says little about the next.
    #>
    param([double]$Cost, [double]$Waited, [int]$IntervalMs, [bool]$First)
    $rest = 9 * ($Cost - $Waited)
    if ($First) { $rest = [System.Math]::Min($rest, $script:FirstRestMs) }
    [System.Math]::Round([System.Math]::Max([System.Math]::Max($IntervalMs - $Cost, $rest), 50))
}
