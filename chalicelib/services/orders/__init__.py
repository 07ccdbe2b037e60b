"""Orders: how they are read, found, priced and written, and what their buyers are told."""
