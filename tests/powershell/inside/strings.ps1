$points = (0..0x22) + 0x5b + 0x5c + 0x5d + 0x7f + 0x2028 + 0xd7ff + 0xe000 + 0xfffd + 0xffff
foreach ($point in $points) { ConvertTo-HvTuiString -Value ("\`"a" + [char]$point) }
foreach ($codes in @(0xd800), @(0xdfff), @(0xdbff, 0xdc00), @(0xd800, 0xdfff), @(0xd800, 0x41), @(0xdc00, 0xd800), @(0xdc00, 0xdc00), @(0x1f, 0xd83d, 0xdda5, 0x22, 0x5c, 0xdbff), @(0xd83d, 0xd83d, 0xdda5)) {
    ConvertTo-HvTuiString -Value (-join ($codes | ForEach-Object { [char]$_ })) | ForEach-Object { ($_.ToCharArray() | ForEach-Object { '{0:x4}' -f [int]$_ }) -join ' ' }
}
ConvertTo-HvTuiString -Value $null
ConvertTo-HvTuiString -Value 42
