"""The ports on any server that speaks the SPARQL 1.1 Protocol."""
