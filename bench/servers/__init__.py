"""The servers that a bench starts beside `parlour serve`: the engine alone, and the bare floor."""
