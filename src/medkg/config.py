"""The settings of medkg: one table of name, default and meaning; the only reader of the environment."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import AnyHttpUrl, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from medkg import assets
from medkg.domain.errors import SettingError

__all__ = ["Settings", "load", "source_date"]


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
    max_query_bytes: int = Field(
        default=100_000, ge=1_000, le=10_000_000, description="Longest query text taken, in bytes of UTF-8."
    )
    max_query_depth: int = Field(
        default=100, ge=10, le=500, description="Deepest nesting of brackets that a query may have."
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
        raise SettingError(
            f"MEDKG_{name.upper()} has the value {first['input']!r}: "
            f"{first['msg'][0].lower()}{first['msg'][1:]}"
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
