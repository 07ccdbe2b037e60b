"""Groups: taking a seat, releasing it, and what becomes of a group at its deadline."""
