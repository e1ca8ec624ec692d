"""Camera drivers: each makes one kind of camera look like every other."""
