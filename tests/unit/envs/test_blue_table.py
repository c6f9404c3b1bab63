import numpy as np
import pytest

from cageflow.envs.blue_table import BlueTable

HOSTS = ("Alpha", "Beta")
NORMAL_FILE = {"File Name": "report.txt", "Density": 0.95}
MALWARE = {"File Name": "cmd.exe", "Density": 0.9}
HARMLESS = {"File Name": "notes.txt", "Density": 0.89}
FIRST = {"success": True, "Alpha": {"Files": [NORMAL_FILE]}, "Beta": {}}
FRESH_DECOY = {"PID": 7, "Service Name": "apache2"}

NOTHING, SCAN, EXPLOIT = [0, 0], [1, 0], [1, 1]
NO, UNKNOWN, USER, PRIVILEGED = [0, 0], [1, 0], [0, 1], [1, 1]


def connection(local_port: int, remote_port: int | None = 50_000) -> dict:
    remote = {} if remote_port is None else {"remote_port": remote_port}
    return {"Connections": [{"local_port": local_port, **remote}]}


def seen(host: str, *processes: dict, files: tuple = ()) -> dict:
    return {"success": True, host: {"Processes": list(processes), "Files": list(files)}}


@pytest.fixture
def table() -> BlueTable:
    return BlueTable(HOSTS, FIRST)


def alpha(table: BlueTable) -> list[int]:
    return table.vector()[:4].astype(int).tolist()


def test_vector__after_reset_is_all_zero_float32(table):
    np.testing.assert_array_equal(table.vector(), np.zeros(8, np.float32))
    assert table.vector().dtype == np.float32


@pytest.mark.parametrize(
    ("processes", "activity"),
    [
        ([connection(22)], SCAN),
        ([connection(22), connection(80)], SCAN),
        ([connection(22), connection(80), connection(443)], SCAN),
        ([connection(22), connection(80), connection(443), connection(5, 4444)], SCAN),
        ([connection(51_000, 4444)], EXPLOIT),
        ([connection(80), connection(51_000, 4444)], EXPLOIT),
        ([connection(22), connection(22)], SCAN),
        ([connection(22), connection(22), connection(22)], EXPLOIT),
        ([connection(22), connection(22), connection(80)], SCAN),
        ([connection(80), connection(80, None)], SCAN),
        ([FRESH_DECOY], NOTHING),
        ([FRESH_DECOY, connection(80)], SCAN),
        ([FRESH_DECOY, connection(80), connection(80)], EXPLOIT),
        ([connection(80), FRESH_DECOY], NOTHING),
    ],
)
def test_update__tells_activity_by_the_ports(table, processes, activity):
    table.update(seen("Alpha", *processes))
    assert alpha(table)[:2] == activity
    assert alpha(table)[2:] == (USER if activity == EXPLOIT else NO)
    np.testing.assert_array_equal(table.vector()[4:], 0)


def test_update__activity_lasts_one_step_and_compromise_stays(table):
    table.update(seen("Alpha", connection(51_000, 4444)))
    table.update({"success": True})
    assert alpha(table) == NOTHING + USER


@pytest.mark.parametrize(("file", "compromise"), [(MALWARE, PRIVILEGED), (HARMLESS, NO), (NORMAL_FILE, NO)])
def test_update__dense_files_that_were_not_there_mean_privileged(table, file, compromise):
    table.update(seen("Alpha", files=(file,)))
    assert alpha(table) == NOTHING + compromise


def test_update__exploit_on_a_privileged_host_makes_it_user_again(table):
    table.update(seen("Alpha", files=(MALWARE,)))
    table.update(seen("Alpha", connection(51_000, 4444)))
    assert alpha(table) == EXPLOIT + USER


def test_update__restore_clears_and_remove_leaves_doubt(table):
    table.update(seen("Alpha", connection(51_000, 4444)))
    table.update({"success": True}, removed="Alpha")
    assert alpha(table) == NOTHING + UNKNOWN
    table.update({"success": True}, restored="Alpha")
    assert alpha(table) == NOTHING + NO


def test_update__remove_on_a_host_that_looks_clean_changes_nothing(table):
    table.update({"success": True}, removed="Alpha")
    assert alpha(table) == NOTHING + NO


def test_update__what_is_seen_in_the_step_of_a_restore_counts(table):
    table.update(seen("Alpha", connection(51_000, 4444)), restored="Alpha")
    assert alpha(table) == EXPLOIT + USER


def test_update__processes_that_were_there_at_the_reset_are_normal():
    table = BlueTable(HOSTS, {"success": True, "Alpha": {"Processes": [connection(22)]}, "Beta": {}})
    table.update(seen("Alpha", connection(22)))
    assert alpha(table) == NOTHING + NO
