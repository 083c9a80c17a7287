"""One module for each step of the schema, in order; a step that was released never changes."""
