function Get-HvTuiShadow {
    <#
    .SYNOPSIS
    The shadow copies that exist on this node now, as one JSON object.
    .DESCRIPTION
    Where each field comes from:
      time                       this node's clock
      cpu_ms                     TotalProcessorTime of this session's process, since it was started
      shadows.id, shadows.set    Win32_ShadowCopy ID, SetID
      shadows.volume             Win32_ShadowCopy VolumeName
      shadows.created            Win32_ShadowCopy InstallDate
      shadows.provider           Win32_ShadowCopy ProviderID
      shadows.persistent, shadows.client_accessible  Win32_ShadowCopy Persistent, ClientAccessible
      errors                     why there is no list
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiShadow
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()
    $shadows = 'null'
    $problem = ''
    try {
        $shadows = Join-HvTuiShadowCopy
    } catch {
        $problem = Get-HvTuiProblem -Part 'shadows' -ErrorRecord $_
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"shadows":' + $shadows + ',"errors":[' + $problem + ']}'
}
