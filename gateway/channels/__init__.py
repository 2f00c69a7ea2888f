"""Ways out to business systems, one module each (`plant.ports.Channel`)."""
