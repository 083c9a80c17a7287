"""The graph store: the engine port, the embedded Oxigraph behind it, snapshots, formats and query policy."""
