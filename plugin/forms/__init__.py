"""Forms of the pages, one stem a screen."""
