"""What `benchmarks.chaos` is made of: servers, a network to disturb, workers, faults, and the comparison at the end."""
