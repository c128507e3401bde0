# The installed form of the module. A node without it gets the same parts, in the same order, as one script text.
foreach ($folder in 'Private', 'Public') {
    $parts = Get-ChildItem -LiteralPath (Join-Path -Path $PSScriptRoot -ChildPath $folder) -Filter '*.ps1' | Sort-Object -Property Name
    foreach ($part in $parts) {
        . $part.FullName
    }
}
Export-ModuleMember -Function 'Get-HvTuiChain', 'Get-HvTuiCheckpoint', 'Get-HvTuiEvent', 'Get-HvTuiFilter', 'Get-HvTuiForkCommit', 'Get-HvTuiGuest', 'Get-HvTuiGuestFile', 'Get-HvTuiHotfix', 'Get-HvTuiInfo', 'Get-HvTuiPreflight', 'Get-HvTuiProvider', 'Get-HvTuiService', 'Get-HvTuiShadow', 'Get-HvTuiVssAccess', 'Get-HvTuiWriter', 'Move-HvTuiCsv', 'Move-HvTuiVM', 'New-HvTuiCheckpoint', 'Remove-HvTuiCheckpoint', 'Remove-HvTuiVssAccess', 'Restore-HvTuiCheckpoint', 'Resume-HvTuiNode', 'Set-HvTuiCheckpointType', 'Set-HvTuiVssAccess', 'Start-HvTuiService', 'Start-HvTuiVM', 'Stop-HvTuiMove', 'Stop-HvTuiService', 'Suspend-HvTuiNode', 'Watch-HvTuiCluster', 'Watch-HvTuiNode'
