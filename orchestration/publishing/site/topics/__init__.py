"""The front page by topic: what each asks of the marts, and the figures that answer. Nothing is written as HTML here, and
nothing is drawn."""
