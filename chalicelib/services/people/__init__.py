"""Merchants, their staff and accounts, buyers; and who changed what."""
