"""One settings object, read once from TOML and the environment; a wrong setting stops the start."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from plant.checks import MOST_WORKERS
from plant.errors import InvalidInput, SettingsInvalid
from plant.objective import in_order, parsed, weighed

_PREFIX = "FORERUN_"
_FILE_VARIABLE = "FORERUN_SETTINGS"
# Names in the environment that belong to the tests and the tools, not to the product.
_NOT_SETTINGS = {"FORERUN_SETTINGS", "FORERUN_DATA", "FORERUN_TEST_REQUIRE"}
_JSON = ("allowed_hosts", "endpoints")
_JSON_LIKE = """["127.0.0.1", "localhost"] or {"line-opcua": "opc.tcp://127.0.0.1:4840"}"""


def default_plant() -> Path:
    """Return the shipped plant: where we stand, beside this package in a checkout, inside it where it is installed."""
    here = Path(__file__).parent
    places = [folder / "plants" / "machine_shop" for folder in (Path(), here.parent, here)]
    return next((place for place in places if place.is_dir()), places[-1])


def _objective(given: object) -> str:
    """Return an objective as `plant.objective.parsed` reads it, from such a text or a list or table of TOML."""
    try:
        if isinstance(given, str):
            return str(parsed(given))
        if isinstance(given, Mapping):
            return str(weighed(given.items()))
        if isinstance(given, list):
            return str(in_order(given))
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    raise ValueError("must be a list of aims, a table of aims and their weights, or a text")


class Section(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PlanningSettings(Section):
    """How plans are made and dispatched; times are plant time unless they say wall."""

    time_limit_s: float = Field(10.0, gt=0, description="wall seconds for making a plan: search and rehearsals")
    workers: int = Field(2, ge=1, le=MOST_WORKERS, description="walks of the search, and threads of CP-SAT")
    replications: int = Field(1000, ge=20, le=100_000)
    seed: int = Field(1, ge=0, lt=2**31, description="chooses the futures and the solver's search")
    dispatch_horizon_s: float = Field(8 * 3600.0, gt=0, description="job orders starting within it are dispatched")
    frozen_zone_s: float = Field(1800.0, ge=0, description="job orders starting within it keep machine and place")
    most_moved: float = Field(0.05, ge=0, le=1, description="share of operations a replan may move to other machines")
    move_worth_s: float = Field(14400.0, ge=0, description="weighted tardiness a further such move must save")
    delay_tolerance_s: float = Field(3600.0, gt=0, description="working time behind the plan that asks for a new one")
    scrap_tolerance: float = Field(0.05, ge=0, le=1, description="share of scrap beyond plan that asks for a new one")
    automatic: bool = Field(False, description="release what was replanned by itself if the gate passes it")
    price: float = Field(0.05, ge=0, description="share of the planned makespan that may be paid for certainty")
    objective: Annotated[str, BeforeValidator(_objective)] = Field(
        "tardiness, makespan", description="aims in order, or with weights; a TOML list or table, too"
    )


class GateSettings(Section):
    """What the gate asks, per order class: of P(on time), the lower bound of its Wilson interval; of tardiness, P90."""

    on_time_high: float = Field(0.90, ge=0, le=1)
    on_time_normal: float = Field(0.80, ge=0, le=1)
    tolerance: float = Field(0.02, ge=0, le=1, description="how much worse than keeping the plan in force is accepted")
    late_high_s: float = Field(24 * 3600.0, ge=0, description="P90 tardiness that is accepted")
    late_normal_s: float = Field(72 * 3600.0, ge=0)
    longest_wait: float = Field(1.0, ge=0, le=1, description="share of futures in which a longest wait may be exceeded")


class RemedySettings(Section):
    """How remedies for refused orders are looked for, and what they cost, in one unit of money."""

    most: int = Field(5, ge=0, description="orders that are helped, those most at risk first; 0: none")
    time_limit_s: float = Field(8.0, ge=0, description="wall seconds for all of them")
    overtime_per_h: float = Field(60.0, ge=0, description="of each machine hour")
    move: float = Field(20.0, ge=0, description="of each operation on another machine")
    move_per_h: float = Field(40.0, ge=0, description="of each hour it takes longer there")
    split: float = Field(30.0, ge=0, description="of each lot more")
    promise: float = Field(100.0, ge=0, description="of taking a promise back; high priority counts three times")
    delay_per_day: float = Field(200.0, ge=0, description="of each day a promise is later; likewise")


class EmulatorSettings(Section):
    """The emulated factory; a port of 0 takes a free one."""

    host: str = Field("127.0.0.1", description="address its servers listen on")
    gateway_url: str | None = Field(None, description="where its MES sends job responses")
    rate: float = Field(60.0, gt=0, le=100_000, description="plant seconds per wall second")
    seed: int = 7
    http_port: int = Field(0, ge=0, le=65535)
    opcua_port: int = Field(0, ge=0, le=65535)
    modbus_port: int = Field(0, ge=0, le=65535)


class Settings(BaseSettings):
    """Everything that can be set. Environment names: ``FORERUN_`` + name, nested with ``__``."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,  # as good as unset: how docker-compose passes on what nobody chose
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Path(".data")
    plant: Path = Field(default_factory=default_plant, description="the plant's folder")
    database_url: SecretStr | None = Field(None, description="PostgreSQL to use; none: the embedded one")
    host: str = "127.0.0.1"
    metrics_port: int = Field(0, ge=0, le=65535, description="where ingest and worker serve /metrics; 0: nowhere")
    port: int = Field(8050, ge=0, le=65535)
    allowed_hosts: frozenset[str] = Field(
        frozenset({"127.0.0.1", "localhost"}), description="names the site is reached by"
    )
    admin_password: SecretStr | None = Field(None, description="of the first account, `prepare` creates it")
    mes_key: SecretStr | None = Field(None, description="API key the MES reports with")
    endpoints: dict[str, str] = Field(
        default_factory=dict, description="connection id -> endpoint, replaces the plant's"
    )
    mes_url: str | None = Field(None, description="base URL job orders are sent to")
    clock_url: str | None = Field(None, description="URL of an emulated plant's clock; none: wall time")
    quarantine_days: float = Field(30.0, gt=0, le=36_500, description="wall days for which what was refused is kept")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    planning: PlanningSettings = Field(default_factory=PlanningSettings)
    gate: GateSettings = Field(default_factory=GateSettings)
    remedies: RemedySettings = Field(default_factory=RemedySettings)
    emulator: EmulatorSettings = Field(default_factory=EmulatorSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file ``FORERUN_SETTINGS`` names or ``forerun.toml``."""
        named = os.environ.get(_FILE_VARIABLE)
        if named and not _file().is_file():
            raise SettingsInvalid(f"{_FILE_VARIABLE}={named}: there is no such file; name an existing TOML file")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file())


def read_settings(**overrides: object) -> Settings:
    """Read and validate the settings.

    Raises
    ------
    SettingsInvalid
        For a wrong value or an unknown name, naming the key and what is allowed.
    """
    _check_variables()
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsInvalid("\n".join(_told(detail) for detail in error.errors(include_url=False))) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{_file()}: not a TOML file: {error}") from error
    except OSError as error:
        raise SettingsInvalid(f"{_file()}: cannot be read: {error.strerror}") from error


def _file() -> Path:
    """Return the settings file, there or not."""
    return Path(os.environ.get(_FILE_VARIABLE) or "forerun.toml")


def _told(detail: Any) -> str:
    """Tell what is wrong with a setting without its value, which may be a secret."""
    where: tuple[str, ...] = tuple(str(part) for part in detail["loc"])
    wrong = detail["msg"]
    if detail["type"] == "extra_forbidden":
        wrong = f"there is no such setting; known are {', '.join(_known_beside(where))}"
    return f"setting {'.'.join(where)} ({_PREFIX}{'__'.join(where).upper()}): {wrong}"


def _known_beside(where: Sequence[str]) -> list[str]:
    """Return the names of the settings a key could have meant."""
    model: Any = Settings
    for part in where[:-1]:
        model = model.model_fields[part].annotation
    return sorted(model.model_fields)


def _check_variables() -> None:
    """Refuse the variables that would be ignored, and those that hold no JSON where JSON is meant."""
    for variable, value in os.environ.items():
        if not variable.upper().startswith(_PREFIX) or variable.upper() in _NOT_SETTINGS:
            continue
        name, *inner = variable.upper().removeprefix(_PREFIX).lower().split("__")
        if name not in Settings.model_fields:
            known = ", ".join(sorted(Settings.model_fields)).upper()
            raise SettingsInvalid(f"{variable}: there is no such setting; known are {known}")
        kind = Settings.model_fields[name].annotation
        is_section = isinstance(kind, type) and issubclass(kind, Section)
        if inner and not is_section:
            raise SettingsInvalid(f"{variable}: there is no such setting; {_PREFIX}{name.upper()} has no parts")
        if not inner and (is_section or name in _JSON):
            _check_json(variable, value)


def _check_json(variable: str, value: str) -> None:
    try:
        json.loads(value)
    except ValueError as error:
        raise SettingsInvalid(f"setting {variable} is written as JSON, such as {_JSON_LIKE}: {error}") from error


def to_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables that make a child process read exactly these settings."""
    variables: dict[str, str] = {}
    for name, value in settings:
        if value is None:
            continue
        if isinstance(value, SecretStr):
            variables[_PREFIX + name.upper()] = value.get_secret_value()
        elif isinstance(value, BaseModel):
            for key, inner in value:
                variables[f"{_PREFIX}{name}__{key}".upper()] = str(inner)
        elif isinstance(value, dict | frozenset):
            variables[_PREFIX + name.upper()] = json.dumps(value if isinstance(value, dict) else sorted(value))
        else:
            variables[_PREFIX + name.upper()] = str(value)
    return variables
