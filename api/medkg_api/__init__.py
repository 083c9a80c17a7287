"""The HTTP face of medkg: routes translate, services decide."""
