"""What runs on a host is told by its image: a known one, or a file of the original's."""

from pathlib import Path

import pytest

from cageflow.errors import UserError
from cageflow.scenario.cyborg.images import Images, known_images, read_image

PLAIN = """
Test_Host:
  System info: {OSType: LINUX, Architecture: x64}
  User Info:
  - {Username: root}
  - {Username: pi, Bruteforceable: true, Password: raspberry}
  - {Username: second, Bruteforceable: true}
  Processes:
  - {PID: 5, Process Name: init, Username: root}
  - {PID: 7, Process Name: sshd, Username: root, Connections: [{local_port: 22, local_address: 0.0.0.0}]}
  - {PID: 8, Process Name: web, Process Type: HTTPS, Username: www, Properties: rfi, Connections: [{local_port: 443}]}
  - {PID: 9, Process Name: smtp, Username: root, Process Version: Haraka 2.7.0, Connections: [{local_port: 25}]}
"""
SERVICE = "\n  - {PID: 10, Process Name: OTService, Username: root}\n  Services: {OTService: {active: true, PID: 10}}"

# What is replaced in the file above, by what, and what the refusal says.
REFUSALS = {
    "no system": ("OSType: LINUX, ", "", "Test_Host.'System info'.OSType: expected this key"),
    "other system": ("LINUX", "BEOS", "OSType: expected 'LINUX', 'WINDOWS'"),
    "no user": ("Username: www, ", "", "Processes.2: expected a Username, since red becomes that user"),
    "port of the far end": ("local_port: 443", "local_port: 50000", "Processes.2: port 50000 stands for the far end"),
    "version unknown": ("Haraka 2.7.0", "haraka 3", "Processes.3: expected a Process Version among haraka 2.7.0"),
    "version missing": ("Process Version: Haraka 2.7.0, ", "", "the original's HarakaRCE breaks down"),
    "service stopped": ("active: true", "active: false", "Services.OTService: expected the OTService to be active"),
    "service of another process": (
        "OTService: {active: true, PID: 10}",
        "OTService: {active: true, PID: 7}",
        "name the P",
    ),
    "service with a shared id": (
        "PID: 9,",
        "PID: 10,",
        "expected the OTService to be active and to name the PID of the",
    ),
    "service that listens": (
        "Process Name: OTService, ",
        "Process Name: OTService, Connections: [{local_port: 1}], ",
        "Processes.4: a OTService that listens cannot be expressed",
    ),
    "service without an entry": (
        "\n  Services: {OTService: {active: true, PID: 10}}",
        "",
        "expected the OTService to be",
    ),
    "mended file sharing": (
        "{OSType: LINUX, Architecture: x64}",
        "{OSType: WINDOWS, Patches: [MS17_010]}",
        "Patches: MS17_010 on a host that shares files cannot be expressed",
    ),
}


def written(folder: Path, text: str) -> Path:
    path = folder / "image.yaml"
    path.write_text(text)
    return path


def test_image_file__says_system_ports_types_users_and_service(tmp_path):
    image = read_image(written(tmp_path, PLAIN + SERVICE))
    assert (image.os, image.brute_forceable, image.service) == ("linux", "pi", "OTService")
    assert [(p.name, p.type, p.user, p.ports, p.properties) for p in image.processes] == [
        ("sshd", "ssh", "root", [22], []),
        ("web", "webserver", "www", [443], ["rfi"]),
        ("smtp", "smtp", "root", [25], ["old_haraka"]),
    ]


@pytest.mark.parametrize("case", REFUSALS)
def test_image_file__that_cannot_be_expressed_is_refused(case, tmp_path):
    old, new, words = REFUSALS[case]
    text = PLAIN + SERVICE + "\n"
    if case == "mended file sharing":
        text = text.replace("Process Name: sshd,", "Process Name: smb,").replace("local_port: 22", "local_port: 139")
    assert old in text
    with pytest.raises(UserError, match=rf"image.yaml, line \d+: .*{words}"):
        read_image(written(tmp_path, text.replace(old, new)))


def test_list_of_images__that_is_none_is_refused(tmp_path):
    (tmp_path / "images.yaml").write_text("Gateway: {os: linux}\n")
    with pytest.raises(
        UserError, match=r"images.yaml, line 1: Gateway: expected nothing but the path of an image file"
    ):
        Images(tmp_path).find("Gateway")


def test_image_that_nobody_knows__is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(LookupError, match="expected an image among Gateway, .*, got Kali_Box: name its folder by"):
        Images().find("Kali_Box")
    (tmp_path / "images.yaml").write_text("Mine: {path: mine}\n")
    with pytest.raises(LookupError, match="Mine, OP_Server.*, got Kali_Box: it is not listed in .* either"):
        Images(tmp_path).find("Kali_Box")


@pytest.mark.cyborg
def test_known_images__are_what_the_files_of_the_original_say(cyborg_path):
    folder = next(iter(Path(cyborg_path).rglob("images.yaml"))).parent
    images = Images(folder)
    for name, image in known_images().items():
        assert images.find(name) == image
    with pytest.raises(UserError, match="port 55553 stands for the far end"):
        images.find("Kali_Box")
