"""Pages of the coordinator: imports."""
