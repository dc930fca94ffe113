"""Pages of the coordinator: runs."""
