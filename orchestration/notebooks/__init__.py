"""Notebooks that begin where an analyst begins: the published version, opened read-only.
What is computed in them can be had in SQL; nothing else in the project depends on them."""
