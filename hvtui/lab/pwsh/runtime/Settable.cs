// Properties of cluster objects that people set: $group.Priority = 3000 is a change of the cluster, at once.
using System.Text.Json;

namespace HvTuiLab
{
    internal static class Settable
    {
        /// <summary>Asks the lab to change a property; throws what the real setter throws.</summary>
        internal static void Write(object owner, string id, string property, object value)
        {
            Channel channel = Channel.Current;
            Call call = channel.Send(writer =>
            {
                writer.WriteString("command", "FailoverClusters:Set");
                writer.WritePropertyName("parameters");
                writer.WriteStartObject();
                writer.WriteString("Type", owner.GetType().Name);
                writer.WriteString("Id", id);
                writer.WriteString("Property", property);
                writer.WritePropertyName("Value");
                Writer.Value(writer, value);
                writer.WriteEndObject();
                writer.WriteString("set", "");
            });
            using (JsonDocument answer = channel.Wait(call, -1))
            {
                foreach (JsonElement one in answer.RootElement.GetProperty("errors").EnumerateArray()) { throw Errors.Record(one).Exception; }
            }
        }
    }
}
