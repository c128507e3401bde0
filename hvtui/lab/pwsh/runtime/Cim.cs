// CIM classes and instances. The engine's own CimInstance needs a native library that exists on Windows only, so these
// are objects of that type name and shape, with the members of the class and no others.
using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.IO;
using System.Management.Automation;
using System.Text.Json;

namespace HvTuiLab
{
    /// <summary>A property of a CIM class: its name and CIM type, arrays with [] behind the type.</summary>
    public sealed class CimPropertyDeclaration
    {
        public string Name { get; internal set; }
        public string CimType { get; internal set; }
        internal Type Net;

        public override string ToString() { return Name; }
    }

    /// <summary>A CIM class; what Get-CimClass gives.</summary>
    public sealed class CimClass
    {
        public string CimClassName { get; internal set; }
        public string CimSuperClassName { get; internal set; }
        public ReadOnlyCollection<CimPropertyDeclaration> CimClassProperties { get; internal set; }
        public ReadOnlyCollection<string> CimClassMethods { get; internal set; }
        public CimSystemProperties CimSystemProperties { get; internal set; }
        // Members as sent instead of declared ones: a property list whose members depend on the object.
        internal bool Open;
        internal Dictionary<string, int> Index;
        internal Collection<string> Names;

        public override string ToString() { return CimSystemProperties.Namespace + ":" + CimClassName; }
    }

    public sealed class CimSystemProperties
    {
        public string Namespace { get; internal set; }
        public string ServerName { get; internal set; }
        public string ClassName { get; internal set; }
        public string Path { get; internal set; }
    }

    /// <summary>The classes of a namespace, read from the file beside this assembly when first asked for.</summary>
    public static class CimRepository
    {
        private static readonly object Gate = new object();
        private static readonly Dictionary<string, CimClass> Known = new Dictionary<string, CimClass>(StringComparer.OrdinalIgnoreCase);
        private static Dictionary<string, JsonElement> facts;

        private static Dictionary<string, JsonElement> Facts
        {
            get
            {
                if (facts == null)
                {
                    string file = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(typeof(CimRepository).Assembly.Location), "cim.json");
                    Dictionary<string, JsonElement> read = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
                    foreach (JsonProperty one in JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.EnumerateObject()) { read[one.Name] = one.Value; }
                    facts = read;
                }
                return facts;
            }
        }

        /// <summary>The class of that name, or null. Path: root/namespace/Class.</summary>
        public static CimClass Find(string path)
        {
            lock (Gate)
            {
                if (Known.TryGetValue(path, out CimClass known)) { return known; }
                int slash = path.LastIndexOf('/');
                CimClass made = Make(path.Substring(0, slash), path.Substring(slash + 1));
                if (made != null) { Known[path] = made; }
                return made;
            }
        }

        private static CimClass Make(string space, string name)
        {
            if (!Facts.TryGetValue(name, out JsonElement fact)) { return null; }
            List<CimPropertyDeclaration> properties = new List<CimPropertyDeclaration>();
            Dictionary<string, int> index = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
            Collection<string> names = new Collection<string>();
            foreach (JsonProperty one in fact.GetProperty("properties").EnumerateObject())
            {
                index[one.Name] = properties.Count;
                properties.Add(new CimPropertyDeclaration { Name = one.Name, CimType = one.Value.GetString(), Net = Net(one.Value.GetString()) });
            }
            List<string> methods = new List<string>();
            foreach (JsonElement one in fact.GetProperty("methods").EnumerateArray()) { methods.Add(one.GetString()); }
            string parent = fact.GetProperty("parent").GetString();
            List<string> line = new List<string>();
            for (string one = name; one != null && line.Count < 20;)
            {
                line.Add(one);
                one = Facts.TryGetValue(one, out JsonElement next) ? next.GetProperty("parent").GetString() : null;
            }
            const string head = "Microsoft.Management.Infrastructure.CimInstance";
            foreach (string one in line) { names.Add(head + "#" + space + "/" + one); }
            foreach (string one in line) { names.Add(head + "#" + one); }
            names.Add(head);
            names.Add("System.Object");
            return new CimClass
            {
                CimClassName = name,
                CimSuperClassName = parent,
                CimClassProperties = properties.AsReadOnly(),
                CimClassMethods = methods.AsReadOnly(),
                CimSystemProperties = new CimSystemProperties { Namespace = space, ClassName = name },
                Open = fact.TryGetProperty("open", out _),
                Index = index,
                Names = names,
            };
        }

        private static Type Net(string type)
        {
            bool array = type.EndsWith("[]", StringComparison.Ordinal);
            Type one;
            switch (array ? type.Substring(0, type.Length - 2) : type)
            {
                case "string": one = typeof(string); break;
                case "boolean": one = typeof(bool); break;
                case "uint8": one = typeof(byte); break;
                case "sint8": one = typeof(sbyte); break;
                case "uint16": one = typeof(ushort); break;
                case "sint16": one = typeof(short); break;
                case "uint32": one = typeof(uint); break;
                case "sint32": one = typeof(int); break;
                case "uint64": one = typeof(ulong); break;
                case "sint64": one = typeof(long); break;
                case "real32": one = typeof(float); break;
                case "real64": one = typeof(double); break;
                case "datetime": one = typeof(object); break;
                default: one = typeof(CimInstance); break;
            }
            return array ? one.MakeArrayType() : one;
        }
    }

    /// <summary>A property of an instance with its value, as the provider gave it.</summary>
    public sealed class CimProperty
    {
        public string Name { get; internal set; }
        public object Value { get; internal set; }

        public override string ToString() { return Name + " = " + Value; }
    }

    /// <summary>All of them, by number and by name. The engine's own types ask here for what they make anew.</summary>
    public sealed class CimProperties : ReadOnlyCollection<CimProperty>
    {
        internal CimProperties(IList<CimProperty> all) : base(all) { }

        public CimProperty this[string name]
        {
            get
            {
                foreach (CimProperty one in this) { if (string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase)) { return one; } }
                return null;
            }
        }
    }

    /// <summary>An instance: a value, or null, for each property of its class.</summary>
    public sealed class CimInstance
    {
        public CimClass CimClass { get; internal set; }
        public CimSystemProperties CimSystemProperties { get { return CimClass.CimSystemProperties; } }
        internal object[] Values;

        public CimProperties CimInstanceProperties
        {
            get
            {
                List<CimProperty> all = new List<CimProperty>();
                for (int i = 0; i < Values.Length; i++) { all.Add(new CimProperty { Name = CimClass.CimClassProperties[i].Name, Value = Values[i] }); }
                return new CimProperties(all);
            }
        }

        internal object Get(string name)
        {
            return CimClass.Index.TryGetValue(name, out int at) ? Values[at] : null;
        }

        public override string ToString()
        {
            object key = Get("Name") ?? Get("InstanceID");
            return key == null ? CimClass.CimClassName : CimClass.CimClassName + " (" + key + ")";
        }
    }

    /// <summary>Shows the members of a CIM class as properties, as the engine's adapter for real instances does.</summary>
    public sealed class CimAdapter : PSPropertyAdapter
    {
        private const string Computer = "PSComputerName";

        public override Collection<PSAdaptedProperty> GetProperties(object baseObject)
        {
            CimInstance one = (CimInstance)baseObject;
            Collection<PSAdaptedProperty> found = new Collection<PSAdaptedProperty>();
            for (int i = 0; i < one.Values.Length; i++) { found.Add(new PSAdaptedProperty(one.CimClass.CimClassProperties[i].Name, i)); }
            found.Add(new PSAdaptedProperty(Computer, -1));
            return found;
        }

        public override PSAdaptedProperty GetProperty(object baseObject, string propertyName)
        {
            CimInstance one = (CimInstance)baseObject;
            if (one.CimClass.Index.TryGetValue(propertyName, out int at)) { return new PSAdaptedProperty(one.CimClass.CimClassProperties[at].Name, at); }
            return string.Equals(propertyName, Computer, StringComparison.OrdinalIgnoreCase) ? new PSAdaptedProperty(Computer, -1) : null;
        }

        public override object GetPropertyValue(PSAdaptedProperty adaptedProperty)
        {
            int at = (int)adaptedProperty.Tag;
            return at < 0 ? null : ((CimInstance)adaptedProperty.BaseObject).Values[at];
        }

        public override bool IsSettable(PSAdaptedProperty adaptedProperty) { return false; }

        public override bool IsGettable(PSAdaptedProperty adaptedProperty) { return true; }

        public override void SetPropertyValue(PSAdaptedProperty adaptedProperty, object value)
        {
            throw new SetValueException("The property '" + adaptedProperty.Name + "' is read only in the lab.");
        }

        public override string GetPropertyTypeName(PSAdaptedProperty adaptedProperty)
        {
            int at = (int)adaptedProperty.Tag;
            return at < 0 ? "System.String" : ((CimInstance)adaptedProperty.BaseObject).CimClass.CimClassProperties[at].Net.FullName;
        }

        public override Collection<string> GetTypeNameHierarchy(object baseObject)
        {
            return ((CimInstance)baseObject).CimClass.Names;
        }
    }
}
