"""The load: thousands of clients in a few processes, which speak to Lectern and to its rivals."""
