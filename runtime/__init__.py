"""The only place that names concrete classes together: settings, wiring, processes, the command line."""
