function Get-HvTuiFilter {
    <#
    .SYNOPSIS
    The raw texts in which fltmc lists the file system filters of this node, as one JSON object.
    .DESCRIPTION
    fltmc.exe runs twice as a child of this session, for 20 seconds at most each. It needs an elevated administrator.

    Where each field comes from:
      time           this node's clock
      cpu_ms         TotalProcessorTime of this session's process, since it was started
      filters        standard output of "fltmc filters", decoded with OEMCP of the registry's Nls\CodePage
      instances      standard output of "fltmc instances"; not asked for when the first one failed
      errors         why there is no text
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiFilter
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()
    $reading = @{ Text = @{}; Kind = $null; Why = ''; Code = ''; Problem = New-Object -TypeName System.Collections.Generic.List[string] }
    foreach ($listing in 'filters', 'instances') { Read-HvTuiFilterText -Reading $reading -Listing $listing }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"filters":' + (ConvertTo-HvTuiString -Value $reading.Text['filters']) +
        ',"instances":' + (ConvertTo-HvTuiString -Value $reading.Text['instances']) + ',"errors":[' + ($reading.Problem -join ',') + ']}'
}
