"""After-sale: refunds that people ask for, returns of goods, and exchanges."""
