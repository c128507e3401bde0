@{
    RootModule           = 'HvTui.psm1'
    ModuleVersion        = '1.0.0'
    GUID                 = '6b0d3c0e-5a0e-4a51-9c5e-2f5a5b7c9d41'
    Author               = 'hvtui'
    CompanyName          = 'hvtui'
    Copyright            = '(c) The hvtui authors. MIT licence.'
    Description          = 'What the hvtui console runs on a Hyper-V cluster node: it reads, and changes only what docs/mutations.md lists; all answers are JSON.'
    PowerShellVersion    = '5.1'
    FunctionsToExport    = @(
        'Get-HvTuiEvent'
        'Get-HvTuiForkCommit'
        'Get-HvTuiInfo'
        'Get-HvTuiPreflight'
        'Get-HvTuiProvider'
        'Get-HvTuiService'
        'Get-HvTuiVssAccess'
        'Get-HvTuiWriter'
        'Move-HvTuiCsv'
        'Move-HvTuiVM'
        'Remove-HvTuiVssAccess'
        'Resume-HvTuiNode'
        'Set-HvTuiVssAccess'
        'Start-HvTuiService'
        'Stop-HvTuiMove'
        'Stop-HvTuiService'
        'Suspend-HvTuiNode'
        'Watch-HvTuiCluster'
        'Watch-HvTuiNode'
    )
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
}
