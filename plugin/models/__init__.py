"""Tables, one noun a module, and the database that holds them."""
