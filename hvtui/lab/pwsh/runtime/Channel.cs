// The control channel: one connection of this process to the lab, shared by its runspaces. One JSON object per line.
using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace HvTuiLab
{
    /// <summary>The lab does not answer any more: its process is gone or it closed this session.</summary>
    public sealed class ChannelClosedException : InvalidOperationException
    {
        public ChannelClosedException(string message) : base(message) { }
    }

    /// <summary>One question under way.</summary>
    internal sealed class Call
    {
        internal readonly long Id;
        internal readonly string Token = Guests.Token;
        internal readonly ManualResetEventSlim Done = new ManualResetEventSlim(false, 20);
        internal JsonDocument Answer;
        internal volatile bool Cancelled;

        internal Call(long id) { Id = id; }
    }

    /// <summary>What this process has asked so far; a session can read it to tell its own work from the lab's.</summary>
    public sealed class ChannelFigures
    {
        public long Calls { get; internal set; }
        public double WaitMilliseconds { get; internal set; }
        public double WorkMilliseconds { get; internal set; }
        public long BytesReceived { get; internal set; }
    }

    public sealed class Channel
    {
        private static readonly object Gate = new object();
        private static Channel current;
        private readonly Socket socket;
        private readonly ConcurrentDictionary<long, Call> pending = new ConcurrentDictionary<long, Call>();
        private readonly object writing = new object();
        private long next;
        private volatile bool closed;

        /// <summary>Whether a question of this process is under way.</summary>
        public static bool Waiting { get { Channel one = current; return one != null && !one.pending.IsEmpty; } }

        public static readonly ChannelFigures Figures = new ChannelFigures();

        private Channel(string address)
        {
            int colon = address.LastIndexOf(':');
            // Only this machine: the lab's server listens nowhere else.
            IPAddress host = IPAddress.Parse(address.Substring(0, colon));
            if (!IPAddress.IsLoopback(host)) { throw new ChannelClosedException("the lab's control channel is not on this machine"); }
            socket = new Socket(host.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(host, int.Parse(address.Substring(colon + 1)));
            Thread reader = new Thread(Read) { IsBackground = true, Name = "lab channel" };
            reader.Start();
        }

        public static string Token
        {
            get { return Environment.GetEnvironmentVariable("HVTUI_LAB_TOKEN") ?? ""; }
        }

        internal static Channel Current
        {
            get
            {
                lock (Gate)
                {
                    if (current == null || current.closed)
                    {
                        string address = Environment.GetEnvironmentVariable("HVTUI_LAB_CONTROL");
                        if (string.IsNullOrEmpty(address)) { throw new ChannelClosedException("HVTUI_LAB_CONTROL is not set: this session belongs to no lab"); }
                        try
                        {
                            current = new Channel(address);
                        }
                        catch (SocketException)
                        {
                            throw new ChannelClosedException("the lab does not listen at " + address);
                        }
                    }
                    return current;
                }
            }
        }

        /// <summary>Sends a question; the writer is called to add its members after token and id.</summary>
        internal Call Send(Action<Utf8JsonWriter> body)
        {
            Call call = new Call(Interlocked.Increment(ref next));
            pending[call.Id] = call;
            MemoryStream line = new MemoryStream();
            using (Utf8JsonWriter writer = new Utf8JsonWriter(line, new JsonWriterOptions { SkipValidation = true }))
            {
                writer.WriteStartObject();
                writer.WriteString("token", call.Token);
                writer.WriteNumber("id", call.Id);
                body(writer);
                writer.WriteEndObject();
            }
            Write(line);
            Figures.Calls++;
            return call;
        }

        /// <summary>Waits for the answer. Null when the time is over (milliseconds, -1 is for ever) or the call was cancelled.</summary>
        internal JsonDocument Wait(Call call, int milliseconds)
        {
            long before = Stopwatch.GetTimestamp();
            try
            {
                if (!call.Done.Wait(milliseconds))
                {
                    Cancel(call);
                    return null;
                }
                if (call.Cancelled) { return null; }
                if (call.Answer == null) { throw new ChannelClosedException("the lab closed this session's control channel"); }
                return call.Answer;
            }
            finally
            {
                pending.TryRemove(call.Id, out _);
                Figures.WaitMilliseconds += (Stopwatch.GetTimestamp() - before) * 1000.0 / Stopwatch.Frequency;
            }
        }

        /// <summary>Ends the wait and tells the lab that nobody wants the answer any more.</summary>
        internal void Cancel(Call call)
        {
            if (call.Cancelled) { return; }
            call.Cancelled = true;
            pending.TryRemove(call.Id, out _);
            call.Done.Set();
            MemoryStream line = new MemoryStream();
            using (Utf8JsonWriter writer = new Utf8JsonWriter(line))
            {
                writer.WriteStartObject();
                writer.WriteString("token", call.Token);
                writer.WriteNumber("id", Interlocked.Increment(ref next));
                writer.WriteNumber("cancel", call.Id);
                writer.WriteEndObject();
            }
            try
            {
                Write(line);
            }
            catch (ChannelClosedException)
            {
                // Nobody is left to be told.
            }
        }

        private void Write(MemoryStream line)
        {
            line.WriteByte((byte)'\n');
            try
            {
                lock (writing)
                {
                    byte[] bytes = line.GetBuffer();
                    int sent = 0;
                    while (sent < line.Length) { sent += socket.Send(bytes, sent, (int)line.Length - sent, SocketFlags.None); }
                }
            }
            catch (SocketException)
            {
                Close();
                throw new ChannelClosedException("the lab closed this session's control channel");
            }
        }

        private void Read()
        {
            byte[] buffer = new byte[65536];
            int length = 0;
            int scanned = 0;
            try
            {
                while (true)
                {
                    if (length == buffer.Length) { Array.Resize(ref buffer, buffer.Length * 2); }
                    int got = socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None);
                    if (got == 0) { break; }
                    length += got;
                    Figures.BytesReceived += got;
                    int end;
                    while ((end = Array.IndexOf(buffer, (byte)'\n', scanned, length - scanned)) >= 0)
                    {
                        byte[] line = new byte[end];
                        Array.Copy(buffer, line, end);
                        Array.Copy(buffer, end + 1, buffer, 0, length - end - 1);
                        length -= end + 1;
                        scanned = 0;
                        Deliver(line);
                    }
                    scanned = length;
                }
            }
            catch (Exception one) when (one is SocketException || one is ObjectDisposedException || one is JsonException)
            {
                // Whatever ended it, every waiting question learns it below.
            }
            Close();
        }

        private void Deliver(byte[] line)
        {
            JsonDocument answer = JsonDocument.Parse(line);
            if (answer.RootElement.TryGetProperty("id", out JsonElement id) && pending.TryRemove(id.GetInt64(), out Call call))
            {
                call.Answer = answer;
                call.Done.Set();
            }
        }

        private void Close()
        {
            closed = true;
            socket.Dispose();
            foreach (Call call in pending.Values) { call.Done.Set(); }
        }
    }
}
