"""The settings of medkg: one table of name, default and meaning; the only reader of the environment."""

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from medkg import assets
from medkg.domain.errors import SettingError

__all__ = ["Settings", "load", "source_date"]


_TOKEN = re.compile(r"[\x21-\x7e]{24,}")
_SECRETS = frozenset({"admin_token", "database_url", "store_url", "store_update_url", "store_graph_url"})


def _data_dir() -> Path:
    root = assets.checkout()
    return root / "var" if root else Path(platformdirs.user_data_dir("medkg"))


class Settings(BaseSettings):
    """What can be set, from environment variables with the prefix ``MEDKG_``."""

    model_config = SettingsConfigDict(env_prefix="MEDKG_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default_factory=_data_dir,
        description="Folder of the built graph. Default: var/ in a checkout, else the user's data folder.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    public_url: AnyHttpUrl | None = Field(
        default=None, description="Address under which the service is reached. Default: from host and port."
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    workers: int = Field(
        default_factory=lambda: max(2, os.cpu_count() or 2),
        ge=1,
        le=256,
        description="Queries that run at a time, each in a process. Default: one per core, at least 2.",
    )
    query_timeout_s: float = Field(
        default=30.0, gt=0, le=86_400, description="Seconds after which a query is stopped."
    )
    update_timeout_s: float = Field(
        default=60.0,
        gt=0,
        le=86_400,
        description="Seconds after which a write is undone.",
    )
    store_memory_mb: int = Field(
        default=4_096,
        ge=0,
        description="Megabytes that a graph in memory may take; a larger one is read from the disk.",
    )
    worker_memory_mb: int = Field(
        default=1_024, ge=128, description="Megabytes that one query may take beyond the graph itself."
    )
    result_cache_mb: int = Field(
        default=64, ge=0, description="Megabytes of answers that are kept until the next version; 0: none."
    )
    max_body_mb: int = Field(
        default=50, ge=1, le=10_000, description="Largest document taken by the graph store, in megabytes."
    )
    max_query_bytes: int = Field(
        default=100_000, ge=1_000, le=10_000_000, description="Longest query text taken, in bytes of UTF-8."
    )
    max_answer_mb: int = Field(
        default=0, ge=0, description="Largest answer, in megabytes before compression; 0: no limit."
    )
    max_rows: int = Field(
        default=0, ge=0, description="Most solutions, or triples of a graph, in an answer; 0: no limit."
    )
    max_query_depth: int = Field(
        default=100, ge=10, le=500, description="Deepest nesting of brackets that a query may have."
    )
    union_default_graph: bool = Field(
        default=True,
        description="Whether the default graph is the merge of the public graphs; false: plain SPARQL.",
    )
    service_allow: str = Field(
        default="", description="Endpoints that SERVICE may call: prefixes of addresses, separated by spaces."
    )
    load_allow: str = Field(
        default="",
        description="Documents that LOAD may fetch: prefixes of addresses, separated by spaces.",
    )
    rate_limit: int = Field(
        default=600,
        ge=0,
        description="SPARQL and graph store requests that one client may send in a minute; 0: no limit.",
    )
    admin_token: SecretStr | None = Field(
        default=None, description="Accepted as the token of an administrator when it is set."
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="Database of tokens and audit. Default: an SQLite file in the data folder.",
    )
    store_url: SecretStr | None = Field(
        default=None,
        description="Query address of another SPARQL 1.1 server to serve. Default: the own store.",
    )
    store_update_url: SecretStr | None = Field(
        default=None, description="Update address of that server. Default: found by its usual names."
    )
    store_graph_url: SecretStr | None = Field(
        default=None, description="Graph store address of that server. Default: found by its usual names."
    )
    store_default_graph: str | None = Field(
        default=None, description="Graph of that server that holds the merge. Default: its default graph."
    )
    cors_origins: str = Field(
        default="*",
        min_length=1,
        description="Web origins that may read the service, separated by spaces; * for all.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe message that is logged."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="Form of the log lines.")

    @field_validator("admin_token")
    @classmethod
    def _sendable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("expected at least 24 visible ASCII characters and no space")
        return value

    @property
    def base_url(self) -> str:
        """The address of the service, without a slash at the end."""
        if self.public_url is not None:
            return str(self.public_url).rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def load(**overrides: object) -> Settings:
    """Return the settings from the environment; *overrides* (not None) win.

    :raises SettingError: one line with the name, the value and what was expected.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        shown = "(not shown)" if name in _SECRETS else repr(first["input"])
        raise SettingError(
            f"MEDKG_{name.upper()} has the value {shown}: {first['msg'][0].lower()}{first['msg'][1:]}"
        ) from None


def source_date() -> date | None:
    """Return the day of ``SOURCE_DATE_EPOCH`` (seconds since 1970, UTC), or None when it is not set.

    Source: the reproducible-builds.org specification of that variable.

    :raises SettingError: it is not a number of seconds.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH")  # noqa: TID251 - this module is the one that may
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC).date()
    except (ValueError, OverflowError, OSError):
        raise SettingError(
            f"SOURCE_DATE_EPOCH has the value {text!r}: expected a number of seconds since 1970"
        ) from None
