"""What the extraction costs, measured beside what it can't cost less than; run by `make bench`.
Nothing here is used by the observatory itself, and every row that is read here is simulated."""
