"""Who runs the work in the background."""
