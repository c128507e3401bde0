// JSON of the control channel to typed objects, and bound parameters to JSON.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;
using System.Security;
using System.Text.Json;

namespace HvTuiLab
{
    /// <summary>The lab answered what the commands of this Windows cannot say: an error of the lab, made loud.</summary>
    public sealed class LabAnswerException : InvalidOperationException
    {
        public LabAnswerException(string message) : base(message) { }
    }

    internal static class Reader
    {
        private sealed class Shape
        {
            internal readonly Type Type;
            internal readonly Dictionary<string, PropertyInfo> Members = new Dictionary<string, PropertyInfo>(StringComparer.Ordinal);

            internal Shape(Type type)
            {
                Type = type;
                for (Type one = type; one != null && one != typeof(object); one = one.BaseType)
                {
                    foreach (PropertyInfo member in one.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                    {
                        if (!Members.ContainsKey(member.Name)) { Members[member.Name] = member; }
                    }
                }
                // What the lab answers is not written back to it.
                foreach (string name in new List<string>(Members.Keys))
                {
                    if (name.StartsWith("Raw_", StringComparison.Ordinal)) { Members[name.Substring(4)] = Members[name]; }
                }
            }
        }

        private static readonly Dictionary<string, Shape> Shapes = new Dictionary<string, Shape>(StringComparer.Ordinal);

        /// <summary>A value whose type the receiver does not know.</summary>
        internal static object Free(JsonElement value)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.Null: return null;
                case JsonValueKind.True: return true;
                case JsonValueKind.False: return false;
                case JsonValueKind.String: return value.GetString();
                case JsonValueKind.Number:
                    if (value.TryGetInt32(out int small)) { return small; }
                    if (value.TryGetInt64(out long big)) { return big; }
                    if (value.TryGetUInt64(out ulong huge)) { return huge; }
                    return value.GetDouble();
                case JsonValueKind.Array:
                    object[] list = new object[value.GetArrayLength()];
                    int at = 0;
                    foreach (JsonElement one in value.EnumerateArray()) { list[at++] = Free(one); }
                    return list;
                default: return Object(value);
            }
        }

        private static object Object(JsonElement value)
        {
            foreach (JsonProperty first in value.EnumerateObject())
            {
                switch (first.Name)
                {
                    case "$date": return Date(first.Value);
                    case "$span": return TimeSpan.FromSeconds(first.Value.GetDouble());
                    case "$bytes": return first.Value.GetBytesFromBase64();
                    case "$cim": return Cim(first.Value.GetString(), value);
                    case "$type": return Typed(first.Value.GetString(), value);
                }
                break;
            }
            throw new LabAnswerException("an object must begin with $type, $cim, $date, $span or $bytes");
        }

        private static DateTime Date(JsonElement value)
        {
            // The commands and CIM give local time, whatever their source counts in.
            return DateTime.Parse(value.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal).ToLocalTime();
        }

        private static object Typed(string name, JsonElement value)
        {
            if (name == "System.Collections.Hashtable")
            {
                Hashtable table = new Hashtable(StringComparer.CurrentCultureIgnoreCase);
                foreach (JsonProperty one in value.EnumerateObject()) { if (one.Name != "$type") { table[one.Name] = Free(one.Value); } }
                return table;
            }
            Shape shape;
            lock (Shapes)
            {
                if (!Shapes.TryGetValue(name, out shape))
                {
                    Type type = typeof(Reader).Assembly.GetType(name, false) ?? typeof(Reader).Assembly.GetType("HvTuiLab." + name.Substring(name.LastIndexOf('.') + 1), false);
                    if (type == null) { throw new LabAnswerException("no command gives objects of type " + name); }
                    shape = new Shape(type);
                    Shapes[name] = shape;
                }
            }
            object made = Activator.CreateInstance(shape.Type, true);
            foreach (JsonProperty one in value.EnumerateObject())
            {
                if (one.Name == "$type") { continue; }
                if (shape.Members.TryGetValue(one.Name, out PropertyInfo member) && member.SetMethod != null)
                {
                    member.SetMethod.Invoke(made, new object[] { Member(name, one, member.PropertyType) });
                }
                else if (!Absent.Has(name, one.Name))
                {
                    throw new LabAnswerException(name + " has no property " + one.Name);
                }
            }
            INoted noted = made as INoted;
            return noted == null ? made : noted.Note();
        }

        private static object Cim(string path, JsonElement value)
        {
            CimClass schema = CimRepository.Find(path);
            if (schema == null) { throw new LabAnswerException("no CIM class " + path); }
            if (schema.Open) { return OpenCim(schema, value); }
            object[] values = new object[schema.CimClassProperties.Count];
            foreach (JsonProperty one in value.EnumerateObject())
            {
                if (one.Name == "$cim") { continue; }
                if (!schema.Index.TryGetValue(one.Name, out int at))
                {
                    throw new LabAnswerException(schema.CimClassName + " has no property " + one.Name);
                }
                if (one.Value.ValueKind != JsonValueKind.Null) { values[at] = Member(schema.CimClassName, one, schema.CimClassProperties[at].Net); }
            }
            return new CimInstance { CimClass = schema, Values = values };
        }

        private static CimInstance OpenCim(CimClass schema, JsonElement value)
        {
            List<CimPropertyDeclaration> properties = new List<CimPropertyDeclaration>();
            Dictionary<string, int> index = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
            List<object> values = new List<object>();
            foreach (JsonProperty one in value.EnumerateObject())
            {
                if (one.Name == "$cim") { continue; }
                object given = Free(one.Value);
                // Cluster properties are DWORDs unless they are larger.
                if (given is int && (int)given >= 0) { given = (uint)(int)given; } else if (given is long && (long)given <= uint.MaxValue && (long)given >= 0) { given = (uint)(long)given; }
                index[one.Name] = values.Count;
                properties.Add(new CimPropertyDeclaration { Name = one.Name, CimType = "", Net = given == null ? typeof(string) : given.GetType() });
                values.Add(given);
            }
            CimClass own = new CimClass
            {
                CimClassName = schema.CimClassName,
                CimClassProperties = properties.AsReadOnly(),
                CimClassMethods = schema.CimClassMethods,
                CimSystemProperties = schema.CimSystemProperties,
                Open = true,
                Index = index,
                Names = schema.Names,
            };
            return new CimInstance { CimClass = own, Values = values.ToArray() };
        }

        private static object Member(string owner, JsonProperty given, Type type)
        {
            try
            {
                return To(given.Value, type);
            }
            catch (Exception wrong) when (wrong is FormatException || wrong is InvalidCastException || wrong is ArgumentException || (wrong is InvalidOperationException && !(wrong is LabAnswerException)))
            {
                throw new LabAnswerException(owner + "." + given.Name + ": " + Wrong(given.Value, type).Message);
            }
        }

        /// <summary>A value of exactly the type that the property has.</summary>
        internal static object To(JsonElement value, Type type)
        {
            Type inner = Nullable.GetUnderlyingType(type);
            if (value.ValueKind == JsonValueKind.Null) { return type.IsValueType && inner == null ? Activator.CreateInstance(type) : null; }
            if (inner != null) { type = inner; }
            if (type.IsEnum)
            {
                if (value.ValueKind == JsonValueKind.String) { return Enum.Parse(type, value.GetString(), true); }
                return value.TryGetInt64(out long number) ? Enum.ToObject(type, number) : Enum.ToObject(type, value.GetUInt64());
            }
            switch (Type.GetTypeCode(type))
            {
                case TypeCode.String: return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(value, type);
                case TypeCode.Boolean: return value.GetBoolean();
                case TypeCode.Byte: return value.GetByte();
                case TypeCode.SByte: return value.GetSByte();
                case TypeCode.UInt16: return value.GetUInt16();
                case TypeCode.Int16: return value.GetInt16();
                case TypeCode.UInt32: return value.GetUInt32();
                case TypeCode.Int32: return value.GetInt32();
                case TypeCode.UInt64: return value.GetUInt64();
                case TypeCode.Int64: return value.GetInt64();
                case TypeCode.Single: return value.GetSingle();
                case TypeCode.Double: return value.GetDouble();
                case TypeCode.DateTime: return (DateTime)Free(value);
            }
            if (type == typeof(Guid)) { return Guid.Parse(value.GetString()); }
            if (type == typeof(TimeSpan)) { return value.ValueKind == JsonValueKind.Number ? TimeSpan.FromSeconds(value.GetDouble()) : (TimeSpan)Free(value); }
            if (type == typeof(Version)) { return Version.Parse(value.GetString()); }
            if (type.IsArray) { return value.ValueKind == JsonValueKind.Array ? Many(value, type.GetElementType()) : Free(value); }
            if (type.IsGenericType && value.ValueKind == JsonValueKind.Array)
            {
                Array items = Many(value, type.GetGenericArguments()[0]);
                return Activator.CreateInstance(typeof(List<>).MakeGenericType(type.GetGenericArguments()[0]), items);
            }
            if (type == typeof(System.Collections.Specialized.StringCollection))
            {
                System.Collections.Specialized.StringCollection texts = new System.Collections.Specialized.StringCollection();
                foreach (JsonElement one in value.EnumerateArray()) { texts.Add(one.GetString()); }
                return texts;
            }
            object made = Free(value);
            if (made != null && !type.IsInstanceOfType(made)) { throw Wrong(value, type); }
            return made;
        }

        private static Array Many(JsonElement value, Type type)
        {
            Array items = Array.CreateInstance(type, value.GetArrayLength());
            int at = 0;
            foreach (JsonElement one in value.EnumerateArray()) { items.SetValue(To(one, type), at++); }
            return items;
        }

        private static LabAnswerException Wrong(JsonElement value, Type type)
        {
            string text = value.GetRawText();
            return new LabAnswerException("the value " + (text.Length > 80 ? text.Substring(0, 80) : text) + " is no " + type.FullName);
        }
    }

    internal static class Writer
    {
        internal static void Value(Utf8JsonWriter writer, object value, bool nested = false)
        {
            PSObject wrapped = value as PSObject;
            if (wrapped != null && !(wrapped.BaseObject is PSCustomObject)) { value = wrapped.BaseObject; }
            if (value == null) { writer.WriteNullValue(); return; }
            if (value is SwitchParameter) { writer.WriteBooleanValue(((SwitchParameter)value).IsPresent); return; }
            if (value is Enum)
            {
                if (Enum.GetUnderlyingType(value.GetType()) == typeof(ulong)) { writer.WriteNumberValue(Convert.ToUInt64(value, CultureInfo.InvariantCulture)); } else { writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); }
                return;
            }
            switch (Type.GetTypeCode(value.GetType()))
            {
                case TypeCode.String: writer.WriteStringValue((string)value); return;
                case TypeCode.Char: writer.WriteStringValue(value.ToString()); return;
                case TypeCode.Boolean: writer.WriteBooleanValue((bool)value); return;
                case TypeCode.UInt64: writer.WriteNumberValue((ulong)value); return;
                case TypeCode.Single: writer.WriteNumberValue((float)value); return;
                case TypeCode.Double: writer.WriteNumberValue((double)value); return;
                case TypeCode.Decimal: writer.WriteNumberValue((decimal)value); return;
                case TypeCode.Byte:
                case TypeCode.SByte:
                case TypeCode.Int16:
                case TypeCode.UInt16:
                case TypeCode.Int32:
                case TypeCode.UInt32:
                case TypeCode.Int64: writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); return;
                case TypeCode.DateTime: Tagged(writer, "$date", ((DateTime)value).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)); return;
            }
            if (value is TimeSpan)
            {
                writer.WriteStartObject();
                writer.WriteNumber("$span", ((TimeSpan)value).TotalSeconds);
                writer.WriteEndObject();
            }
            else if (value is Guid || value is Version || value is Uri || value is ScriptBlock) { writer.WriteStringValue(value.ToString()); }
            else if (value is System.Xml.XmlDocument) { writer.WriteStringValue(((System.Xml.XmlDocument)value).OuterXml); }
            else if (value is byte[]) { Tagged(writer, "$bytes", Convert.ToBase64String((byte[])value)); }
            else if (value is PSCredential) { Tagged(writer, "$credential", ((PSCredential)value).UserName); }
            else if (value is SecureString)
            {
                writer.WriteStartObject();
                writer.WriteBoolean("$secret", true);
                writer.WriteEndObject();
            }
            else if (value is CimInstance) { Cim(writer, (CimInstance)value); }
            else if (value is IDictionary) { Table(writer, (IDictionary)value); }
            else if (value is IEnumerable)
            {
                writer.WriteStartArray();
                foreach (object one in (IEnumerable)value) { Value(writer, one, nested); }
                writer.WriteEndArray();
            }
            else { Members(writer, value, nested); }
        }

        private static void Tagged(Utf8JsonWriter writer, string name, string text)
        {
            writer.WriteStartObject();
            writer.WriteString(name, text);
            writer.WriteEndObject();
        }

        private static void Table(Utf8JsonWriter writer, IDictionary table)
        {
            writer.WriteStartObject();
            foreach (DictionaryEntry one in table)
            {
                writer.WritePropertyName(one.Key.ToString());
                Value(writer, one.Value);
            }
            writer.WriteEndObject();
        }

        private static void Cim(Utf8JsonWriter writer, CimInstance value)
        {
            writer.WriteStartObject();
            writer.WriteString("$cim", value.CimSystemProperties.Namespace + "/" + value.CimClass.CimClassName);
            for (int i = 0; i < value.Values.Length; i++) { Scalar(writer, value.CimClass.CimClassProperties[i].Name, value.Values[i]); }
            writer.WriteEndObject();
        }

        private static void Members(Utf8JsonWriter writer, object value, bool nested)
        {
            writer.WriteStartObject();
            writer.WriteString("$type", Noted.NameOf(value.GetType()));
            if (!nested)
            {
                foreach (PropertyInfo member in value.GetType().GetProperties())
                {
                    if (member.GetIndexParameters().Length == 0 && !Default(member, value)) { Scalar(writer, member.Name, member.GetValue(value)); }
                }
            }
            writer.WriteEndObject();
        }

        private static bool Default(PropertyInfo member, object value)
        {
            return member.PropertyType.IsValueType && object.Equals(Activator.CreateInstance(member.PropertyType), member.GetValue(value));
        }

        private static void Scalar(Utf8JsonWriter writer, string name, object value)
        {
            if (value == null || !(value is string || value is Guid || value is DateTime || value.GetType().IsPrimitive || value is Enum)) { return; }
            writer.WritePropertyName(name);
            Value(writer, value, true);
        }
    }

    /// <summary>Objects to which the real command adds a note property.</summary>
    internal interface INoted
    {
        PSObject Note();
    }
}
