foreach ($value in $null, 0, 1, -1, 4294967295, 4294967294, 18446744073709551615, 1.9, -1.9, '12', [System.DayOfWeek]::Friday, [byte]7) {
    ConvertTo-HvTuiNumber -Value $value
}
foreach ($value in $null, $true, $false, 0, 1, '', 'x') { ConvertTo-HvTuiBoolean -Value $value }
foreach ($value in $null, 'x', [datetime]::new(1989, 12, 31, 23, 59, 59, [System.DateTimeKind]::Utc), [datetime]::new(1990, 1, 1, 0, 0, 0, [System.DateTimeKind]::Utc), [datetime]::new(638000000000001234, [System.DateTimeKind]::Utc)) {
    ConvertTo-HvTuiTime -Value $value
}
ConvertTo-HvTuiList -Value $null
ConvertTo-HvTuiList -Value @()
ConvertTo-HvTuiList -Value 'one'
ConvertTo-HvTuiList -Value 'a"', 'b'
foreach ($value in $null, 'x', '{1111AAAA-0000-4000-8000-000000000001}', '1111AAAA-0000-4000-8000-000000000001 2222AAAA-0000-4000-8000-000000000001', '1111AAAA-0000-4000-800-000000000001') {
    "<$(ConvertTo-HvTuiGuid -Value $value)>"
}
"<$(Get-HvTuiValue -Object $null -Name 'x')><$(Get-HvTuiValue -Object 'abc' -Name 'Length')><$(Get-HvTuiValue -Object 'abc' -Name 'None')>"
