"""One file an engine for what calls are kept in."""
