"$ErrorActionPreference $ProgressPreference"
try { $nobodySetThis; 'lax' } catch { $_.FullyQualifiedErrorId }
"$script:FastSeconds $script:SlowSecondsLimit $script:HoldSeconds $script:Virtualization $script:Contract $script:TimeFormat $($script:Invariant.Name) $($script:Hard) $script:FilterMilliseconds"
