"""bodyworn_host: the reference host, a small video management system."""
