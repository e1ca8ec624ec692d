"""Keys, signed envelopes, wrapping and sealed secrets. Knows nothing of cameras, tables or files of evidence."""
