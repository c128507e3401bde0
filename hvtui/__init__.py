"""hvtui: a terminal console for people on call for Windows Hyper-V failover clusters."""

__version__ = "0.1.0"
