"""The Hub as a source: how it is asked, walked and read, in plain Python that runs from a REPL.
Where rows are kept, and whether a day is complete, is the business of `orchestration.landing`."""
