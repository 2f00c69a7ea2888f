"""Dispatching rules, one file each; see `twin.dispatching`."""
