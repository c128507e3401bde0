"""Which branches of the module the tests run on the engine."""
