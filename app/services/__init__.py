"""Use cases: one function each, a verb on a noun. A service checks policy and owns the commit."""
