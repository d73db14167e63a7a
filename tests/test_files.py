"""What is being written never harms what is there, whatever ends the writing."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.files import (
    STALE_AFTER_S,
    UNFINISHED,
    check_output,
    check_writable,
    make_folder,
    read_text,
    whole_file,
    write_whole,
)


def test_a_written_file_is_alone_in_its_folder_and_as_readable_as_any_other(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "ä\n")
    write_whole(tmp_path / "b.bin", b"\0\1")
    (tmp_path / "usual").touch()
    assert (tmp_path / "a.txt").read_bytes() == "ä\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\0\1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.bin", "usual"]
    assert {path.stat().st_mode for path in tmp_path.iterdir()} == {(tmp_path / "usual").stat().st_mode}


def test_a_library_that_hides_what_it_writes_does_not_hide_the_file(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.bin") as part:
        part.unlink()
        os.close(os.open(part, os.O_CREAT, 0o600))
    (tmp_path / "usual").touch()
    assert (tmp_path / "a.bin").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("fault", [ValueError, InputError, KeyboardInterrupt])
def test_a_fault_in_the_middle_leaves_the_old_file_and_passes_through(
    tmp_path: Path, fault: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def break_off() -> None:
        with whole_file(path) as part:
            part.write_text("half")
            raise fault("broken off")

    with pytest.raises(fault):
        break_off()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unfinished_file_has_the_name_of_the_whole_one(tmp_path: Path) -> None:
    """Libraries choose the format by the suffix, and some write the name into the file."""
    with whole_file(tmp_path / "a.tflite") as part:
        assert part.name == "a.tflite"
        assert part.parent.suffix == UNFINISHED
        part.write_bytes(b"whole")
    assert (tmp_path / "a.tflite").read_bytes() == b"whole"


def test_a_full_disk_and_a_missing_folder_give_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"a\.txt: cannot be written \(No space left on device\)"),
        whole_file(tmp_path / "a.txt"),
    ):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"absent/a\.txt: cannot be written"):
        write_whole(tmp_path / "absent" / "a.txt", "")


def test_several_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    texts = [str(number) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: write_whole(tmp_path / "a.txt", text), texts))
    assert (tmp_path / "a.txt").read_text() in texts
    assert len(list(tmp_path.iterdir())) == 1


PROGRAM = """
import sys
from pathlib import Path
from nas_isp.files import whole_file
with whole_file(Path(sys.argv[1])) as part:
    part.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"
    (left,) = (entry for entry in tmp_path.iterdir() if entry != path)
    assert (left.name[0], left.suffix) == (".", UNFINISHED)
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert left.is_dir()  # it might be another process's
    (tmp_path / ".b.txt.x.part").mkdir()
    for folder in (left, tmp_path / ".b.txt.x.part"):
        os.utime(folder, (time.time() - STALE_AFTER_S - 60,) * 2)
    write_whole(path, "newer")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".b.txt.x.part", "a.txt"]


def test_what_cannot_be_written_is_known_before_and_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="is a folder; give the name of a file"):
        check_writable(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        check_writable(tmp_path / "absent" / "a.txt")


def test_folders_are_made_and_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/b: cannot be made"):
        make_folder(tmp_path / "file" / "b")


def test_texts_are_read_with_and_without_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbftext")
    (tmp_path / "b").write_bytes(b"text")
    assert read_text(tmp_path / "a", 10, "note") == read_text(tmp_path / "b", 10, "note") == "text"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff\xfe", "give a readable note"), (b"x" * 11, "11 bytes; a note has at most 10")]
)
def test_what_is_no_text_or_too_long_is_refused_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        read_text(tmp_path / "a", 10, "note")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read as text"):
        read_text(tmp_path / "absent", 10, "note")


def test_an_output_that_is_also_the_input_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"weights")
    (tmp_path / "link.safetensors").symlink_to(model)
    for source in (model, str(model), tmp_path / "link.safetensors"):
        with pytest.raises(InputError, match="is also what is read here") as caught:
            check_output(model, ".safetensors", source=source)
        assert caught.value.parameters == ("output",)
    check_output(model, ".safetensors", source="efficient-isp")
    check_output(tmp_path / "n.safetensors", ".safetensors", source=model)
    check_output(model, ".safetensors", source=object())


def test_an_output_of_another_suffix_is_refused_with_a_name_that_would_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in \.safetensors; give for instance m\.safetensors"):
        check_output(tmp_path / "m.onnx", ".safetensors")
