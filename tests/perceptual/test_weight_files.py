"""Weights are found in the promised order, fetched whole and checked, and missed with a helpful line."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.perceptual.download import download
from nas_isp.perceptual.features import FEATURE_NETWORKS, FeatureSource, fetch_weights, load_features
from nas_isp.perceptual.lite import unfilled_lite
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.perceptual.state import read_state
from nas_isp.perceptual.weight_files import WEIGHTS_VARIABLE, WeightsFile, cache_folder, find_weights

NAME = "net-1234.pth"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        if self.path != "/broken.pth":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which a server of this machine shows it."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def published(folder: Path, address: str) -> WeightsFile:
    torch.save(unfilled_lite().state_dict(), folder / NAME)
    return WeightsFile(NAME, f"{address}{NAME}", hashlib.sha256((folder / NAME).read_bytes()).hexdigest())


def load_filled(path: Path, normalize: bool) -> FeatureNetwork:
    network = unfilled_lite(normalize)
    network.load_state_dict(read_state(path))
    return network


class TestFinding:
    def test_the_given_folder_comes_before_the_environment_and_that_before_the_cache(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given, named = tmp_path / "given", tmp_path / "named"
        monkeypatch.setenv(WEIGHTS_VARIABLE, str(named))
        for folder in (given, named, cache_folder()):
            folder.mkdir(parents=True)
            (folder / NAME).touch()
        file = WeightsFile(NAME)
        for folder in (given, named, cache_folder()):
            assert find_weights([file], given) == (file, folder / NAME)
            (folder / NAME).unlink()
        assert find_weights([file], given) is None

    def test_the_preferred_file_of_a_folder_is_taken_and_other_names_are_known(self, tmp_path: Path) -> None:
        preferred, other = WeightsFile("a.pth", aliases=("model/b.pth",)), WeightsFile("c.pth")
        (tmp_path / "c.pth").touch()
        assert find_weights([preferred, other], tmp_path) == (other, tmp_path / "c.pth")
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "b.pth").touch()
        assert find_weights([preferred, other], tmp_path) == (preferred, tmp_path / "model" / "b.pth")

    def test_a_folder_that_is_none_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(InputError, match=r"weights folder .*nowhere is no folder"):
            find_weights([WeightsFile(NAME)], tmp_path / "nowhere")
        monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "nowhere"))
        with pytest.raises(InputError, match=f"{WEIGHTS_VARIABLE} .*nowhere is no folder"):
            find_weights([WeightsFile(NAME)])


class TestDownload:
    def test_gives_the_published_bytes_and_leaves_nothing_else(self, served: tuple[Path, str], tmp_path: Path) -> None:
        file = published(*served)
        path = download(file, tmp_path / "new" / "folder")
        assert path.read_bytes() == (served[0] / NAME).read_bytes()
        assert [entry.name for entry in path.parent.iterdir()] == [NAME]

    def test_a_wrong_checksum_leaves_nothing(self, served: tuple[Path, str], tmp_path: Path) -> None:
        file = published(*served)
        (served[0] / NAME).write_bytes(b"something else")
        with pytest.raises(InputError, match=f"{NAME}.*SHA-256 .* instead of {file.sha256}"):
            download(file, tmp_path / "folder")
        assert list((tmp_path / "folder").iterdir()) == []

    @pytest.mark.parametrize("name", ["absent.pth", "broken.pth"], ids=["not found", "broken off"])
    def test_what_does_not_come_whole_leaves_nothing(self, served: tuple[Path, str], tmp_path: Path, name: str) -> None:
        file = WeightsFile(name, f"{served[1]}{name}", "0" * 64)
        with pytest.raises(InputError, match=name) as caught:
            download(file, tmp_path / "folder", timeout_s=2)
        assert "\n" not in str(caught.value)
        assert list((tmp_path / "folder").iterdir()) == []

    def test_several_at_once_do_not_disturb_each_other(self, served: tuple[Path, str], tmp_path: Path) -> None:
        file = published(*served)
        with ThreadPoolExecutor(4) as pool:
            paths = set(pool.map(lambda _: download(file, tmp_path / "folder"), range(4)))
        assert paths == {tmp_path / "folder" / NAME}
        assert (tmp_path / "folder" / NAME).read_bytes() == (served[0] / NAME).read_bytes()
        assert len(list((tmp_path / "folder").iterdir())) == 1


class TestLoading:
    def test_missing_weights_are_fetched_once_into_the_cache(
        self, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = FeatureSource(unfilled_lite, ((published(*served), load_filled),))
        monkeypatch.setitem(FEATURE_NETWORKS._registered, "served", source)
        assert fetch_weights("served") == cache_folder() / NAME
        (served[0] / NAME).unlink()
        assert fetch_weights("served") == cache_folder() / NAME
        assert load_features("served").layers == ("shallow", "middle", "deep")

    @pytest.mark.parametrize("name", ["alexnet", "squeezenet", "vgg19", "vit-b16"])
    def test_offline_the_error_names_file_address_hash_and_what_else_can_be_used(
        self, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        source = FEATURE_NETWORKS[name]
        (remote,) = (file for file in source.files if file.address)
        nowhere = WeightsFile(remote.name, "http://127.0.0.1:9/nothing", remote.sha256)
        lacking = FeatureSource(source.unfilled, ((nowhere, load_filled),))
        monkeypatch.setitem(FEATURE_NETWORKS._registered, name, lacking)
        with pytest.raises(InputError) as caught:
            load_features(name, tmp_path)
        message = str(caught.value)
        for part in (name, remote.name, "http://127.0.0.1:9/nothing", remote.sha256, str(tmp_path), "use 'lite'"):
            assert part in message
        assert WEIGHTS_VARIABLE in message
        assert "\n" not in message

    def test_lite_has_nothing_to_fetch(self) -> None:
        with pytest.raises(InputError, match="in the package"):
            fetch_weights("lite")

    def test_a_file_without_a_download_is_asked_for_by_name(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        source = FeatureSource(unfilled_lite, ((WeightsFile(NAME), load_filled),))
        monkeypatch.setitem(FEATURE_NETWORKS._registered, "own", source)
        with pytest.raises(InputError, match=f"'own' needs {NAME}, which has no download: none in {tmp_path}"):
            load_features("own", tmp_path)
        with pytest.raises(InputError, match="'own' has nothing to fetch"):
            fetch_weights("own")

    def test_a_network_without_any_weights_is_refused(self) -> None:
        with pytest.raises(ValueError, match="give loaders, or packaged"):
            FeatureSource(unfilled_lite)
