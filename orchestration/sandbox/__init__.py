"""A Hub on your laptop: worlds of snapshots (bundled sample or made up), their truth, and a server with the Hub's own
HTTP API. What lands, counts or judges such data belongs elsewhere: the rest of the house reads a sandbox only over
HTTP."""
