"""Storage: the only SQL. One module per subject; transactions are opened by `operations` alone."""
