"""Planning methods as pure functions: BOM explosion, sampling, SPC, genealogy, forecast."""
