"""The phases of a backup window, VM by VM: what was frozen, copied, converted and merged, and what stands still."""
