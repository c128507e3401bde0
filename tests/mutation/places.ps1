# Writes, as JSON, every place of the module where one change is made, and the change: literals, names of commands,
# parameters, properties and types, operators, WQL, conditions, and the words that leave a loop or a function. A unit is
# a function, or a statement outside of any; comments and help are no places.
param([Parameter(Mandatory)] [string]$Folder)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

$operators = @{
    Ieq = '-ne'; Ine = '-eq'; Igt = '-ge'; Ige = '-gt'; Ilt = '-le'; Ile = '-lt'; And = '-or'; Or = '-and'
    Plus = '-'; Minus = '+'; Multiply = '/'; Divide = '*'; Rem = '*'; Imatch = '-notmatch'; Ilike = '-notlike'; Inotlike = '-like'
    Icontains = '-notcontains'; Is = '-isnot'; IsNot = '-is'; Format = '-join'; Join = '-f'; Inotcontains = '-contains'
}
$variables = @{ true = '$false'; false = '$true'; null = "'Q'" }
$all = [System.Collections.Generic.List[object]]::new()

function Add-Place($Extent, $Kind, $New) {
    $script:all.Add([ordered]@{
            file = $script:name; unit = $script:unit.Name; top = $script:unit.Top
            start = $script:unit.Start; text = $script:unit.Text
            offset = $Extent.StartOffset; length = $Extent.EndOffset - $Extent.StartOffset
            line = $Extent.StartLineNumber; kind = $Kind; old = $Extent.Text; new = $New
        })
}

function Add-Insertion($Node, $Kind, $New) { Add-Place $Node.Extent $Kind $New }

function Find-Place($Node) {
    $type = $Node.GetType().Name
    switch ($type) {
        'StringConstantExpressionAst' {
            $parent = $Node.Parent
            if ($Node.StringConstantType -eq 'BareWord') {
                $kind = 'name'
                if ($parent -is [System.Management.Automation.Language.CommandAst]) { $kind = if ($parent.CommandElements[0] -eq $Node) { 'command' } else { 'literal' } }
                if ($parent -is [System.Management.Automation.Language.MemberExpressionAst]) { $kind = 'member' }
                if ($parent -is [System.Management.Automation.Language.HashtableAst]) { $kind = 'key' }
                Add-Place $Node.Extent $kind ($Node.Extent.Text + 'Q')
            } else {
                $text = $Node.Extent.Text
                $kind = 'literal'
                if ($Node.Value -match '^(root\\|Msvm_|MSCluster_|Win32_)') { $kind = 'class' }
                if ($Node.Value -match ' = ') { $kind = 'wql' }
                # The last character but one: a change of case or of a blank at the end may be harmless by design.
                Add-Place $Node.Extent $kind ($text.Substring(0, $text.Length - 1) + 'Q' + $text.Substring($text.Length - 1))
            }
        }
        'ExpandableStringExpressionAst' { Add-Place $Node.Extent 'literal' ($Node.Extent.Text.Substring(0, $Node.Extent.Text.Length - 1) + 'Q"') }
        'ConstantExpressionAst' {
            if ($Node.Value -is [int] -or $Node.Value -is [long]) { Add-Place $Node.Extent 'number' ($Node.Value + 1).ToString() }
        }
        'VariableExpressionAst' {
            $path = $Node.VariablePath.UserPath
            if ($variables.ContainsKey($path)) { Add-Place $Node.Extent 'constant' $variables[$path] }
        }
        'CommandParameterAst' { Add-Place $Node.Extent 'parameter' ($Node.Extent.Text + 'Q') }
        'TypeExpressionAst' { Add-Place $Node.Extent 'type' ($Node.Extent.Text.TrimEnd(']') + 'Q' + ']' * ($Node.Extent.Text.Length - $Node.Extent.Text.TrimEnd(']').Length)) }
        'TypeConstraintAst' { Add-Place $Node.Extent 'type' ($Node.Extent.Text.TrimEnd(']') + 'Q' + ']' * ($Node.Extent.Text.Length - $Node.Extent.Text.TrimEnd(']').Length)) }
        'BinaryExpressionAst' {
            $operator = $Node.Operator.ToString()
            if ($operators.ContainsKey($operator)) { Add-Place $Node.ErrorPosition 'operator' $operators[$operator] }
        }
        'UnaryExpressionAst' {
            if ($Node.TokenKind -eq 'Not') { Add-Place $Node.Extent 'operator' $Node.Child.Extent.Text }
            if ($Node.TokenKind -eq 'PostfixPlusPlus') { Add-Place $Node.Extent 'operator' ($Node.Child.Extent.Text + '--') }
        }
        'AssignmentStatementAst' {
            if ($Node.Operator -eq 'PlusEquals') { Add-Place $Node.ErrorPosition 'operator' '=' }
        }
        'IfStatementAst' { foreach ($clause in $Node.Clauses) { Add-Place $clause.Item1.Extent 'condition' "-not ($($clause.Item1.Extent.Text))" } }
        'ContinueStatementAst' { Add-Place $Node.Extent 'leave' '$null = 0' }
        'BreakStatementAst' { Add-Place $Node.Extent 'leave' '$null = 0' }
        'ReturnStatementAst' {
            if ($null -eq $Node.Pipeline) { Add-Place $Node.Extent 'leave' '$null = 0' }
        }
        'ThrowStatementAst' {
            if ($null -eq $Node.Pipeline) { Add-Place $Node.Extent 'leave' '$null = 0' }
        }
    }
}

foreach ($file in Get-ChildItem -LiteralPath $Folder -Recurse -Filter '*.ps1' | Sort-Object FullName) {
    $script:name = [System.IO.Path]::GetRelativePath($Folder, $file.FullName).Replace('\', '/')
    $tokens = $null; $errors = $null
    $ast = [System.Management.Automation.Language.Parser]::ParseFile($file.FullName, [ref]$tokens, [ref]$errors)
    foreach ($statement in $ast.EndBlock.Statements) {
        $function = $statement -is [System.Management.Automation.Language.FunctionDefinitionAst]
        $script:unit = @{
            Name = if ($function) { $statement.Name } else { '(' + $statement.Extent.Text.Split(' ')[0] + ')' }
            Top = -not $function; Start = $statement.Extent.StartOffset; Text = $statement.Extent.Text
        }
        $statement.FindAll({ $true }, $true) | ForEach-Object { Find-Place $_ }
    }
}
ConvertTo-Json -InputObject $all -Compress -Depth 3
