"""Evidence on disk, for spool and receiver alike: durable put, open, digest."""
