"""Nothing leaves this machine: see netguard."""
