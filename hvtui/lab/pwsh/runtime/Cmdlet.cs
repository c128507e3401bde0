// What every stand-in does: binding and types are the engine's work, everything else is one question to the lab.
using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Text.Json;

namespace HvTuiLab
{
    public abstract class StubCmdlet : PSCmdlet
    {
        private static readonly HashSet<string> Common = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
        {
            "Verbose", "Debug", "ErrorAction", "WarningAction", "InformationAction", "ProgressAction", "ErrorVariable",
            "WarningVariable", "InformationVariable", "OutVariable", "OutBuffer", "PipelineVariable", "WhatIf", "Confirm",
        };

        private Call call;
        private Channel channel;
        private bool stopped;
        private readonly object gate = new object();

        /// <summary>Whether the real command asks before it changes something.</summary>
        protected virtual bool Asks { get { return false; } }

        /// <summary>The name by which the lab knows the question.</summary>
        protected virtual string Question { get { return MyInvocation.MyCommand.Name; } }

        /// <summary>Whether a bound parameter is part of the question.</summary>
        protected virtual bool Sends(string parameter) { return !Common.Contains(parameter); }

        protected override void ProcessRecord()
        {
            if (Asks && !ShouldProcess(Target())) { return; }
            Run();
        }

        protected override void StopProcessing()
        {
            lock (gate)
            {
                stopped = true;
                if (call != null) { channel.Cancel(call); }
            }
        }

        private void Run()
        {
            JsonDocument answer = Ask();
            if (answer == null) { return; }
            using (answer)
            {
                long before = System.Diagnostics.Stopwatch.GetTimestamp();
                JsonElement root = answer.RootElement;
                if (root.TryGetProperty("output", out JsonElement output) && output.ValueKind == JsonValueKind.Array)
                {
                    foreach (JsonElement one in output.EnumerateArray())
                    {
                        object made;
                        try
                        {
                            made = Reader.Free(one);
                        }
                        catch (LabAnswerException wrong)
                        {
                            ThrowTerminatingError(new ErrorRecord(new LabAnswerException(MyInvocation.MyCommand.Name + ": " + wrong.Message), "LabAnswer", ErrorCategory.InvalidData, null));
                            return;
                        }
                        Channel.Figures.WorkMilliseconds += (System.Diagnostics.Stopwatch.GetTimestamp() - before) * 1000.0 / System.Diagnostics.Stopwatch.Frequency;
                        WriteObject(made, false);
                        before = System.Diagnostics.Stopwatch.GetTimestamp();
                    }
                }
                if (!root.TryGetProperty("errors", out JsonElement errors) || errors.ValueKind != JsonValueKind.Array) { return; }
                if (MyInvocation.BoundParameters.TryGetValue("AsJob", out object flag) && ((SwitchParameter)flag).IsPresent)
                {
                    WriteObject(new LabJob(MyInvocation.MyCommand.Name, errors));
                    return;
                }
                foreach (JsonElement one in errors.EnumerateArray())
                {
                    ErrorRecord record = Errors.Record(one);
                    if (one.TryGetProperty("terminating", out JsonElement fatal) && fatal.ValueKind == JsonValueKind.True) { ThrowTerminatingError(record); }
                    WriteError(record);
                }
            }
        }

        private JsonDocument Ask()
        {
            int limit = -1;
            if (MyInvocation.BoundParameters.TryGetValue("OperationTimeoutSec", out object seconds) && Convert.ToInt64(seconds) > 0) { limit = (int)Math.Min(Convert.ToInt64(seconds) * 1000, int.MaxValue); }
            try
            {
                lock (gate)
                {
                    if (stopped) { return null; }
                    channel = Channel.Current;
                    call = channel.Send(Body);
                }
                JsonDocument answer = channel.Wait(call, limit);
                if (answer == null && !stopped) { WriteError(Errors.TimedOut(Target())); }
                return answer;
            }
            catch (ChannelClosedException gone)
            {
                ThrowTerminatingError(new ErrorRecord(gone, "LabClosed", ErrorCategory.ConnectionError, null));
                return null;
            }
            finally
            {
                lock (gate) { call = null; }
            }
        }

        private void Body(Utf8JsonWriter writer)
        {
            writer.WriteString("command", Question);
            writer.WritePropertyName("parameters");
            writer.WriteStartObject();
            foreach (KeyValuePair<string, object> one in MyInvocation.BoundParameters)
            {
                if (!Sends(one.Key)) { continue; }
                writer.WritePropertyName(one.Key);
                Writer.Value(writer, one.Value);
            }
            writer.WriteEndObject();
            Asking.Write(writer, Question);
            writer.WriteString("set", ParameterSetName == ParameterAttribute.AllParameterSets ? "" : ParameterSetName);
            writer.WritePropertyName("pipeline");
            writer.WriteStartArray();
            writer.WriteEndArray();
        }

        private string Target()
        {
            foreach (string name in new[] { "Name", "VMName", "VM", "Id", "InputObject", "ClassName", "Query" })
            {
                if (MyInvocation.BoundParameters.TryGetValue(name, out object value) && value != null)
                {
                    return value is string ? (string)value : value is System.Collections.IEnumerable ? string.Join(", ", System.Linq.Enumerable.Cast<object>((System.Collections.IEnumerable)value)) : value.ToString();
                }
            }
            return MyInvocation.MyCommand.Name;
        }
    }

    /// <summary>What a command with -AsJob gives: its work goes on in the lab, what it was refused is in its errors.</summary>
    internal sealed class LabJob : Job
    {
        internal LabJob(string command, JsonElement errors) : base(command, command)
        {
            foreach (JsonElement one in errors.EnumerateArray()) { Error.Add(Errors.Record(one)); }
            SetJobState(Error.Count > 0 ? JobState.Failed : JobState.Running);
        }

        public override bool HasMoreData { get { return false; } }

        public override string Location { get { return "localhost"; } }

        public override string StatusMessage { get { return ""; } }

        public override void StopJob() { SetJobState(JobState.Stopped); }
    }

    /// <summary>Who asks for a change: the OperationId and Actor that a function of HvTui further out was called with.</summary>
    internal static class Asking
    {
        internal static void Write(Utf8JsonWriter writer, string question)
        {
            if (question.StartsWith("Get-", StringComparison.Ordinal) || question.StartsWith("HvTui:", StringComparison.Ordinal)) { return; }
            System.Management.Automation.Runspaces.Runspace here = System.Management.Automation.Runspaces.Runspace.DefaultRunspace;
            if (here == null || here.Debugger == null) { return; }
            foreach (CallStackFrame frame in here.Debugger.GetCallStack())
            {
                InvocationInfo call = frame.InvocationInfo;
                if (call == null || call.BoundParameters == null) { continue; }
                if (!call.BoundParameters.TryGetValue("OperationId", out object operation) || !call.BoundParameters.TryGetValue("Actor", out object actor)) { continue; }
                writer.WritePropertyName("asked");
                writer.WriteStartObject();
                // A helper gets its caller's values: the outermost one is the function that was called.
                writer.WriteString("function", Outermost(here));
                writer.WriteString("operation", Convert.ToString(operation));
                writer.WriteString("actor", Convert.ToString(actor));
                writer.WriteEndObject();
                return;
            }
        }

        private static string Outermost(System.Management.Automation.Runspaces.Runspace here)
        {
            string found = "";
            foreach (CallStackFrame frame in here.Debugger.GetCallStack())
            {
                InvocationInfo call = frame.InvocationInfo;
                if (call != null && call.BoundParameters != null && call.BoundParameters.ContainsKey("OperationId")) { found = frame.FunctionName; }
            }
            return found;
        }
    }

    /// <summary>Asks what no command of Windows says: the name of this node, its clock, its rights.</summary>
    public abstract class FactCmdlet : StubCmdlet
    {
        [Parameter(Mandatory = true, Position = 0)]
        public string Name { get; set; }

        [Parameter]
        public int Id { get; set; }

        [Parameter]
        public string Text { get; set; }

        protected override string Question { get { return "HvTui:" + Name; } }

        protected override bool Sends(string parameter) { return parameter != "Name" && base.Sends(parameter); }
    }
}
