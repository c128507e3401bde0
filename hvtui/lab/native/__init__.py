"""The native engine: answers for the HvTui functions out of the world, without PowerShell."""

from hvtui.lab.native.engine import NativeEngine

__all__ = ["NativeEngine"]
