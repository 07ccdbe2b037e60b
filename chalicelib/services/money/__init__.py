"""What is paid and refunded, and compared with the gateways' bills."""
