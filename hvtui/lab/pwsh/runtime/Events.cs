// Objects of the event log that the real commands extend with methods and a note property.
using System.Management.Automation;

namespace HvTuiLab
{
    internal static class Noted
    {
        private static readonly System.Collections.Concurrent.ConcurrentDictionary<System.Type, string> Names = new System.Collections.Concurrent.ConcurrentDictionary<System.Type, string>();

        /// <summary>The name under which Windows knows a class of the stubs.</summary>
        internal static string NameOf(System.Type type)
        {
            return Names.TryGetValue(type, out string name) ? name : type.FullName;
        }

        /// <summary>An object under the type name of a class that the engine has, but that works on Windows only.</summary>
        internal static PSObject As(object value, string name)
        {
            PSObject made = new PSObject(value);
            made.TypeNames.Insert(0, name);
            Names[value.GetType()] = name;
            return made;
        }
    }

    public partial class EventLogRecord : INoted
    {
        internal string Text;
        private string xml;

        public string ToXml() { return xml; }

        public string FormatDescription() { return Text; }

        internal string Xml { get { return xml; } set { xml = value; } }

        internal string Message { get { return Text; } set { Text = value; } }

        PSObject INoted.Note()
        {
            PSObject made = Noted.As(this, "System.Diagnostics.Eventing.Reader.EventLogRecord");
            // Get-WinEvent renders the text once and keeps it with the record.
            made.Properties.Add(new PSNoteProperty("Message", Text));
            return made;
        }
    }
}
