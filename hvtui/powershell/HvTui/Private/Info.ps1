# What Get-HvTuiInfo asks. Its part Basic asks neither WMI, VMMS nor the cluster service: it answers while they hang.

$script:Contract = '1.0.0'

function Get-HvTuiServiceList {
    <#
    .SYNOPSIS
    State of the services hvtui cares for, from the service control manager, as members of a JSON object.
    #>
    param([System.Collections.Generic.List[string]]$Problem)
    $words = @{ StopPending = 'Stop Pending'; StartPending = 'Start Pending'; ContinuePending = 'Continue Pending'; PausePending = 'Pause Pending' }
    $texts = foreach ($name in 'vmms', 'ClusSvc', 'VSS') {
        try {
            $word = [string](Get-Service -Name $name).Status
            if ($words.ContainsKey($word)) { $word = $words[$word] }
            '"' + $name + '":' + (ConvertTo-HvTuiString -Value $word)
        } catch {
            # A service that is not installed is simply not in the list.
            if ($_.FullyQualifiedErrorId -notlike 'NoServiceFoundForGivenName*') { $Problem.Add((Get-HvTuiProblem -Part "services.$name" -ErrorRecord $_)) }
        }
    }
    @($texts) -join ','
}

function Get-HvTuiModuleList {
    <#
    .SYNOPSIS
    Versions of the modules present, as members of a JSON object.
    #>
    param([System.Collections.Generic.List[string]]$Problem)
    $versions = @{ HvTui = $script:Contract }
    try {
        foreach ($one in Get-Module -ListAvailable -Name 'Hyper-V', 'FailoverClusters') {
            if (-not $versions.ContainsKey($one.Name)) { $versions[$one.Name] = $one.Version.ToString() }
        }
    } catch {
        $Problem.Add((Get-HvTuiProblem -Part 'modules' -ErrorRecord $_))
    }
    $texts = foreach ($name in ($versions.Keys | Sort-Object)) { (ConvertTo-HvTuiString -Value $name) + ':' + (ConvertTo-HvTuiString -Value $versions[$name]) }
    @($texts) -join ','
}

function Test-HvTuiRight {
    <#
    .SYNOPSIS
    True, false, or nothing when it could not be told; the reason goes to the problems.
    #>
    param([string]$Part, [string]$Reader, [System.Collections.Generic.List[string]]$Problem)
    try {
        [bool](& $Reader)
    } catch {
        $text = Get-HvTuiProblem -Part $Part -ErrorRecord $_
        $Problem.Add($text)
        if ($text.Contains(',"kind":"denied",')) { $false }
    }
}

function Read-HvTuiHyperVRight {
    <#
    .SYNOPSIS
    Whether VMMS shows itself. To an account without rights it answers with an empty list, not with an error.
    #>
    @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemManagementService' -OperationTimeoutSec 5 -Property 'Name').Count -gt 0
}

function Read-HvTuiClusterRight {
    <#
    .SYNOPSIS
    Whether the cluster shows itself.
    #>
    @(Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_Cluster' -OperationTimeoutSec 5 -Property 'Name').Count -gt 0
}

function Read-HvTuiEventRight {
    <#
    .SYNOPSIS
    Whether the log of VMMS can be read, were it empty.
    #>
    $null = Read-HvTuiEventRecord -Channel 'Microsoft-Windows-Hyper-V-VMMS-Admin' -XPath '*' -MaxEvents 1
    $true
}
