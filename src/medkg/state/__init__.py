"""The operational state: access tokens and the audit trail, in SQLite or PostgreSQL."""
