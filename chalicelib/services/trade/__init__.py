"""What is decided: seats, stock, orders and groups, and what their members are told of it."""
