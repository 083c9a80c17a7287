"""config.py: every setting has a default and a meaning; a bad value is one line that says what to write."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from medkg.config import Settings, load, source_date
from medkg.domain.errors import SettingError

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(Settings.model_fields)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests has no say in them."""
    for name in NAMES:
        monkeypatch.delenv(f"MEDKG_{name.upper()}", raising=False)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def _set(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_defaults() -> None:
    """Without any variable, the service listens on this machine alone and keeps its graph in the checkout."""
    settings = load()
    assert settings.data_dir == ROOT / "var"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.public_url is None
    assert (settings.max_query_bytes, settings.max_query_depth) == (100_000, 100)
    assert (settings.cors_origins, settings.log_level, settings.log_format) == ("*", "info", "text")


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    """Each setting has one sentence of meaning, and a default, so that none has to be set."""
    field = Settings.model_fields[name]
    assert field.description is not None
    assert field.description[0].isupper()
    assert field.description.endswith(".")
    assert not field.is_required()


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("MEDKG_DATA_DIR", "/srv/medkg", "data_dir", Path("/srv/medkg")),
        ("MEDKG_HOST", "::1", "host", "::1"),
        ("MEDKG_PORT", "1", "port", 1),
        ("MEDKG_PORT", "65535", "port", 65535),
        ("MEDKG_MAX_QUERY_BYTES", "1000", "max_query_bytes", 1000),
        ("MEDKG_MAX_QUERY_DEPTH", "500", "max_query_depth", 500),
        ("MEDKG_CORS_ORIGINS", "https://a.eu https://b.eu", "cors_origins", "https://a.eu https://b.eu"),
        ("MEDKG_LOG_LEVEL", "debug", "log_level", "debug"),
        ("MEDKG_LOG_FORMAT", "json", "log_format", "json"),
        ("medkg_port", "9000", "port", 9000),
    ],
)
def test_a_variable_sets_its_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, name: str, expected: object
) -> None:
    """MEDKG_ and the name in capitals is the variable of a setting; its bounds are allowed values."""
    _set(monkeypatch, {variable: value})
    assert getattr(load(), name) == expected


def test_the_call_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command line gives wins over a variable; what it leaves out, as None, does not."""
    _set(monkeypatch, {"MEDKG_PORT": "9000", "MEDKG_HOST": "0.0.0.0"})  # noqa: S104 - an address that is not used
    settings = load(port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")  # noqa: S104


def test_unknown_variables_are_of_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that no setting has does not keep the service from starting."""
    _set(monkeypatch, {"MEDKG_SEEDS": "/somewhere", "MEDKG_NO_SUCH_THING": "1"})
    assert load() == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "expectation"),
    [
        ("MEDKG_PORT", "eighty", "valid integer"),
        ("MEDKG_PORT", "", "valid integer"),
        ("MEDKG_PORT", "0", "greater than or equal to 1"),
        ("MEDKG_PORT", "65536", "less than or equal to 65535"),
        ("MEDKG_PORT", "80.5", "valid integer"),
        ("MEDKG_HOST", "", "at least 1 character"),
        ("MEDKG_PUBLIC_URL", "medkg.eu", "valid URL"),
        ("MEDKG_PUBLIC_URL", "ftp://medkg.eu", "'http' or 'https'"),
        ("MEDKG_PUBLIC_URL", "", "valid URL"),
        ("MEDKG_MAX_QUERY_BYTES", "999", "greater than or equal to 1000"),
        ("MEDKG_MAX_QUERY_BYTES", "10000001", "less than or equal to 10000000"),
        ("MEDKG_MAX_QUERY_BYTES", "100kB", "valid integer"),
        ("MEDKG_MAX_QUERY_DEPTH", "9", "greater than or equal to 10"),
        ("MEDKG_MAX_QUERY_DEPTH", "501", "less than or equal to 500"),
        ("MEDKG_CORS_ORIGINS", "", "at least 1 character"),
        ("MEDKG_LOG_LEVEL", "INFO", "'debug', 'info', 'warning' or 'error'"),
        ("MEDKG_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("MEDKG_LOG_FORMAT", "xml", "'text' or 'json'"),
        ("MEDKG_PORT", "8\n000", "valid integer"),
    ],
)
def test_a_bad_value_is_one_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expectation: str
) -> None:
    """A value that can't be used is one line with the variable, the value and what was expected."""
    _set(monkeypatch, {variable: value})
    with pytest.raises(SettingError) as caught:
        load()

    line = str(caught.value)
    assert line.startswith(f"{variable} has the value {value!r}: ")
    assert expectation in line
    assert "\n" not in line
    assert caught.value.exit_code == 2


def test_a_bad_value_of_the_call_is_named_too() -> None:
    """An option of the command line with a bad value is named by the variable of its setting."""
    with pytest.raises(SettingError, match=r"MEDKG_PORT has the value 70000: .*less than or equal to 65535"):
        load(port=70_000)


def test_settings_are_frozen() -> None:
    """Settings are read once; nobody changes them afterwards."""
    with pytest.raises(ValidationError, match="frozen"):
        load().port = 1


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "localhost", "port": "80"}, "http://localhost:80"),
        ({"host": "::1", "port": "8080"}, "http://[::1]:8080"),
        ({"host": "::"}, "http://[::]:8000"),
        ({"public_url": "https://medkg.eu"}, "https://medkg.eu"),
        ({"public_url": "https://medkg.eu/"}, "https://medkg.eu"),
        ({"public_url": "https://medkg.eu/graph/"}, "https://medkg.eu/graph"),
        ({"public_url": "https://medkg.eu:8443", "port": "9"}, "https://medkg.eu:8443"),
        ({"public_url": "http://[2001:db8::1]:8080/"}, "http://[2001:db8::1]:8080"),
    ],
)
def test_base_url(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], address: str) -> None:
    """The address of the service is the public one, else host and port; it has no slash at the end."""
    _set(monkeypatch, {f"MEDKG_{name.upper()}": value for name, value in values.items()})
    assert load().base_url == address


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (None, None),
        ("0", date(1970, 1, 1)),
        ("86399", date(1970, 1, 1)),
        ("86400", date(1970, 1, 2)),
        ("1767225599", date(2025, 12, 31)),
        (" 1767225600 ", date(2026, 1, 1)),
    ],
)
def test_source_date(monkeypatch: pytest.MonkeyPatch, value: str | None, day: date | None) -> None:
    """SOURCE_DATE_EPOCH is a day in UTC, wherever the machine is; unset, it is none."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    if value is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    assert source_date() == day


@pytest.mark.parametrize(
    "value", ["", "yesterday", "1.5", "2026-01-01", "9" * 30, "9" * 5000, "-9999999999999", "0x10"]
)
def test_a_bad_source_date_is_one_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """What is no number of seconds is refused by one line that names the variable and the value."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(
        SettingError, match=r"^SOURCE_DATE_EPOCH has the value .*: expected a number of seconds"
    ):
        source_date()
