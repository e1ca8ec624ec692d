"""Client of the Content Destination API: connection file, names, wire, rehearsal."""
