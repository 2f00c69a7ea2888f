"""The verbs: one module per use case. Each checks one permission first and opens the transactions."""
