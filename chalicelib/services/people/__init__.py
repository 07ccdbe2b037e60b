"""Merchants, their settings, staff and payment accounts; buyers; and who changed what."""
