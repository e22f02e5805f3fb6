"""Reading: YAML files with their lines, shapes, quantities, variables and secrets."""
