"""The migrations of the operational database, run by :mod:`medkg.state.database`."""
