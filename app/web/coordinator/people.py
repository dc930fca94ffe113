"""Pages of the coordinator: people."""
