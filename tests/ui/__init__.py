"""The console's widgets and panes."""
