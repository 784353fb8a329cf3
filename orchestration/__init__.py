"""The Open Model Observatory: from the Hub's listing to published, checked tables. Each sub-package is one stage;
anything that is no stage of that flow belongs in another project."""
