"""Whether the tests would notice if a guard were gone: each is removed once, and they are asked."""
