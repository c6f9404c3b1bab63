"""What runs on a host, told by the name of its image: the usual ones are known, others are read from image files.

An image file of the original says far more than its game asks for. What counts is the system, the processes that
listen, the first user whose password can be guessed, and the service that Impact stops.

Source: CybORG Simulator/Host.py, Simulator/Process.py, Shared/Enums.py (ProcessType, ProcessVersion).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cageflow.errors import UserError
from cageflow.scenario.names import Place
from cageflow.scenario.schema import MAX_PORT, Decoy, Os, Process
from cageflow.scenario.yaml_file import YamlFile

SERVICE = "OTService"  # the only one that the original's Impact stops, and that its reward looks for
LIST_FILE = "images.yaml"

_TYPES = {"sshd": "ssh", "sshd.exe": "ssh", "http": "webserver", "https": "webserver", "web server": "webserver"}
_TYPES |= {name: name for name in ("ssh", "svchost", "smb", "smtp", "femitter", "webserver", "netcat", "rdp", "mysql")}
# Versions that the original holds to be older than the mended Haraka, whatever they are versions of.
_OLD_VERSIONS = (
    "haraka 2.7.0",
    "openssh 1.3",
    "10.0.17763.1",
    "samba 3.0.20-debian",
    "apache tomcat",
    "python simplehttpserver",
    "smbv1",
)
_PATCH_OF_ETERNAL_BLUE = "MS17_010"


class Image(BaseModel):
    """What runs on a host, in the words of a network file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    os: Os
    brute_forceable: str | None = None
    service: str | None = None
    processes: list[Process]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    images: dict[str, Image]
    misinform: dict[str, Decoy]


@cache
def _facts() -> _Facts:
    name = "facts.yaml"
    return YamlFile.read(files("cageflow.scenario.cyborg").joinpath(name), name, ["images"]).validate(_Facts)


def known_images() -> dict[str, Image]:
    """The images that come with CybORG 2.1, by name."""
    return _facts().images


def misinform_decoys() -> dict[str, Decoy]:
    """The decoys of which the action Misinform of CAGE Challenge 1 plants one, by name."""
    return _facts().misinform


@dataclass(frozen=True)
class Images:
    """Images by name: those of a folder first, then the known ones.

    Attributes:
        folder: a folder of image files with their list `images.yaml`, as `CybORG/Shared/Scenarios/images`.
    """

    folder: Path | None = None

    def find(self, name: str) -> Image:
        """The image of that name.

        Raises:
            LookupError: there is none; the words say which there are and what helps.
            UserError: its file cannot be read as an image.
        """
        listed = self._listed()
        if name in listed:
            return read_image(listed[name])
        known = known_images()
        if name in known:
            return known[name]
        possible = ", ".join(sorted({*listed, *known}))
        cure = "name its folder by --images" if self.folder is None else f"it is not listed in {self.folder} either"
        raise LookupError(f"expected an image among {possible}, got {name}: {cure}")

    def _listed(self) -> dict[str, Path]:
        if self.folder is None:
            return {}
        path = self.folder / LIST_FILE
        file = YamlFile.read(path, str(path), ["Gateway"])
        listed = {}
        for name, entry in file.content.items():
            if not (isinstance(entry, dict) and list(entry) == ["path"] and isinstance(entry["path"], str)):
                raise file.refusal((name,), "expected nothing but the path of an image file without its ending .yaml")
            listed[str(name)] = self.folder / f"{entry['path']}.yaml"
        return listed


def images_of_cyborg(cyborg_path: Path) -> Path:
    """The folder of images of an installed CybORG.

    Raises:
        UserError: there is none.
    """
    places = [cyborg_path / part / "Shared" / "Scenarios" / "images" for part in ("CybORG/CybORG", "CybORG", ".")]
    for place in places:
        if (place / LIST_FILE).is_file():
            return place
    raise UserError(f"{cyborg_path} holds no CybORG: expected {places[0] / LIST_FILE}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Connection(_Part):
    local_port: int


class _Process(_Part):
    pid: int | None = Field(None, alias="PID")
    name: str | None = Field(None, alias="Process Name")
    type: str | None = Field(None, alias="Process Type")
    user: str | None = Field(None, alias="Username")
    version: str | None = Field(None, alias="Process Version")
    properties: str | list[str] | None = Field(None, alias="Properties")
    connections: list[_Connection] = Field([], alias="Connections")


class _System(_Part):
    os: Annotated[Literal["LINUX", "WINDOWS", "Linux", "Windows", "linux", "windows"], Field(alias="OSType")]
    patches: list[str] = Field([], alias="Patches")


class _User(_Part):
    name: str = Field(alias="Username")
    brute_forceable: bool = Field(False, alias="Bruteforceable")


class _Service(_Part):
    pid: int | None = Field(None, alias="PID")
    active: bool = False


class _Host(_Part):
    processes: list[_Process] = Field(alias="Processes")
    system: _System = Field(alias="System info")
    users: list[_User] = Field([], alias="User Info")
    services: dict[str, _Service] = Field({}, alias="Services")


class _ImageFile(_Part):
    host: _Host = Field(alias="Test_Host")


def read_image(path: Path) -> Image:
    """Read an image file of the original.

    Raises:
        UserError: it cannot be read, is none, or says what cannot be expressed; with the place and the reason.
    """
    file = YamlFile.read(path, str(path), ["Test_Host"])
    host = file.validate(_ImageFile).host
    os: Any = host.system.os.lower()
    processes = []
    for i, process in enumerate(host.processes):
        place: Place = ("Test_Host", "Processes", i)
        if process.name == SERVICE:
            if process.connections:
                raise file.refusal(place, f"a {SERVICE} that listens cannot be expressed: expected no Connections")
        elif process.connections:
            processes.append(_listening(file, place, process))
    types_and_ports = {(process.type, port) for process in processes for port in process.ports}
    if ("smb", 139) in types_and_ports and _PATCH_OF_ETERNAL_BLUE in host.system.patches:
        place = ("Test_Host", "System info", "Patches")
        raise file.refusal(place, f"{_PATCH_OF_ETERNAL_BLUE} on a host that shares files cannot be expressed")
    return Image(
        os=os,
        brute_forceable=next((user.name for user in host.users if user.brute_forceable), None),
        service=_service(file, host),
        processes=processes,
    )


def _listening(file: YamlFile, place: Place, process: _Process) -> Process:
    if process.user is None:
        raise file.refusal(place, "expected a Username, since red becomes that user by attacking what listens")
    ports = [connection.local_port for connection in process.connections]
    if max(ports) > MAX_PORT:
        raise file.refusal(
            place, f"port {max(ports)} stands for the far end of connections: expected at most {MAX_PORT}"
        )
    word = (process.type or process.name or "").lower()
    kind = _TYPES.get(word, "unknown")
    properties = []
    if process.properties is not None and "rfi" in process.properties:
        properties.append("rfi")
    if kind == "smtp" and 25 in ports:
        if process.version is None or process.version.lower() not in _OLD_VERSIONS:
            expected = ", ".join(_OLD_VERSIONS)
            raise file.refusal(
                place, f"expected a Process Version among {expected}: on others the original's HarakaRCE breaks down"
            )
        properties.append("old_haraka")
    return Process(name=process.name or kind, type=kind, user=process.user, ports=ports, properties=properties)


def _service(file: YamlFile, host: _Host) -> str | None:
    """The name of the service that Impact stops, if the host has it."""
    count = Counter(process.pid for process in host.processes)
    running = [process for process in host.processes if process.name == SERVICE]
    service = host.services.get(SERVICE)
    if service is None and not running:
        return None
    is_sound = service is not None and service.active and len(running) == 1 and running[0].pid == service.pid
    if not is_sound or count[running[0].pid] > 1:
        raise file.refusal(
            ("Test_Host", "Services", SERVICE),
            f"expected the {SERVICE} to be active and to name the PID of the one process of that name",
        )
    return SERVICE
