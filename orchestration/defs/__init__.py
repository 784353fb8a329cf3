"""Dagster only: one folder a stage, and beside them what the stages share. How the Hub is read, data is judged or a
version is written belongs in the plain packages next door; here they are only wired together."""
