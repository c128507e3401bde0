"""The lab on a real PowerShell engine: stand-ins for the commands of Windows, and what they ask."""
