# Runs scripts that come as lines of base64, one after the other. What they give is written as it comes, a line each:
# '>' an output, '!' an error record, '~' a stream waits for its next round, '.' the end.
$ErrorActionPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'
[Console]::OutputEncoding = [System.Text.UTF8Encoding]::new($false)
$global:LabElapsed = [double]0
$global:LabHeld = $false

function Send-LabLine {
    param([string]$Mark, [string]$Text)
    [Console]::Out.WriteLine($Mark + [System.Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($Text)))
}

function Get-LabText {
    param($ErrorRecord)
    ConvertTo-Json -Compress -InputObject @{
        id = $ErrorRecord.FullyQualifiedErrorId; category = [string]$ErrorRecord.CategoryInfo.Category
        text = $ErrorRecord.Exception.Message; type = $ErrorRecord.Exception.GetType().FullName
    }
}

Import-Module -Name 'HvTui'
& (Get-Module -Name 'HvTui') {
    # Periods count in the world's time, and a round begins when the test says so.
    function script:Get-HvTuiElapsed { $global:LabElapsed }
    function script:Start-Sleep {
        param([int]$Milliseconds)
        if (-not $global:LabHeld) {
            Microsoft.PowerShell.Utility\Start-Sleep -Milliseconds $Milliseconds
            return
        }
        [Console]::Out.WriteLine('~')
        $line = [Console]::In.ReadLine()
        if ($line -eq 'stop') { throw 'LabStop' }
        $global:LabElapsed = [double]::Parse($line, [System.Globalization.CultureInfo]::InvariantCulture)
    }
}

while ($null -ne ($line = [Console]::In.ReadLine())) {
    try {
        $text = [System.Text.Encoding]::UTF8.GetString([System.Convert]::FromBase64String($line))
        & ([scriptblock]::Create($text)) 2>&1 | ForEach-Object -Process {
            if ($_ -is [System.Management.Automation.ErrorRecord]) {
                Send-LabLine -Mark '!' -Text (Get-LabText -ErrorRecord $_)
            } else {
                Send-LabLine -Mark '>' -Text ([string]$_)
            }
        }
    } catch {
        if ($_.FullyQualifiedErrorId -ne 'LabStop') { Send-LabLine -Mark '!' -Text (Get-LabText -ErrorRecord $_) }
    }
    [Console]::Out.WriteLine('.')
}
