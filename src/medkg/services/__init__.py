"""What medkg can do, one verb per module; no HTTP and no terminal here."""
