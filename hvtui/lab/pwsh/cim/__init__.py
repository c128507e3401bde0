"""CIM: the world as instances of Windows' classes, one namespace a module, asked with WQL."""
