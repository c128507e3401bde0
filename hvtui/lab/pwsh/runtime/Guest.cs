// Invoke-Command -VMId: the block runs in a runspace of its own, whose commands answer for that guest. What it is given
// and what it writes cross as they would between two computers: the block as text, its output serialised one level deep.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Remoting;
using System.Management.Automation.Runspaces;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace HvTuiLab
{
    /// <summary>Which runspace answers for which guest.</summary>
    public static class Guests
    {
        private static readonly ConcurrentDictionary<Guid, string> Tokens = new ConcurrentDictionary<Guid, string>();

        /// <summary>The token of the session that the calling thread's runspace belongs to.</summary>
        internal static string Token
        {
            get
            {
                Runspace here = Runspace.DefaultRunspace;
                return here != null && Tokens.TryGetValue(here.InstanceId, out string token) ? token : Channel.Token;
            }
        }

        internal static void Enter(Runspace runspace, string token) { Tokens[runspace.InstanceId] = token; }

        internal static void Leave(Runspace runspace) { Tokens.TryRemove(runspace.InstanceId, out _); }

        /// <summary>A question that is no command: its whole answer.</summary>
        internal static JsonDocument Ask(string question, Action<Utf8JsonWriter> parameters)
        {
            Channel channel = Channel.Current;
            return channel.Wait(channel.Send(delegate(Utf8JsonWriter writer)
            {
                writer.WriteString("command", question);
                writer.WritePropertyName("parameters");
                writer.WriteStartObject();
                parameters(writer);
                writer.WriteEndObject();
            }), -1);
        }

        internal static ErrorRecord Wrong(JsonDocument answer)
        {
            JsonElement errors = answer.RootElement.GetProperty("errors");
            return errors.GetArrayLength() > 0 ? Errors.Record(errors[0]) : null;
        }

        /// <summary>What is in a folder of the guest; what Get-ChildItem would give, as far as it is looked at.</summary>
        public static List<PSObject> Folder(string path)
        {
            List<PSObject> found = new List<PSObject>();
            using (JsonDocument answer = Ask("HvTui:GuestFolder", writer => writer.WriteString("LiteralPath", path)))
            {
                ErrorRecord wrong = Wrong(answer);
                if (wrong != null) { throw wrong.Exception; }
                foreach (JsonElement one in answer.RootElement.GetProperty("output").EnumerateArray())
                {
                    bool folder = one[1].GetBoolean();
                    PSObject made = new PSObject();
                    made.Properties.Add(new PSNoteProperty("FullName", path.TrimEnd('\\') + "\\" + one[0].GetString()));
                    made.Properties.Add(new PSNoteProperty("PSIsContainer", folder));
                    made.Properties.Add(new PSNoteProperty("Attributes", folder ? System.IO.FileAttributes.Directory : System.IO.FileAttributes.Archive));
                    if (!folder) { made.Properties.Add(new PSNoteProperty("Length", one[2].GetInt64())); }
                    found.Add(made);
                }
            }
            return found;
        }
    }

    /// <summary>What Invoke-Command -AsJob gives: one job, with one more for each VM.</summary>
    internal sealed class GuestJobs : Job
    {
        internal GuestJobs(string command, IList<Job> children) : base(command, "guests", children)
        {
            SetJobState(JobState.Running);
            foreach (Job one in ChildJobs) { one.StateChanged += delegate { Settle(); }; }
            foreach (Job one in ChildJobs) { ((GuestJob)one).Begin(); }
        }

        public override bool HasMoreData
        {
            get
            {
                foreach (Job one in ChildJobs) { if (one.HasMoreData) { return true; } }
                return false;
            }
        }

        public override string Location { get { return "guests"; } }

        public override string StatusMessage { get { return ""; } }

        public override void StopJob()
        {
            foreach (Job one in ChildJobs) { one.StopJob(); }
        }

        private void Settle()
        {
            JobState worst = JobState.Completed;
            foreach (Job one in ChildJobs)
            {
                JobState state = one.JobStateInfo.State;
                if (state == JobState.NotStarted || state == JobState.Running) { return; }
                if (state != JobState.Completed) { worst = state; }
            }
            SetJobState(worst);
        }
    }

    /// <summary>One VM of an Invoke-Command.</summary>
    internal sealed class GuestJob : Job2
    {
        // The guest's disk is not this machine's, and its programs ask for the guest.
        private const string Prelude = @"
function global:Get-ChildItem {
    [CmdletBinding()]
    param([string]$LiteralPath, [switch]$Force)
    try { foreach ($one in [HvTuiLab.Guests]::Folder($LiteralPath)) { $one } } catch { throw $_.Exception.InnerException }
}
function global:New-Object {
    [CmdletBinding()]
    param([string]$TypeName, [object[]]$ArgumentList = @())
    $made = Microsoft.PowerShell.Utility\New-Object -TypeName $TypeName -ArgumentList $ArgumentList
    if ($made -is [System.Diagnostics.Process]) { $made.StartInfo.EnvironmentVariables['HVTUI_LAB_TOKEN'] = '{session}' }
    Microsoft.PowerShell.Utility\Write-Output -InputObject $made -NoEnumerate
}";

        private readonly Guid vm;
        private readonly string user;
        private readonly string proof;
        private readonly ScriptBlock block;
        private readonly object[] values;
        private PowerShell running;
        private bool stopping;

        internal GuestJob(Guid vm, PSCredential credential, ScriptBlock block, object[] values) : base(block.ToString())
        {
            this.vm = vm;
            this.block = block;
            this.values = values;
            user = credential.UserName;
            // The password itself stays in this process.
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(credential.GetNetworkCredential().Password));
            proof = Convert.ToHexString(hash).ToLowerInvariant();
        }

        public override bool HasMoreData { get { return Output.Count > 0 || Error.Count > 0; } }

        public override string Location { get { return vm.ToString(); } }

        public override string StatusMessage { get { return ""; } }

        internal void Begin()
        {
            new Thread(Run) { IsBackground = true, Name = "lab guest" }.Start();
        }

        private void Run()
        {
            SetJobState(JobState.Running, null);
            string token = null;
            Runspace runspace = null;
            try
            {
                token = LogOn();
                if (token == null) { return; }
                InitialSessionState state = InitialSessionState.CreateDefault2();
                state.ImportPSModule(new[] { "CimCmdlets" });
                runspace = RunspaceFactory.CreateRunspace(state);
                Guests.Enter(runspace, token);
                runspace.Open();
                Inside(runspace, token);
            }
            catch (Exception wrong) when (wrong is RuntimeException || wrong is ChannelClosedException)
            {
                SetJobState(stopping ? JobState.Stopped : JobState.Failed, stopping ? null : wrong);
            }
            finally
            {
                if (runspace != null)
                {
                    Guests.Leave(runspace);
                    runspace.Dispose();
                }
                if (token != null) { Forget(token); }
            }
        }

        private void Inside(Runspace runspace, string token)
        {
            using (PowerShell shell = PowerShell.Create())
            {
                shell.Runspace = runspace;
                lock (values)
                {
                    if (stopping) { throw new PipelineStoppedException(); }
                    running = shell;
                }
                shell.AddScript(Prelude.Replace("{session}", token)).Invoke();
                shell.Commands.Clear();
                shell.AddScript(block.ToString());
                foreach (object value in values) { shell.AddArgument(value); }
                PSDataCollection<PSObject> said = new PSDataCollection<PSObject>();
                said.DataAdded += delegate(object sender, DataAddedEventArgs added)
                {
                    Output.Add(PSObject.AsPSObject(PSSerializer.Deserialize(PSSerializer.Serialize(said[added.Index], 1))));
                };
                shell.Invoke(null, said);
                foreach (ErrorRecord one in shell.Streams.Error) { Error.Add(one); }
                lock (values) { running = null; }
            }
            SetJobState(JobState.Completed, null);
        }

        private string LogOn()
        {
            using (JsonDocument answer = Guests.Ask("HvTui:GuestLogOn", Asked))
            {
                ErrorRecord wrong = Guests.Wrong(answer);
                if (wrong != null) { throw new RuntimeException(wrong.Exception.Message, wrong.Exception); }
                JsonElement said = answer.RootElement.GetProperty("output")[0];
                string kind = said[0].GetString();
                string text = said[1].GetString();
                if (kind == "") { return text; }
                Exception inner = kind == "credential" ? new PSDirectException(text) : kind == "connect" ? new SocketException((int)SocketError.TimedOut, text) : (Exception)new PSInvalidOperationException(text);
                SetJobState(JobState.Failed, new PSRemotingDataStructureException("An error has occurred which PowerShell cannot handle. A remote session might have ended.", inner));
                return null;
            }
        }

        private void Asked(Utf8JsonWriter writer)
        {
            writer.WriteString("VMId", vm.ToString());
            writer.WriteString("User", user);
            writer.WriteString("Proof", proof);
        }

        private static void Forget(string token)
        {
            try
            {
                Guests.Ask("HvTui:GuestEnd", writer => writer.WriteString("Session", token)).Dispose();
            }
            catch (ChannelClosedException)
            {
                // The lab is gone, and its sessions with it.
            }
        }

        public override void StopJob()
        {
            PowerShell shell;
            lock (values)
            {
                stopping = true;
                shell = running;
            }
            if (shell != null) { shell.Stop(); }
            if (JobStateInfo.State == JobState.Running || JobStateInfo.State == JobState.NotStarted) { SetJobState(JobState.Stopped, null); }
        }

        public override void StopJob(bool force, string reason) { StopJob(); }
        public override void StopJobAsync() { StopJob(); }
        public override void StopJobAsync(bool force, string reason) { StopJob(); }
        public override void StartJob() { throw new NotSupportedException(); }
        public override void StartJobAsync() { throw new NotSupportedException(); }
        public override void SuspendJob() { throw new NotSupportedException(); }
        public override void SuspendJobAsync() { throw new NotSupportedException(); }
        public override void SuspendJob(bool force, string reason) { throw new NotSupportedException(); }
        public override void SuspendJobAsync(bool force, string reason) { throw new NotSupportedException(); }
        public override void ResumeJob() { throw new NotSupportedException(); }
        public override void ResumeJobAsync() { throw new NotSupportedException(); }
        public override void UnblockJob() { throw new NotSupportedException(); }
        public override void UnblockJobAsync() { throw new NotSupportedException(); }
    }

    /// <summary>Invoke-Command, of which the lab has only the form for VMs, as a job.</summary>
    public abstract class GuestCommand : StubCmdlet
    {
        protected override void ProcessRecord()
        {
            IDictionary<string, object> bound = MyInvocation.BoundParameters;
            if (!bound.ContainsKey("VMId") || !bound.ContainsKey("AsJob") || !bound.ContainsKey("ScriptBlock"))
            {
                Exception no = new NotSupportedException("Invoke-Command without -VMId, -ScriptBlock and -AsJob is not supported by this lab");
                ThrowTerminatingError(new ErrorRecord(no, "LabUnsupported", ErrorCategory.NotImplemented, null));
            }
            ScriptBlock block = (ScriptBlock)bound["ScriptBlock"];
            object[] values = bound.TryGetValue("ArgumentList", out object given) ? (object[])given : Array.Empty<object>();
            List<Job> children = new List<Job>();
            foreach (Guid vm in (Guid[])bound["VMId"])
            {
                using (JsonDocument answer = Guests.Ask("Invoke-Command", writer => writer.WriteString("VMId", vm.ToString())))
                {
                    ErrorRecord wrong = Guests.Wrong(answer);
                    if (wrong != null)
                    {
                        WriteError(wrong);
                        continue;
                    }
                }
                children.Add(new GuestJob(vm, (PSCredential)bound["Credential"], block, values));
            }
            if (children.Count == 0) { return; }
            GuestJobs job = new GuestJobs(block.ToString(), children);
            JobRepository.Add(job);
            WriteObject(job);
        }
    }
}
