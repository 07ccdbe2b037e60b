"""What buyers and passers-by ask for."""
