// The drive HKLM: of a node. Item and property commands are the engine's own; what they read and change is the lab's.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Provider;
using System.Text.Json;
using Microsoft.Win32;

namespace HvTuiLab
{
    /// <summary>A key as Get-Item gives it; the engine's own class of that name works on Windows only.</summary>
    public sealed class RegistryKey
    {
        private readonly Dictionary<string, KeyValuePair<object, RegistryValueKind>> values;

        internal RegistryKey(string name, string[] keys, Dictionary<string, KeyValuePair<object, RegistryValueKind>> values)
        {
            Name = name;
            this.values = values;
            SubKeyCount = keys.Length;
            this.keys = keys;
        }

        private readonly string[] keys;

        public string Name { get; private set; }

        public int SubKeyCount { get; private set; }

        public int ValueCount { get { return values.Count; } }

        public string[] GetSubKeyNames() { return (string[])keys.Clone(); }

        public string[] GetValueNames()
        {
            string[] names = new string[values.Count];
            values.Keys.CopyTo(names, 0);
            return names;
        }

        public object GetValue(string name) { return GetValue(name, null); }

        public object GetValue(string name, object otherwise)
        {
            return values.TryGetValue(name ?? "", out KeyValuePair<object, RegistryValueKind> found) ? found.Key : otherwise;
        }

        public RegistryValueKind GetValueKind(string name)
        {
            if (values.TryGetValue(name ?? "", out KeyValuePair<object, RegistryValueKind> found)) { return found.Value; }
            throw new System.IO.IOException("The specified registry key does not exist.");
        }

        public void Close() { }

        public override string ToString() { return Name; }
    }

    /// <summary>The type of the value that is written: -Type of Set-ItemProperty.</summary>
    public sealed class RegistryTypeParameter
    {
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public RegistryValueKind Type { get; set; }
    }

    public abstract class RegistryBase : NavigationCmdletProvider, IPropertyCmdletProvider, IDynamicPropertyCmdletProvider
    {
        private const string Hive = "HKEY_LOCAL_MACHINE";

        // --- where ---

        private static string Native(string path)
        {
            return (path ?? "").Replace('/', '\\').Trim('\\');
        }

        /// <summary>The path as people write it: HKLM:\...</summary>
        private static string Shown(string path)
        {
            string native = Native(path);
            return native.StartsWith(Hive, StringComparison.OrdinalIgnoreCase) ? "HKLM:" + native.Substring(Hive.Length) : native;
        }

        protected override Collection<PSDriveInfo> InitializeDefaultDrives()
        {
            return new Collection<PSDriveInfo> { new PSDriveInfo("HKLM", ProviderInfo, Hive, "The configuration of the node", null) };
        }

        protected override bool IsValidPath(string path) { return !string.IsNullOrEmpty(path); }

        // --- the lab ---

        private JsonDocument Ask(string command, string path, params (string Name, object Value)[] more)
        {
            try
            {
                Channel channel = Channel.Current;
                Call call = channel.Send(writer =>
                {
                    writer.WriteString("command", command);
                    writer.WritePropertyName("parameters");
                    writer.WriteStartObject();
                    writer.WriteString("LiteralPath", Shown(path));
                    foreach ((string name, object value) in more)
                    {
                        writer.WritePropertyName(name);
                        Writer.Value(writer, value);
                    }
                    writer.WriteEndObject();
                    Asking.Write(writer, command);
                    writer.WriteString("set", "");
                });
                return channel.Wait(call, -1);
            }
            catch (ChannelClosedException gone)
            {
                ThrowTerminatingError(new ErrorRecord(gone, "LabClosed", ErrorCategory.ConnectionError, null));
                return null;
            }
        }

        /// <summary>The answer's first output; its errors are written, and then there is none.</summary>
        private bool Answered(JsonDocument answer, out JsonElement first)
        {
            first = default(JsonElement);
            if (answer == null) { return false; }
            JsonElement root = answer.RootElement;
            bool fine = true;
            foreach (JsonElement one in root.GetProperty("errors").EnumerateArray())
            {
                fine = false;
                ErrorRecord record = Errors.Record(one);
                if (one.TryGetProperty("terminating", out JsonElement fatal) && fatal.ValueKind == JsonValueKind.True) { ThrowTerminatingError(record); }
                WriteError(record);
            }
            JsonElement output = root.GetProperty("output");
            if (!fine || output.GetArrayLength() == 0) { return false; }
            first = output[0];
            return true;
        }

        private RegistryKey Key(string path, string command = "HvTui:RegistryKey")
        {
            using (JsonDocument answer = Ask(command, path))
            {
                if (!Answered(answer, out JsonElement found)) { return null; }
                Dictionary<string, KeyValuePair<object, RegistryValueKind>> values = new Dictionary<string, KeyValuePair<object, RegistryValueKind>>(StringComparer.OrdinalIgnoreCase);
                foreach (JsonElement one in found.GetProperty("values").EnumerateArray())
                {
                    RegistryValueKind kind = (RegistryValueKind)Enum.Parse(typeof(RegistryValueKind), one.GetProperty("kind").GetString());
                    JsonElement value = one.GetProperty("value");
                    object read = kind == RegistryValueKind.DWord ? unchecked((int)value.GetInt64()) : (object)value.GetString();
                    values[one.GetProperty("name").GetString()] = new KeyValuePair<object, RegistryValueKind>(read, kind);
                }
                List<string> keys = new List<string>();
                foreach (JsonElement one in found.GetProperty("keys").EnumerateArray()) { keys.Add(one.GetString()); }
                return new RegistryKey(found.GetProperty("name").GetString(), keys.ToArray(), values);
            }
        }

        // --- keys ---

        protected override bool ItemExists(string path)
        {
            using (JsonDocument answer = Ask("HvTui:RegistryPath", path))
            {
                return Answered(answer, out JsonElement found) && found.ValueKind == JsonValueKind.True;
            }
        }

        protected override bool IsItemContainer(string path) { return ItemExists(path); }

        protected override bool HasChildItems(string path)
        {
            RegistryKey key = Key(path);
            return key != null && key.SubKeyCount > 0;
        }

        protected override void GetItem(string path)
        {
            RegistryKey key = Key(path, "Get-Item");
            if (key == null) { return; }
            WriteItemObject(Noted(key), path, true);
        }

        private static PSObject Noted(RegistryKey key)
        {
            PSObject made = new PSObject(key);
            made.TypeNames.Insert(0, "Microsoft.Win32.RegistryKey");
            made.Properties.Add(new PSNoteProperty("Property", key.GetValueNames()));
            return made;
        }

        protected override void GetChildItems(string path, bool recurse)
        {
            RegistryKey key = Key(path);
            if (key == null) { return; }
            foreach (string name in key.GetSubKeyNames())
            {
                string child = MakePath(path, name);
                GetItem(child);
                if (recurse) { GetChildItems(child, true); }
            }
        }

        protected override void GetChildNames(string path, ReturnContainers returnContainers)
        {
            RegistryKey key = Key(path);
            if (key == null) { return; }
            foreach (string name in key.GetSubKeyNames()) { WriteItemObject(name, path, true); }
        }

        // --- values ---

        /// <summary>The values that a name chooses: with -LiteralPath it is taken as it stands, else it is a wildcard.</summary>
        private List<string> Chosen(RegistryKey key, string path, string wanted)
        {
            List<string> found = new List<string>();
            WildcardPattern pattern = SuppressWildcards ? null : WildcardPattern.Get(wanted, WildcardOptions.IgnoreCase);
            foreach (string name in key.GetValueNames())
            {
                if (pattern == null ? string.Equals(name, wanted, StringComparison.OrdinalIgnoreCase) : pattern.IsMatch(name)) { found.Add(name); }
            }
            if (found.Count == 0 && (pattern == null || !WildcardPattern.ContainsWildcardCharacters(wanted)))
            {
                Exception wrong = new PSArgumentException("Property " + wanted + " does not exist at path " + Native(path) + ".");
                WriteError(new ErrorRecord(wrong, wrong.GetType().FullName, ErrorCategory.InvalidArgument, path));
            }
            return found;
        }

        private bool SuppressWildcards
        {
            get
            {
                // What -LiteralPath says to a provider is not public.
                object context = typeof(CmdletProvider).GetProperty("Context", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic).GetValue(this);
                return (bool)context.GetType().GetProperty("SuppressWildcardExpansion", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public).GetValue(context);
            }
        }

        public void GetProperty(string path, Collection<string> providerSpecificPickList)
        {
            RegistryKey key = Key(path, "Get-ItemProperty");
            if (key == null) { return; }
            PSObject made = new PSObject();
            if (providerSpecificPickList == null || providerSpecificPickList.Count == 0)
            {
                foreach (string name in key.GetValueNames()) { Add(made, key, name); }
            }
            else
            {
                foreach (string wanted in providerSpecificPickList)
                {
                    foreach (string name in Chosen(key, path, wanted)) { Add(made, key, name); }
                }
            }
            foreach (PSPropertyInfo any in made.Properties)
            {
                WritePropertyObject(made, path);
                return;
            }
        }

        private static void Add(PSObject made, RegistryKey key, string name)
        {
            if (made.Properties[name] == null) { made.Properties.Add(new PSNoteProperty(name, key.GetValue(name))); }
        }

        public void SetProperty(string path, PSObject propertyValue)
        {
            RegistryTypeParameter chosen = DynamicParameters as RegistryTypeParameter;
            foreach (PSMemberInfo one in propertyValue.Properties)
            {
                Write("Set-ItemProperty", path, one.Name, one.Value, chosen == null ? RegistryValueKind.Unknown : chosen.Type);
            }
        }

        private void Write(string command, string path, string name, object value, RegistryValueKind kind)
        {
            object plain = value is PSObject ? ((PSObject)value).BaseObject : value;
            if (!ShouldProcess("Item: " + Native(path) + " Property: " + name, command == "Set-ItemProperty" ? "Set Property" : "New Property")) { return; }
            using (JsonDocument answer = Ask(command, path, ("Name", name), ("Value", plain), ("Type", kind.ToString()), ("Force", (bool)Force)))
            {
                if (!Answered(answer, out JsonElement found)) { return; }
                PSObject made = new PSObject();
                made.Properties.Add(new PSNoteProperty(name, plain));
                WritePropertyObject(made, path);
            }
        }

        public void NewProperty(string path, string propertyName, string propertyTypeName, object value)
        {
            RegistryValueKind kind = string.IsNullOrEmpty(propertyTypeName) ? RegistryValueKind.Unknown : (RegistryValueKind)Enum.Parse(typeof(RegistryValueKind), propertyTypeName, true);
            Write("New-ItemProperty", path, propertyName, value, kind);
        }

        public void RemoveProperty(string path, string propertyName)
        {
            RegistryKey key = Key(path);
            if (key == null) { return; }
            foreach (string name in Chosen(key, path, propertyName))
            {
                if (!ShouldProcess("Item: " + Native(path) + " Property: " + name, "Remove Property")) { continue; }
                using (JsonDocument answer = Ask("Remove-ItemProperty", path, ("Name", name))) { Answered(answer, out JsonElement none); }
            }
        }

        public void ClearProperty(string path, Collection<string> propertyToClear) { throw Unlike("Clear-ItemProperty"); }

        public void CopyProperty(string sourcePath, string sourceProperty, string destinationPath, string destinationProperty) { throw Unlike("Copy-ItemProperty"); }

        public void MoveProperty(string sourcePath, string sourceProperty, string destinationPath, string destinationProperty) { throw Unlike("Move-ItemProperty"); }

        public void RenameProperty(string path, string sourceProperty, string destinationProperty) { throw Unlike("Rename-ItemProperty"); }

        private static Exception Unlike(string command) { return new PSNotSupportedException(command + " of the registry is not supported by this lab"); }

        public object SetPropertyDynamicParameters(string path, PSObject propertyValue) { return new RegistryTypeParameter(); }

        public object GetPropertyDynamicParameters(string path, Collection<string> providerSpecificPickList) { return null; }

        public object ClearPropertyDynamicParameters(string path, Collection<string> propertyToClear) { return null; }

        public object CopyPropertyDynamicParameters(string sourcePath, string sourceProperty, string destinationPath, string destinationProperty) { return null; }

        public object MovePropertyDynamicParameters(string sourcePath, string sourceProperty, string destinationPath, string destinationProperty) { return null; }

        public object NewPropertyDynamicParameters(string path, string propertyName, string propertyTypeName, object value) { return null; }

        public object RemovePropertyDynamicParameters(string path, string propertyName) { return null; }

        public object RenamePropertyDynamicParameters(string path, string sourceProperty, string destinationProperty) { return null; }
    }
}
