"""The lab's nodes: real WSMan/PSRP endpoints over HTTP(S) with NTLM, in front of an engine that answers the calls."""
