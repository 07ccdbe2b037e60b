"""What drives everything that is due: the jobs of every minute, and the stream."""
