"""SHACL validation of graphs."""
