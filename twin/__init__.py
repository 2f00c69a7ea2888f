"""What happens on the floor: simulation, replay, live state, OEE, health. Pure: columns in, columns out."""
