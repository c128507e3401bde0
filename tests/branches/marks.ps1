# Writes, as JSON, where a mark belongs so that every branch says when it runs: the body of each function, each arm of an
# if with the one that is not written, each loop's body, and each catch. The mark of an unwritten else is one.
param([Parameter(Mandatory)] [string]$Folder)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest
$all = [System.Collections.Generic.List[object]]::new()
function Add-Mark($Offset, $Kind, $Extent, [bool]$Else = $false) {
    $script:all.Add([ordered]@{ file = $script:name; offset = $Offset; kind = $Kind; line = $Extent.StartLineNumber; start = $Extent.StartOffset; end = $Extent.EndOffset; else = $Else })
}
foreach ($file in Get-ChildItem -LiteralPath $Folder -Recurse -Filter '*.ps1' | Sort-Object FullName) {
    $script:name = [System.IO.Path]::GetRelativePath($Folder, $file.FullName).Replace('\', '/')
    $tokens = $null; $errors = $null
    $ast = [System.Management.Automation.Language.Parser]::ParseFile($file.FullName, [ref]$tokens, [ref]$errors)
    foreach ($node in $ast.FindAll({ $true }, $true)) {
        switch ($node.GetType().Name) {
            'FunctionDefinitionAst' {
                $at = $node.Body.Extent.StartOffset + 1
                if ($node.Body.ParamBlock) { $at = $node.Body.ParamBlock.Extent.EndOffset }
                Add-Mark $at "function $($node.Name)" $node.Body.Extent
            }
            'IfStatementAst' {
                foreach ($clause in $node.Clauses) { Add-Mark ($clause.Item2.Extent.StartOffset + 1) "if $($clause.Item1.Extent.Text)" $clause.Item2.Extent }
                if ($node.ElseClause) { Add-Mark ($node.ElseClause.Extent.StartOffset + 1) 'else' $node.ElseClause.Extent } else {
                    Add-Mark $node.Extent.EndOffset "not $($node.Clauses[0].Item1.Extent.Text)" $node.Extent $true
                }
            }
            'ForEachStatementAst' { Add-Mark ($node.Body.Extent.StartOffset + 1) "foreach $($node.Condition.Extent.Text)" $node.Body.Extent }
            'ForStatementAst' { Add-Mark ($node.Body.Extent.StartOffset + 1) 'for' $node.Body.Extent }
            'WhileStatementAst' { Add-Mark ($node.Body.Extent.StartOffset + 1) "while $($node.Condition.Extent.Text)" $node.Body.Extent }
            'CatchClauseAst' { Add-Mark ($node.Body.Extent.StartOffset + 1) 'catch' $node.Body.Extent }
        }
    }
}
ConvertTo-Json -InputObject $all -Compress -Depth 3
