"""What is counted, and the figures that staff read."""
