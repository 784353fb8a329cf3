"""Where the dbt project is, and nothing else: its manifest must be preparable before any definition is loaded."""

from dagster_dbt import DbtProject

from orchestration.settings import PROJECT_ROOT

dbt_project = DbtProject(project_dir=PROJECT_ROOT / "dbt_project", profiles_dir=PROJECT_ROOT / "dbt_project")
