"""What is paid, refunded and compared with the gateways' bills."""
