"""Spark as the second engine: builds the models of `dbt_project` there, and brings what it built to where is published.
How models differ between engines belongs in `dbt_project/macros/engine/`; judging and publishing, in their own packages."""
