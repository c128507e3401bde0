# Compiles a stub set. Source holds the runtime; Target the generated texts: HvTuiLab.cs is compiled with the runtime,
# each of the others, a module's commands, into an assembly of its own that refers to it. The compiler is called as
# Add-Type calls it, because Add-Type gives every assembly a random name and so none can refer to another.
param([string]$Source, [string]$Target)
$ErrorActionPreference = 'Stop'
Add-Type -AssemblyName 'Microsoft.CodeAnalysis', 'Microsoft.CodeAnalysis.CSharp'

function Build {
    param([string]$Name, [string[]]$Text, [object[]]$Reference)
    $trees = foreach ($one in $Text) { [Microsoft.CodeAnalysis.CSharp.CSharpSyntaxTree]::ParseText([System.IO.File]::ReadAllText($one), $null, $one) }
    $options = [Microsoft.CodeAnalysis.CSharp.CSharpCompilationOptions]::new([Microsoft.CodeAnalysis.OutputKind]::DynamicallyLinkedLibrary).WithOptimizationLevel([Microsoft.CodeAnalysis.OptimizationLevel]::Release)
    $made = [Microsoft.CodeAnalysis.CSharp.CSharpCompilation]::Create($Name, [Microsoft.CodeAnalysis.SyntaxTree[]]$trees, [Microsoft.CodeAnalysis.MetadataReference[]]$Reference, $options)
    $path = Join-Path -Path $Target -ChildPath "$Name.dll"
    $file = [System.IO.File]::Create($path)
    try { $result = $made.Emit($file) } finally { $file.Dispose() }
    if (-not $result.Success) {
        $wrong = @($result.Diagnostics | Where-Object -FilterScript { $_.Severity -eq 'Error' } | Select-Object -First 20 | ForEach-Object -Process { $_.ToString() })
        throw "$Name does not compile:`n$($wrong -join "`n")"
    }
    $path
}

$paths = @(Get-ChildItem -Path (Join-Path -Path $PSHOME -ChildPath 'ref') -Filter '*.dll' | ForEach-Object -MemberName FullName)
foreach ($name in 'Microsoft.Management.Infrastructure.dll', 'System.Management.Automation.dll', 'System.ServiceProcess.ServiceController.dll') {
    $paths += Join-Path -Path $PSHOME -ChildPath $name
}
$references = foreach ($path in $paths) { [Microsoft.CodeAnalysis.MetadataReference]::CreateFromFile($path) }
$texts = @(Get-ChildItem -LiteralPath $Source -Filter '*.cs' | ForEach-Object -MemberName FullName) + (Join-Path -Path $Target -ChildPath 'HvTuiLab.cs')
$shared = Build -Name 'HvTuiLab' -Text $texts -Reference $references
$references += [Microsoft.CodeAnalysis.MetadataReference]::CreateFromFile($shared)
foreach ($text in Get-ChildItem -LiteralPath $Target -Filter '*.cs') {
    if ($text.BaseName -ne 'HvTuiLab') { [void](Build -Name $text.BaseName -Text $text.FullName -Reference $references) }
}
