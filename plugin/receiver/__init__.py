"""Server of the Content Destination API: the host as content destination."""
