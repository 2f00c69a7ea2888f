"""What-if experiments: a scenario is a base plus named changes."""
