// Errors as Windows' commands raise them, made from what the control channel answered.
using System;
using System.ComponentModel;
using System.Management.Automation;
using System.Reflection;
using System.Text.Json;
using Microsoft.Management.Infrastructure;

namespace Microsoft.FailoverClusters.PowerShell
{
    /// <summary>What every command of the module throws; Windows' number is in the exception inside.</summary>
    public class ClusterCmdletException : Exception
    {
        public ClusterCmdletException(string message, Exception inner) : base(message, inner) { }
    }
}

namespace Microsoft.HyperV.PowerShell
{
    public class VirtualizationException : Exception
    {
        public VirtualizationException(string message, Exception inner) : base(message, inner) { }
    }

    public class VirtualizationInvalidArgumentException : VirtualizationException
    {
        public VirtualizationInvalidArgumentException(string message, Exception inner) : base(message, inner) { }
    }

    public class VirtualizationOperationFailedException : VirtualizationException
    {
        public VirtualizationOperationFailedException(string message, Exception inner) : base(message, inner) { }
    }
}

namespace Microsoft.PowerShell.Commands
{
    /// <summary>What the commands of services throw; the engine has it on Windows only.</summary>
    public class ServiceCommandException : System.SystemException
    {
        public ServiceCommandException(string message, Exception inner) : base(message, inner) { }
    }
}

namespace System.Security.Principal
{
    /// <summary>What an account's name that stands for nobody ends in; the engine's own cannot be made but on Windows.</summary>
    public sealed class IdentityNotMappedException : SystemException
    {
        public IdentityNotMappedException(string message, Exception inner) : base(message, inner) { }
    }
}

namespace System.Diagnostics.Eventing.Reader
{
    /// <summary>What the event log throws; the engine's own cannot be made but on Windows.</summary>
    public class EventLogException : Exception
    {
        public EventLogException(string message, Exception inner) : base(message, inner) { }
    }

    public class EventLogNotFoundException : EventLogException
    {
        public EventLogNotFoundException(string message, Exception inner) : base(message, inner) { }
    }
}

namespace HvTuiLab
{
    internal static class Errors
    {
        private const string CimName = "Microsoft.Management.Infrastructure.CimException";

        internal static ErrorRecord Record(JsonElement error)
        {
            Exception exception = Make(error);
            string id = Text(error, "id");
            if (string.IsNullOrEmpty(id) && exception is CimException && error.TryGetProperty("hresult", out JsonElement code)) { id = Number(code.GetInt64()); }
            string category = Text(error, "category");
            ErrorCategory kind = string.IsNullOrEmpty(category) ? ErrorCategory.NotSpecified : (ErrorCategory)Enum.Parse(typeof(ErrorCategory), category, true);
            string target = Text(error, "target");
            return new ErrorRecord(exception, string.IsNullOrEmpty(id) ? exception.GetType().Name : id, kind, string.IsNullOrEmpty(target) ? null : target);
        }

        /// <summary>What CIM gives when nobody answered within -OperationTimeoutSec.</summary>
        internal static ErrorRecord TimedOut(string target)
        {
            return new ErrorRecord(Cim("The operation has timed out.", NativeErrorCode.Failed), Number(0x80041069), ErrorCategory.OperationTimeout, target);
        }

        internal static string Number(long code)
        {
            return "HRESULT 0x" + ((uint)code).ToString("x8");
        }

        private static Exception Make(JsonElement error)
        {
            string name = Text(error, "exception");
            string message = Text(error, "message") ?? "";
            Exception inner = error.TryGetProperty("inner", out JsonElement inside) && inside.ValueKind == JsonValueKind.Object ? Make(inside) : null;
            if (name == CimName)
            {
                // Its HResult stays that of any exception, as on Windows: the number is in MessageId and the record's id.
                return Cim(message, error.TryGetProperty("native", out JsonElement native) ? Native(native) : NativeErrorCode.Failed);
            }
            Exception made = null;
            if (name == "System.ComponentModel.Win32Exception")
            {
                made = new Win32Exception(error.TryGetProperty("native", out JsonElement number) ? number.GetInt32() : 0, message);
            }
            else
            {
                Type type = Find(name ?? "System.Exception");
                ConstructorInfo both = type.GetConstructor(new[] { typeof(string), typeof(Exception) });
                ConstructorInfo text = type.GetConstructor(new[] { typeof(string) });
                if (both != null) { made = (Exception)both.Invoke(new object[] { message, inner }); }
                else if (text != null) { made = (Exception)text.Invoke(new object[] { message }); }
                else { throw new LabAnswerException("an exception of type " + name + " cannot be made"); }
            }
            if (error.TryGetProperty("hresult", out JsonElement code) && code.ValueKind == JsonValueKind.Number && code.GetInt64() != 0)
            {
                made.HResult = unchecked((int)code.GetInt64());
            }
            return made;
        }

        private static CimException Cim(string message, NativeErrorCode native)
        {
            CimException made = new CimException(message);
            typeof(CimException).GetProperty("NativeErrorCode").GetSetMethod(true).Invoke(made, new object[] { native });
            return made;
        }

        private static NativeErrorCode Native(JsonElement value)
        {
            return value.ValueKind == JsonValueKind.Number ? (NativeErrorCode)value.GetInt32() : (NativeErrorCode)Enum.Parse(typeof(NativeErrorCode), value.GetString(), true);
        }

        private static Type Find(string name)
        {
            Type own = typeof(Errors).Assembly.GetType(name, false);
            if (own != null) { return own; }
            // Loaded by its first command, which may come later than this.
            Assembly.Load("Microsoft.PowerShell.Commands.Management");
            foreach (Assembly one in AppDomain.CurrentDomain.GetAssemblies())
            {
                Type type = one.GetType(name, false);
                if (type != null && typeof(Exception).IsAssignableFrom(type)) { return type; }
            }
            throw new LabAnswerException("no exception type " + name);
        }

        private static string Text(JsonElement value, string name)
        {
            return value.TryGetProperty(name, out JsonElement found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;
        }
    }
}
