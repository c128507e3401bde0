function Get-HvTuiProvider {
    <#
    .SYNOPSIS
    The VSS providers of this node, as one JSON object.
    .DESCRIPTION
    Where each field comes from:
      time                 this node's clock
      cpu_ms               TotalProcessorTime of this session's process, since it was started
      providers.id         Win32_ShadowProvider ID
      providers.name       Win32_ShadowProvider Name
      providers.type       Win32_ShadowProvider Type
      providers.version    Win32_ShadowProvider Version
      errors               why there is no list
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiProvider
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()
    $providers = 'null'
    $problem = ''
    try {
        $found = Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_ShadowProvider' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'ID', 'Name', 'Type', 'Version'
        $texts = foreach ($one in $found) {
            $id = ConvertTo-HvTuiGuid -Value $one.ID
            if ($null -eq $id) { $id = [string]$one.ID }
            '{"id":' + (ConvertTo-HvTuiString -Value $id) + ',"name":' + (ConvertTo-HvTuiString -Value ([string]$one.Name)) +
                ',"type":' + (ConvertTo-HvTuiNumber -Value $one.Type) + ',"version":' + (ConvertTo-HvTuiString -Value $one.Version) + '}'
        }
        $providers = '[' + (@($texts) -join ',') + ']'
    } catch {
        $problem = Get-HvTuiProblem -Part 'providers' -ErrorRecord $_
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"providers":' + $providers + ',"errors":[' + $problem + ']}'
}
