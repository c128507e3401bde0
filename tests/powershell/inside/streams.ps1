foreach ($cost in 0, 10, 100, 200, 201, 1000, 1990, 3000) { foreach ($waited in 0, 100) { "$(Measure-HvTuiWait -Cost $cost -Waited $waited -IntervalMs 2000)" } }
$stream = Get-HvTuiStream -Source (Get-HvTuiSource -Name 'a' -Part 'p' -Reader 'r') -Section 's', 't' -Single 's'
"$($stream.Name.Comparer.GetType().Name) $($stream.Name.ContainsKey('x')) $($stream.Node) $($stream.Now.ToString('o')) $($stream.First) $($stream.Seq) $($stream.Sent)."
"$(Test-HvTuiSource -Stream $stream -Name 'a') $(Test-HvTuiSource -Stream $stream -Name 'b')"
Request-HvTuiSource -Stream $stream -Name 'b'
"$($stream.Source[0].Urgent)"
Request-HvTuiSource -Stream $stream -Name 'a'
"$($stream.Source[0].Urgent)"
$stream.Source[0].Fresh = $true
"$(Test-HvTuiSource -Stream $stream -Name 'a') $(Test-HvTuiSource -Stream $stream -Name 'b')"
$stream.Source[0].Fresh = $false
function Get-Broken { param([hashtable]$Stream) throw 'broken' }
function Get-Whole { param([hashtable]$Stream) $made = Get-HvTuiSection; $made.Id.Add('a"'); $made.Text['a"'] = '1'; $made }
$section = @{}
Add-HvTuiSection -Stream $stream -Section $section -Name 't' -Builder 'Get-Broken'
"$($section.Count) $($stream.Problem.Keys)"
Join-HvTuiFrame -Stream $stream -Section $section -Load '' -Full (Test-HvTuiFull -Stream $stream -Section $section) -Cost 1.4 -Wait 2
Add-HvTuiSection -Stream $stream -Section $section -Name 't' -Builder 'Get-Whole'
"$($section.Count) $($stream.Problem.Keys)"
Join-HvTuiFrame -Stream $stream -Section $section -Load '7' -Full (Test-HvTuiFull -Stream $stream -Section $section) -Cost 1.6 -Wait 2
Join-HvTuiFrame -Stream $stream -Section @{ t = Get-HvTuiSection } -Load '' -Full (Test-HvTuiFull -Stream $stream -Section $section) -Cost 1 -Wait 2
Join-HvTuiFrame -Stream $stream -Section @{} -Load '' -Full $false -Cost 1 -Wait 2
