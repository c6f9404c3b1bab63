import json
from dataclasses import replace

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.parity.recording import (
    FIELDS,
    Recording,
    RecordingMeta,
    empty_arrays,
    index_names,
    load_recording,
    save_recording,
)
from cageflow.scenario import Network, default_network
from cageflow.scenario.cyborg.writing import cyborg_text
from cageflow.scenario.writing import checked_network, network_text

OTHER = replace(default_network().identity, name="Mine", fingerprint="0" * 64).to_json()
META = RecordingMeta(rules="v2.1", red="B_lineAgent", policy="sleep", seed=7, green=False)


def some_recording(episodes: int = 2, steps: int = 5) -> Recording:
    """A recording with another value in every array, within its range."""
    arrays = empty_arrays(default_network(), episodes, steps)
    rng = np.random.default_rng(0)
    for name, field in FIELDS.items():
        high = len(index_names(default_network())[field.high]) - 1 if isinstance(field.high, str) else field.high
        arrays[name][:] = rng.integers(field.low, high + 1, arrays[name].shape)
    arrays["red_target"] %= 3
    return Recording(meta=META, **arrays)


@pytest.fixture
def saved(tmp_path):
    """The arrays of a good file, and a function that writes them, changed, to another."""
    good = tmp_path / "good.npz"
    save_recording(good, some_recording())
    with np.load(good) as archive:
        arrays = {name: archive[name] for name in archive.files}

    def write(**changes):
        path = tmp_path / "bad.npz"
        np.savez(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
        return path

    return arrays, write


@pytest.mark.parametrize(("episodes", "steps"), [(1, 1), (2, 5), (3, 400)])
def test_save_then_load__gives_every_array_back(tmp_path, episodes, steps):
    recording = some_recording(episodes, steps)
    save_recording(tmp_path / "some.npz", recording)
    back = load_recording(tmp_path / "some.npz")
    assert back.meta == META
    assert (back.num_episodes, back.num_steps) == (episodes, steps)
    for name, field in FIELDS.items():
        np.testing.assert_array_equal(getattr(back, name), getattr(recording, name))
        assert getattr(back, name).dtype == field.dtype


def test_save__meta_names_what_is_behind_every_index(saved):
    arrays, _ = saved
    meta = json.loads(str(arrays["meta"]))
    assert meta["hosts"][0] == "Defender" and len(meta["hosts"]) == 13
    assert meta["actions"][2] == "Analyse Defender" and len(meta["actions"]) == 145
    assert meta["exploits"][7] == "FTPDirectoryTraversal"
    assert meta["decoys"][0] == "apache2"
    assert meta["network"] == default_network().identity.to_json()
    assert meta["subnets"] == ["Enterprise", "Operational", "User"]


def test_save__a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "some.npz"
    save_recording(path, some_recording())
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(UserError, match=r"some.npz cannot be written: No space left on device"):
        save_recording(path, some_recording())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save__into_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot be written: No such file or directory"):
        save_recording(tmp_path / "nowhere" / "some.npz", some_recording())


def test_load__blanks_around_names_do_not_matter(saved):
    arrays, write = saved
    meta = json.loads(str(arrays["meta"]))
    meta["actions"][0] = "Sleep "
    assert load_recording(write(meta=np.array(json.dumps(meta)))).meta == META
    del meta["network"]  # as files of earlier versions
    assert load_recording(write(meta=np.array(json.dumps(meta)))).meta == META


@pytest.mark.parametrize("length", [0, 10, 2000, -1])
def test_load__a_truncated_file_is_refused(tmp_path, length):
    path = tmp_path / "some.npz"
    save_recording(path, some_recording())
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UserError, match=r"some.npz cannot be read as an .npz file"):
        load_recording(path)


def test_load__a_damaged_array_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    save_recording(path, some_recording(episodes=3, steps=100))
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"some.npz "):
        load_recording(path)


def test_load__other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"is no file; give the .npz file of a recording"):
        load_recording(tmp_path / "absent.npz")
    with pytest.raises(UserError, match="is no file"):
        load_recording(tmp_path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(UserError, match="cannot be read as an .npz file"):
        load_recording(tmp_path / "one.npy")
    np.savez(tmp_path / "pickle.npz", meta=np.array({"rules": "v2.1"}, object))
    with pytest.raises(UserError, match="cannot be read as an .npz file"):
        load_recording(tmp_path / "pickle.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detected": None, "obs": None}, "lacks detected, obs"),
        ({"meta": None}, "lacks meta"),
        ({"reward": np.zeros((2, 5), np.float64)}, r"expected reward \(2, 5\) float32, got \(2, 5\) float64"),
        ({"obs": np.zeros((2, 5, 52), np.uint8)}, r"expected obs \(2, 6, 52\) uint8, got \(2, 5, 52\) uint8"),
        ({"blue_action": np.zeros(5, np.int16)}, r"expected blue_action \(episodes, steps\)"),
        ({"blue_action": np.zeros((0, 5), np.int16)}, r"expected blue_action \(episodes, steps\)"),
        ({"blue_action": np.full((2, 5), 145, np.int16)}, "blue_action holds 145, possible is 0 to 144"),
        ({"exploit": np.full((2, 5), 8, np.int8)}, "exploit holds 8, possible is -1 to 7"),
        ({"reward": np.full((2, 5), np.nan, np.float32)}, "reward holds nan"),
        (
            {"red_kind": np.full((2, 5), 1, np.int8), "red_target": np.full((2, 5), 3, np.int8)},
            "red_target of a DiscoverRemoteSystems is not below 3",
        ),
        ({"meta": np.array("not json")}, "Expecting value"),
        ({"meta": np.array("[1]")}, "meta is no JSON object"),
        ({"meta": np.zeros(3)}, "expected meta to be one string"),
    ],
)
def test_load__what_is_wrong_is_said(saved, changes, message):
    _, write = saved
    with pytest.raises(UserError, match=rf"bad.npz is no recording of episodes: .*{message}"):
        load_recording(write(**changes))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("rules", "v3", "rules are 'v3', possible are v2.1, challenge"),
        ("red", "Somebody", "red agent is 'Somebody', possible are B_lineAgent"),
        ("seed", "7", "seed is '7'"),
        ("green", 1, "green is 1"),
        ("hosts", ["Defender"], "the hosts in meta are not the 13 of its network in order"),
        ("actions", list(reversed(index_names(default_network())["actions"])), "the actions in meta are not the 145"),
        ("network", OTHER, "it is of the network 'Mine' .*, whose text it lacks"),
        ("network", {"name": "Mine"}, "'network.fingerprint' is None"),
        ("network", {"file": 7}, "meta says network is 7, expected the text of a file"),
        ("network", "name: Mine", "its network, line 1: values: expected this key"),
        ("scenario", ["Agents"], "meta says scenario is"),
        ("scenario", "Agents: {}", "its scenario, line 1: Agents.Blue: expected this key"),
        ("decoys", None, "the decoys in meta are not the 8"),
    ],
)
def test_load__other_settings_or_names_are_refused(saved, key, value, message):
    arrays, write = saved
    meta = json.loads(str(arrays["meta"])) | {key: value}
    with pytest.raises(UserError, match=message):
        load_recording(write(meta=np.array(json.dumps(meta))))


def test_recording__is_checked_when_made():
    recording = some_recording()
    with pytest.raises(ValueError, match="expected reward"):
        replace(recording, reward=recording.reward[:, 1:])


def test_empty_arrays__hold_minus_one_where_that_means_nothing():
    arrays = empty_arrays(default_network(), 1, 2)
    assert {name for name, array in arrays.items() if (array == -1).all()} == {
        "red_target",
        "exploit",
        "detected",
        "escalate_session",
        "green_scan",
    }
    assert not arrays["obs"].any() and not arrays["reward"].any()


@pytest.mark.parametrize("entry", ["scenario", "network_file"])
def test_recording_of_another_network__carries_it(tmp_path, entry):
    content = default_network().scenario.model_dump()
    content["hosts"]["User4"]["confidentiality"] = "high"
    network = Network(checked_network(content, "mine"))
    text = cyborg_text(network.scenario) if entry == "scenario" else network_text(network.scenario)
    arrays = empty_arrays(network, 1, 2)
    meta = replace(META, **{entry: text})
    save_recording(tmp_path / "own.npz", Recording(meta=meta, **arrays))
    back = load_recording(tmp_path / "own.npz")
    assert (back.meta, back.network.scenario.hosts) == (meta, network.scenario.hosts)
    with np.load(tmp_path / "own.npz") as archive:
        written = json.loads(str(archive["meta"]))
    assert written["network"]["fingerprint"] == back.network.fingerprint
    assert (written["scenario"] if entry == "scenario" else written["network"]["file"]) == text


def test_network_as_its_text_alone__is_read(saved):
    arrays, write = saved
    meta = json.loads(str(arrays["meta"])) | {"network": network_text(default_network().scenario)}
    assert load_recording(write(meta=np.array(json.dumps(meta)))).network.fingerprint == default_network().fingerprint


def test_header_that_promises_more_than_the_file__is_refused_before_memory_is_asked_for(tmp_path, monkeypatch):
    import io
    import tracemalloc
    import zipfile

    def member(shape: tuple[int, ...], dtype: str, content: bytes = b"") -> bytes:
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
        return file.getvalue() + content

    path = tmp_path / "large.npz"
    for content, words in (
        (member((1 << 42,), "|u1", b"x"), r"does not hold the \(4398046511104,\) uint8 that its header says"),
        (member((3,), "|O", b"x" * 24), "does not hold"),
        (member((2,), "|u1", b"x" * 9), "does not hold"),
        (b"\x93NUMPY\x09\x00", "of a format that is not known"),
        (b"nothing at all", "magic string is not correct"),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("blue_action.npy", content)
        tracemalloc.start()
        with pytest.raises(UserError, match=f"cannot be read as an .npz file of recorded episodes: .*{words}"):
            load_recording(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
        tracemalloc.stop()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", bytes(2000))
    monkeypatch.setattr("cageflow.parity.recording.MAX_BYTES", 1999)
    with pytest.raises(UserError, match="unpacked it has more than"):
        load_recording(path)
