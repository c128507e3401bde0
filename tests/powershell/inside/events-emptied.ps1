# The log is emptied between two questions: what was there is told, and that nothing is known of its newest record.
function Read-HvTuiEventRecord {
    param([string]$Channel, [string]$XPath, [long]$MaxEvents, [switch]$Newest)
    $global:Calls.Add("$Channel $XPath $MaxEvents $Newest")
    if (-not $Newest -and $XPath -eq '*') { [pscustomobject]@{ RecordId = 7; TimeCreated = [datetime]::new(2026, 2, 1, 0, 0, 0, [System.DateTimeKind]::Utc) } }
}
Get-HvTuiEvent -Channel 'Microsoft-Windows-Hyper-V-VMMS-Admin' -AfterRecord 9
Get-HvTuiEvent -Channel 'Microsoft-Windows-Hyper-V-VMMS-Admin' -AfterRecord 5
