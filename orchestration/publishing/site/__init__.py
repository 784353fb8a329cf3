"""The report: a static site in the version's own folder, drawn from a candidate's database and the verdicts on it. It opens
from a file, needs no server and no network, and computes nothing that a mart defines."""
