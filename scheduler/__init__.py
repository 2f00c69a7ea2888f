"""Work in, plan out. Pure: no I/O, no clock."""
