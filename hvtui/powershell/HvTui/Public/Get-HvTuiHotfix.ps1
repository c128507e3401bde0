function Get-HvTuiHotfix {
    <#
    .SYNOPSIS
    The updates that component based servicing installed on this node, as one JSON object.
    .DESCRIPTION
    Where each field comes from:
      time                 this node's clock
      cpu_ms               TotalProcessorTime of this session's process, since it was started
      hotfixes.id          Win32_QuickFixEngineering HotFixID
      hotfixes.installed   Win32_QuickFixEngineering InstalledOn, the text as Windows has it; empty when it does not know
      errors               why there is no list
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiHotfix
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()
    $hotfixes = 'null'
    $problem = ''
    try {
        $hotfixes = Join-HvTuiHotfix
    } catch {
        $problem = Get-HvTuiProblem -Part 'hotfixes' -ErrorRecord $_
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"hotfixes":' + $hotfixes + ',"errors":[' + $problem + ']}'
}
