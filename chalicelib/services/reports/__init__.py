"""Figures, exports and order files that staff read."""
