"""What goes wrong in the middle of a change, over real PowerShell Remoting: lost answers, kills, races, hangs."""
