# What all functions that change something share: they read again what the plan saw, refuse on any difference, write a
# record for others, run one command of Windows, and say what became of it.

# Windows' record of a change: one id for each function.
$script:RecordId = @{
    'Move-HvTuiVM' = 4101; 'Stop-HvTuiMove' = 4102; 'Suspend-HvTuiNode' = 4103; 'Resume-HvTuiNode' = 4104
    'Stop-HvTuiService' = 4105; 'Start-HvTuiService' = 4106; 'Move-HvTuiCsv' = 4107; 'Set-HvTuiCheckpointType' = 4108
    'New-HvTuiCheckpoint' = 4109; 'Restore-HvTuiCheckpoint' = 4110; 'Remove-HvTuiCheckpoint' = 4111; 'Start-HvTuiVM' = 4112
    'Set-HvTuiVssAccess' = 4113; 'Remove-HvTuiVssAccess' = 4114
}

function Get-HvTuiAction {
    <#
    .SYNOPSIS
    A new action: nothing was read, nothing was done.
    #>
    param([string]$Function, [string]$OperationId, [string]$Actor)
    @{
        Function  = $Function
        Operation = $OperationId.ToLowerInvariant()
        Actor     = $Actor
        Node      = Get-HvTuiNodeName
        Outcome   = 'refused'
        Rule      = ''
        Text      = ''
        Code      = ''
        Before    = New-Object -TypeName System.Collections.Specialized.OrderedDictionary
        After     = New-Object -TypeName System.Collections.Specialized.OrderedDictionary
        # What is read at this moment; empty while Windows' command runs.
        Part      = ''
        Command   = ''
        Recorded  = $null
        Problem   = New-Object -TypeName System.Collections.Generic.List[string]
    }
}

function Deny-HvTuiAction {
    <#
    .SYNOPSIS
    Ends an action before anything was done.
    #>
    param([hashtable]$Action, [string]$Rule, [string]$Text)
    $Action.Rule = $Rule
    $Action.Text = $Text
}

function Test-HvTuiExpectation {
    <#
    .SYNOPSIS
    Whether something is as the plan saw it; refuses the action when it is not.
    #>
    param([hashtable]$Action, [string]$Name, [string]$Expected, [string]$Found)
    if ([string]::Equals($Expected, $Found, [System.StringComparison]::OrdinalIgnoreCase)) { return $true }
    Deny-HvTuiAction -Action $Action -Rule "expect.$Name" -Text "$Name is '$Found', the plan saw '$Expected'"
    $false
}

function Resolve-HvTuiActionError {
    <#
    .SYNOPSIS
    What an error means for an action: something could not be read, or Windows' command said no.
    #>
    param([hashtable]$Action, $ErrorRecord)
    $code = Get-HvTuiErrorCode -ErrorRecord $ErrorRecord
    $kind = Get-HvTuiProblemKind -ErrorRecord $ErrorRecord -Code $code
    $text = $ErrorRecord.Exception.Message.Trim()
    if ($Action.Part) {
        $Action.Problem.Add((Get-HvTuiProblem -Part $Action.Part -ErrorRecord $ErrorRecord))
        $Action.Rule = 'unread'
        $Action.Text = "$($Action.Part) could not be read: $text"
    } else {
        $Action.Rule = 'windows'
        $Action.Text = $text
        $Action.Code = $code
    }
    if ($kind -eq 'denied') { $Action.Rule = 'denied' }
}

function Write-HvTuiRecord {
    <#
    .SYNOPSIS
    One record in the Application log, before anything is changed: who, from where, which operation, which command.
    .DESCRIPTION
    Write-EventLog and New-EventLog are what Windows PowerShell 5.1 has for it, and a virtual account of a restricted
    endpoint may use them. The source is registered when it is not there yet. Without the record the action goes on.
    #>
    param([hashtable]$Action)
    $id = $script:RecordId[$Action.Function]
    $text = "hvtui: $($Action.Function)`noperation: $($Action.Operation)`nactor: $($Action.Actor)`ncommand: $($Action.Command)"
    try {
        try {
            Write-EventLog -LogName 'Application' -Source 'HvTui' -EventId $id -EntryType 'Information' -Message $text
        } catch [System.InvalidOperationException] {
            # The source is not registered on this node yet.
            New-EventLog -LogName 'Application' -Source 'HvTui'
            Write-EventLog -LogName 'Application' -Source 'HvTui' -EventId $id -EntryType 'Information' -Message $text
        }
        $Action.Recorded = $true
    } catch {
        $Action.Recorded = $false
        $Action.Problem.Add((Get-HvTuiProblem -Part 'record' -ErrorRecord $_))
    }
}

function Invoke-HvTuiCommand {
    <#
    .SYNOPSIS
    Records a command and runs it; whether Windows took it. The block is the command that the text shows.
    #>
    param([hashtable]$Action, [string]$Command, [scriptblock]$Block)
    $Action.Command = $Command
    $Action.Part = ''
    Write-HvTuiRecord -Action $Action
    try {
        & $Block
        $true
    } catch {
        Resolve-HvTuiActionError -Action $Action -ErrorRecord $_
        $false
    }
}

function Read-HvTuiAfter {
    <#
    .SYNOPSIS
    What became of it; when that cannot be read the action is done all the same, and its problem says so.
    #>
    param([hashtable]$Action, [scriptblock]$Reader)
    try {
        & $Reader
    } catch {
        $Action.Problem.Add((Get-HvTuiProblem -Part 'after' -ErrorRecord $_))
    }
}

function Join-HvTuiFact {
    <#
    .SYNOPSIS
    Facts in their order as a JSON object: texts, numbers, null.
    #>
    param([System.Collections.Specialized.OrderedDictionary]$Fact)
    $pairs = foreach ($key in $Fact.Keys) {
        $value = $Fact[$key]
        if ($null -ne $value -and $value -isnot [string]) {
            $value = ConvertTo-HvTuiNumber -Value $value
        } else {
            $value = ConvertTo-HvTuiString -Value $value
        }
        '"' + $key + '":' + $value
    }
    '{' + (@($pairs) -join ',') + '}'
}

function Join-HvTuiAction {
    <#
    .SYNOPSIS
    The answer of an action.
    #>
    param([hashtable]$Action)
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + (ConvertTo-HvTuiString -Value $Action.Node) +
        ',"function":' + (ConvertTo-HvTuiString -Value $Action.Function) + ',"operation":' + (ConvertTo-HvTuiString -Value $Action.Operation) +
        ',"outcome":' + (ConvertTo-HvTuiString -Value $Action.Outcome) + ',"rule":' + (ConvertTo-HvTuiString -Value $Action.Rule) +
        ',"text":' + (ConvertTo-HvTuiString -Value $Action.Text) + ',"code":' + (ConvertTo-HvTuiString -Value $Action.Code) +
        ',"before":' + (Join-HvTuiFact -Fact $Action.Before) + ',"after":' + (Join-HvTuiFact -Fact $Action.After) +
        ',"command":' + (ConvertTo-HvTuiString -Value $Action.Command) + ',"recorded":' + (ConvertTo-HvTuiBoolean -Value $Action.Recorded) +
        ',"errors":[' + ($Action.Problem -join ',') + ']}'
}
