function Get-HvTuiInfo {
    <#
    .SYNOPSIS
    Who this node is, whether hvtui can work with it, and what the caller may do here, as one JSON object.
    .DESCRIPTION
    Where each field comes from:
      contract          the version of this module
      node              the computer's name
      time              this node's clock
      cpu_ms            TotalProcessorTime of this session's process, since it was started
      build             CurrentBuildNumber in the registry
      supported         whether that is 14393 (Windows Server 2016) or newer
      ps_version        PSVersionTable PSVersion
      cluster_id, cluster_name, functional_level  Get-Cluster Id, Name, ClusterFunctionalLevel
      modules           Get-Module -ListAvailable Version of Hyper-V and FailoverClusters; this module's own version
      services          Get-Service Status of vmms, ClusSvc and VSS, of those installed
      rights.elevated   WindowsPrincipal IsInRole Administrator
      rights.hyperv     whether Msvm_VirtualSystemManagementService shows itself
      rights.cluster    whether MSCluster_Cluster shows itself
      rights.events     whether Get-WinEvent reads the log of VMMS
      rights.vss        as elevated: vssadmin asks for that
      errors            what of this could not be told, and why
    .PARAMETER Part
    Basic leaves out cluster, modules and the rights that need a question to VMMS, the cluster service or the event log.
    It asks neither WMI nor those services, so it answers while they hang.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiInfo -Part Basic
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidateSet('All', 'Basic')] [string]$Part = 'All'
    )
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $now = Get-HvTuiNow
    $build = 'null'
    $supported = 'null'
    try {
        $number = [int](Get-HvTuiBuildNumber)
        if ($number -gt 0) {
            $build = "`"10.0.$number`""
            # Windows 8.1 and Server 2012 R2 are 6.3; they have no business with a 10 before their number.
            if ($number -lt 10240) { $build = "`"6.3.$number`"" }
            $supported = ConvertTo-HvTuiBoolean -Value ($number -ge 14393)
        }
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'build' -ErrorRecord $_))
    }
    $services = Get-HvTuiServiceList -Problem $problems
    $rights = @{ elevated = $null; hyperv = $null; cluster = $null; events = $null; vss = $null }
    try {
        $rights.elevated = [bool](Test-HvTuiElevation)
        # vssadmin asks for the same: an elevated administrator.
        $rights.vss = $rights.elevated
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'rights.elevated' -ErrorRecord $_))
    }
    $cluster = '"cluster_id":null,"cluster_name":null,"functional_level":null'
    $modules = ''
    if ($Part -eq 'All') {
        $modules = Get-HvTuiModuleList -Problem $problems
        $rights.hyperv = Test-HvTuiRight -Part 'rights.hyperv' -Reader 'Read-HvTuiHyperVRight' -Problem $problems
        $rights.cluster = Test-HvTuiRight -Part 'rights.cluster' -Reader 'Read-HvTuiClusterRight' -Problem $problems
        $rights.events = Test-HvTuiRight -Part 'rights.events' -Reader 'Read-HvTuiEventRight' -Problem $problems
        try {
            # The cmdlet has no deadline: a cluster service that just let CIM's run out is not asked again.
            if (($problems -join '').Contains('{"part":"rights.cluster","kind":"timeout",')) { throw (New-Object -TypeName System.TimeoutException -ArgumentList 'The cluster service does not answer') }
            $found = Get-Cluster
            $cluster = '"cluster_id":' + (ConvertTo-HvTuiString -Value (ConvertTo-HvTuiGuid -Value $found.Id)) + ',"cluster_name":' + (ConvertTo-HvTuiString -Value $found.Name) +
                ',"functional_level":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $found -Name 'ClusterFunctionalLevel'))
        } catch {
            $problems.Add((Get-HvTuiProblem -Part 'cluster' -ErrorRecord $_))
        }
    }
    $granted = foreach ($name in 'elevated', 'hyperv', 'cluster', 'events', 'vss') { '"' + $name + '":' + (ConvertTo-HvTuiBoolean -Value $rights[$name]) }
    '{"v":1,"contract":"' + $script:Contract + '","node":' + (ConvertTo-HvTuiString -Value (Get-HvTuiNodeName)) + ',"time":' + (ConvertTo-HvTuiTime -Value $now) +
        ',' + (Join-HvTuiCost) + ',"build":' + $build + ',"supported":' + $supported + ',"ps_version":' + (ConvertTo-HvTuiString -Value $PSVersionTable.PSVersion.ToString()) + ',' + $cluster +
        ',"modules":{' + $modules + '},"services":{' + $services + '},"rights":{' + ($granted -join ',') + '},"errors":[' + ($problems -join ',') + ']}'
}
