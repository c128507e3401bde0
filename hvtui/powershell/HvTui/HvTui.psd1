@{
    RootModule           = 'HvTui.psm1'
    ModuleVersion        = '1.0.0'
    GUID                 = '6b0d3c0e-5a0e-4a51-9c5e-2f5a5b7c9d41'
    Author               = 'hvtui'
    CompanyName          = 'hvtui'
    Copyright            = '(c) The hvtui authors. MIT licence.'
    Description          = 'What the hvtui console runs on a Hyper-V cluster node: it reads, answers in JSON and changes nothing.'
    PowerShellVersion    = '5.1'
    FunctionsToExport    = @(
        'Get-HvTuiEvent'
        'Get-HvTuiInfo'
        'Get-HvTuiProvider'
        'Get-HvTuiWriter'
        'Watch-HvTuiCluster'
        'Watch-HvTuiNode'
    )
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
}
