"""Signals in: one module per protocol, one contract (`plant.ports.ReadingSource`)."""
