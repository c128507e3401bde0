# What PowerShell's own types make of a property is left aside where the instance still has what Windows gave.
$given = @([pscustomobject]@{ Name = 'HotFixID'; Value = 'KB1' }, [pscustomobject]@{ Name = 'InstalledOn'; Value = '13/5/2024' })
$one = [pscustomobject]@{ CimInstanceProperties = $given; InstalledOn = [datetime]'2024-01-02' }
$one | Add-Member -MemberType ScriptProperty -Name Throwing -Value { throw 'no date of this culture' }
Get-HvTuiRawValue -Object $one -Name 'InstalledOn'
"[$(Get-HvTuiRawValue -Object $one -Name 'Throwing')]"
Get-HvTuiRawValue -Object ([pscustomobject]@{ InstalledOn = 'as it is' }) -Name 'InstalledOn'
"[$(Get-HvTuiRawValue -Object ([pscustomobject]@{ Other = 1 }) -Name 'InstalledOn')]"
"[$(Get-HvTuiRawValue -Object $null -Name 'InstalledOn')]"
