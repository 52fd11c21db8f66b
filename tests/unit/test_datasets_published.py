"""The bundled and the published sets, on small files in their formats."""

import gzip
import hashlib
import http.server
import io
import pickle
import socket
import struct
import tarfile
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.datasets import _torchvision, cifar10, cifar100, cifar100_coarse, digits, fashion_mnist, mnist
from smearlab.datasets._raw import check_raw

CIFAR = {
    "cifar10": (cifar10, torchvision.datasets.CIFAR10, ["data_batch_1", "data_batch_2"], ["test_batch"], "labels"),
    "cifar100": (cifar100, torchvision.datasets.CIFAR100, ["train"], ["test"], "fine_labels"),
}
MNIST = {
    "mnist": (mnist, torchvision.datasets.MNIST),
    "fashion_mnist": (fashion_mnist, torchvision.datasets.FashionMNIST),
}


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """An empty working folder, and no network beyond this machine: at the published addresses nobody listens."""
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        for published in [c[1] for c in CIFAR.values()]:
            monkeypatch.setattr(published, "url", f"{address}x.tar.gz")
        for published in [m[1] for m in MNIST.values()]:
            monkeypatch.setattr(published, "mirrors", [address])
        yield


@pytest.fixture
def server():
    """A data server that answers what it is told, whatever is asked; `asked` has the paths."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(self.server.answer)))
            self.end_headers()

        def do_GET(self):
            self.do_HEAD()
            self.server.asked.append(self.path)
            self.wfile.write(self.server.answer[: self.server.cut])

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.answer, running.asked, running.status, running.cut = b"", [], 200, None
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def old_pickle(key, images, labels):
    """What Python 2 wrote into CIFAR's archives: a dictionary with an array as text, protocol 2."""

    def text(data):
        return b"T" + struct.pack("<i", len(data)) + data

    def number(value):
        return b"J" + struct.pack("<i", value)

    u1 = b"cnumpy\ndtype\n" + text(b"u1") + b"K\0K\1\x87R(K\3" + text(b"|") + b"NNN" + number(-1) * 2 + b"K\0tb"
    shape = number(images.shape[0]) + number(images.shape[1]) + b"\x86"
    new = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85" + text(b"b") + b"\x87R"
    array = new + b"(K\1" + shape + u1 + b"\x89" + text(images.tobytes()) + b"tb"
    numbers = b"](" + b"".join(number(label) for label in labels) + b"e"
    return b"\x80\2}(" + text(b"data") + array + text(key) + numbers + b"u."


def cifar_files(name, n=4):
    """Small files in CIFAR's format, and the pixels (N, 32, 32, 3) and labels in them, train then test."""
    _, _, train, test, key = CIFAR[name]
    rng = np.random.default_rng(0)
    files, images, labels = {}, [], []
    for filename in train + test:
        rows, classes = rng.integers(0, 256, (n, 3072), dtype=np.uint8), rng.integers(0, 10, n)
        files[filename] = old_pickle(key.encode(), rows, classes)
        images += [np.stack([row[:1024], row[1024:2048], row[2048:]], -1).reshape(32, 32, 3) for row in rows]
        labels += classes.tolist()
    return files, np.stack(images), labels


def expect_cifar(monkeypatch, name, files):
    """Let torchvision expect these files, and return their archive."""
    _, published, train, test, _ = CIFAR[name]
    monkeypatch.setattr(published, "train_list", [[f, md5(files[f])] for f in train])
    monkeypatch.setattr(published, "test_list", [[f, md5(files[f])] for f in test])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for filename, data in files.items():
            member = tarfile.TarInfo(f"{published.base_folder}/{filename}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    monkeypatch.setattr(published, "tgz_md5", md5(packed.getvalue()))
    return packed.getvalue()


def put(path, data):
    path = Path("data", path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def assert_holds(raw, images, labels, n_test):
    np.testing.assert_array_equal(raw.images, images)
    assert raw.labels.tolist() == labels
    assert raw.split.tolist() == ["train"] * (len(labels) - n_test) + ["test"] * n_test
    check_raw(raw)


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_is_read_from_its_archive_without_unpacking(monkeypatch, name):
    module, published, *_ = CIFAR[name]
    files, images, labels = cifar_files(name)
    put(published.filename, expect_cifar(monkeypatch, name, files))
    assert_holds(module.load(), images, labels, 4)
    assert sorted(path.name for path in Path("data").iterdir()) == [published.filename]


@pytest.mark.parametrize("name", CIFAR)
def test_cifar_is_read_from_the_files_torchvision_unpacks_as_torchvision_reads_them(monkeypatch, name):
    module, published, *_ = CIFAR[name]
    files, images, labels = cifar_files(name)
    expect_cifar(monkeypatch, name, files)
    monkeypatch.setattr(published, "_load_meta", lambda self: None)
    for filename, data in files.items():
        put(f"{published.base_folder}/{filename}", data)
    raw = module.load()
    assert_holds(raw, images, labels, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy remarks on what Python 2 pickled
        theirs = [published("data", train=train) for train in (True, False)]
    np.testing.assert_array_equal(raw.images, np.concatenate([part.data for part in theirs]))
    assert raw.labels.tolist() == theirs[0].targets + theirs[1].targets


def test_arrays_pickled_by_python_3_are_read_too(monkeypatch):
    files, images, labels = cifar_files("cifar100")
    rows = images.transpose(0, 3, 1, 2).reshape(-1, 3072)
    for protocol in (2, 4, 5):
        for filename, part in (("train", slice(0, 4)), ("test", slice(4, 8))):
            batch = {"data": rows[part], "fine_labels": labels[part]}
            files[filename] = pickle.dumps(batch, protocol=protocol)
        put(torchvision.datasets.CIFAR100.filename, expect_cifar(monkeypatch, "cifar100", files))
        assert_holds(cifar100.load(), images, labels, 4)


def never(*_args, **_kwargs):
    raise AssertionError("unpickled before its checksum was right")


def test_nothing_is_unpickled_before_its_checksum_is_right(monkeypatch):
    files, *_ = cifar_files("cifar10")
    packed = expect_cifar(monkeypatch, "cifar10", files)
    published = torchvision.datasets.CIFAR10
    put(published.filename, packed[:-1] + bytes([packed[-1] ^ 1]))
    for filename, data in files.items():
        put(f"{published.base_folder}/{filename}", data + b"!")
    for place in (_torchvision.pickle, pickle):
        monkeypatch.setattr(place, "load", never)
    monkeypatch.setattr(_torchvision._Restricted, "load", never)
    with pytest.raises(UserError, match=r"data/cifar-10-python\.tar\.gz does not match its MD5"):
        cifar10.load()


def test_a_member_that_is_not_the_published_one_is_refused(monkeypatch):
    files, *_ = cifar_files("cifar10")
    packed = expect_cifar(monkeypatch, "cifar10", files)
    first, *others = torchvision.datasets.CIFAR10.train_list
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "train_list", [[first[0], "0" * 32], *others])
    monkeypatch.setattr(_torchvision._Restricted, "load", never)
    put(torchvision.datasets.CIFAR10.filename, packed)
    with pytest.raises(UserError, match=r"^cifar10: data_batch_1 in the archive does not match its MD5"):
        cifar10.load()


def test_an_archive_that_lacks_a_file_is_refused(monkeypatch):
    files, *_ = cifar_files("cifar10")
    packed = expect_cifar(monkeypatch, "cifar10", files)
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "test_list", [["other_batch", "0" * 32]])
    put(torchvision.datasets.CIFAR10.filename, packed)
    with pytest.raises(UserError, match=r"^cifar10: cifar-10-python\.tar\.gz lacks other_batch"):
        cifar10.load()


@pytest.mark.parametrize(
    "content", [b"no archive", gzip.compress(b"no tar" * 1000, mtime=0), b""], ids=["text", "no tar", "empty"]
)
def test_an_archive_that_is_none_is_refused_even_with_a_right_checksum(monkeypatch, content):
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "tgz_md5", md5(content))
    put(torchvision.datasets.CIFAR10.filename, content)
    with pytest.raises(UserError, match=r"^cifar10: cifar-10-python\.tar\.gz is not in the expected format"):
        cifar10.load()


class Touch:
    def __reduce__(self):
        return Path.touch, (Path("pwned"),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(Touch()), r"asks for pathlib\."),
        (b"cposix\nsystem\n(S'touch pwned'\ntR.", r"asks for posix\.system"),
        (b"cbuiltins\neval\n(S'1'\ntR.", r"asks for builtins\.eval"),
        (
            pickle.dumps({"data": np.zeros((4, 3071), np.uint8), "labels": [0] * 4}),
            r"images are uint8 of shape \(4, 3071\)",
        ),
        (pickle.dumps({"data": np.zeros((4, 3072)), "labels": [0] * 4}), "images are float64"),
        (pickle.dumps({"data": np.zeros((4, 3072), np.uint8)}), "fine_labels"),
        (pickle.dumps([1]), "indices must be integers"),
        (b"", "Ran out of input|EOF"),
    ],
    ids=["path", "system", "eval", "short rows", "floats", "no labels", "list", "empty"],
)
def test_a_pickle_can_make_nothing_but_arrays_even_with_a_right_checksum(monkeypatch, data, message):
    files, *_ = cifar_files("cifar10")
    files["data_batch_2"] = data
    put(torchvision.datasets.CIFAR10.filename, expect_cifar(monkeypatch, "cifar10", files))
    with pytest.raises(UserError, match=f"^cifar10: data_batch_2 is not in the expected format .*({message})"):
        cifar10.load()
    assert not Path("pwned").exists()


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


def mnist_files(monkeypatch, published):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 10, 7, dtype=np.uint8)
    contents = [images[:5], labels[:5], images[5:], labels[5:]]
    packed = {name: gzip.compress(idx(a)) for (name, _), a in zip(published.resources, contents, strict=True)}
    monkeypatch.setattr(published, "resources", [(name, md5(data)) for name, data in packed.items()])
    return packed, images, labels


@pytest.mark.parametrize("name", MNIST)
def test_mnist_is_read_as_torchvision_reads_it(monkeypatch, name):
    module, published = MNIST[name]
    packed, images, labels = mnist_files(monkeypatch, published)
    for filename, data in packed.items():
        put(f"{published.__name__}/raw/{filename}", data)
    raw = module.load()
    assert_holds(raw, images[..., None], labels.tolist(), 2)
    for filename, data in packed.items():
        put(f"{published.__name__}/raw/{filename.removesuffix('.gz')}", gzip.decompress(data))
    theirs = [published("data", train=train) for train in (True, False)]
    np.testing.assert_array_equal(raw.images[..., 0], np.concatenate([part.data.numpy() for part in theirs]))
    assert raw.labels.tolist() == np.concatenate([part.targets.numpy() for part in theirs]).tolist()


def test_an_idx_file_that_is_none_is_refused(monkeypatch):
    published = torchvision.datasets.MNIST
    packed, *_ = mnist_files(monkeypatch, published)
    for content in (b"", b"\0\0\x09\1", b"\0\0\x08\1" + struct.pack(">i", 9) + b"short", b"\0\0\x08\3\0"):
        first = published.resources[0][0]
        packed[first] = gzip.compress(content)
        monkeypatch.setattr(published, "resources", [(name, md5(data)) for name, data in packed.items()])
        for filename, data in packed.items():
            put(f"MNIST/raw/{filename}", data)
        with pytest.raises(UserError, match=r"^mnist: train-images-idx3-ubyte\.gz is not in the expected format"):
            mnist.load()


@pytest.mark.parametrize("name", [*MNIST, *CIFAR])
def test_without_a_network_one_line_says_where_to_put_the_file(name):
    module, published, *_ = (MNIST | CIFAR)[name]
    with pytest.raises(UserError) as refused:
        module.load()
    message = str(refused.value)
    assert message.startswith(f"{name}: cannot be downloaded (http://127.0.0.1:") and "\n" not in message
    expected = published.filename if name in CIFAR else f"{published.__name__}/raw/{published.resources[0][0]}"
    md5_expected = published.tgz_md5 if name in CIFAR else published.resources[0][1]
    assert f"by hand at data/{expected} (MD5 {md5_expected})" in message
    assert f"or the images with labels and split at data/{name}.npz" in message
    assert [path for path in Path("data").rglob("*") if path.is_file() or path.name.startswith(".")] == []


def test_a_download_is_checked_kept_and_not_repeated(monkeypatch, server):
    files, images, labels = cifar_files("cifar10")
    server.answer = expect_cifar(monkeypatch, "cifar10", files)
    published = torchvision.datasets.CIFAR10
    monkeypatch.setattr(published, "url", f"http://127.0.0.1:{server.server_port}/cifar.tar.gz")
    put(published.filename, b"cut short last time")
    assert_holds(cifar10.load(), images, labels, 4)
    assert set(server.asked) == {"/cifar.tar.gz"}
    server.asked.clear()
    assert_holds(cifar10.load(), images, labels, 4)
    assert server.asked == []
    assert Path("data", published.filename).read_bytes() == server.answer
    assert [path.name for path in Path("data").iterdir()] == [published.filename]
    assert socket.getdefaulttimeout() is None


def test_the_second_mirror_is_asked_when_the_first_is_away(monkeypatch, server):
    published = torchvision.datasets.MNIST
    packed, images, labels = mnist_files(monkeypatch, published)
    first, *others = packed
    server.answer = packed[first]
    monkeypatch.setattr(published, "mirrors", [*published.mirrors, f"http://127.0.0.1:{server.server_port}/"])
    for filename in others:
        put(f"MNIST/raw/{filename}", packed[filename])
    assert_holds(mnist.load(), images[..., None], labels.tolist(), 2)
    assert set(server.asked) == {f"/{first}"}


@pytest.mark.parametrize(
    ("answer", "status", "cut"),
    [(b"<html>log in first</html>", 200, None), (b"", 200, None), (b"gone", 404, None), (b"x" * 5000, 200, 100)],
    ids=["log-in page", "nothing", "gone", "cut short"],
)
def test_a_server_that_answers_garbage_leaves_nothing_behind(monkeypatch, server, answer, status, cut):
    server.answer, server.status, server.cut = answer, status, cut
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", f"http://127.0.0.1:{server.server_port}/x.tar.gz")
    with pytest.raises(UserError, match=r"^cifar10: cannot be downloaded \(http://127\.0\.0\.1:.* by hand at "):
        cifar10.load()
    assert list(Path("data").iterdir()) == []


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(_torchvision, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/x.tar.gz"
        monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", address)
        with pytest.raises(UserError, match="timed out"):
            cifar10.load()


def test_the_users_own_copy_comes_first_and_is_said_so():
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(20) % 10
    Path("data").mkdir()
    np.savez("data/cifar10.npz", images=images, labels=labels, split=np.repeat(["train", "test"], 10))
    raw = cifar10.load()
    assert_holds(raw, images, labels.tolist(), 10)
    digest = hashlib.sha256(Path("data/cifar10.npz").read_bytes()).hexdigest()
    assert raw.notes == [f"images read from data/cifar10.npz (SHA-256 {digest}), not from the published files"]
    assert raw.class_names == cifar10.class_names()
    assert cifar10.fingerprint() == digest


def test_an_own_copy_with_more_classes_than_the_set_has_is_refused():
    Path("data").mkdir()
    np.savez("data/mnist.npz", images=np.zeros((11, 28, 28), np.uint8), labels=np.arange(11))
    with pytest.raises(UserError, match=r"^data/mnist\.npz: 1 of 11 labels are out of range, first 10 at index 10"):
        check_raw(mnist.load())


def own_copy(name, labels, **more):
    Path("data").mkdir()
    images = np.zeros((len(labels), 32, 32, 3), np.uint8)
    np.savez(f"data/{name}.npz", images=images, labels=labels, split=np.repeat(["train"], len(labels)), **more)


def test_an_own_copy_that_numbers_the_classes_otherwise_is_refused():
    by_length = sorted(cifar10.class_names(), key=len)
    own_copy("cifar10", np.arange(10), class_names=by_length)
    with pytest.raises(UserError, match=r"^data/cifar10\.npz: class 0 is 'cat', which is class 3 of the published set"):
        cifar10.load()


def test_an_own_copy_may_spell_the_names_in_its_own_way():
    names = [name.upper() for name in cifar10.class_names()]
    own_copy("cifar10", np.arange(10), class_names=[*names[:1], "car", *names[2:]])
    assert cifar10.load().class_names == cifar10.class_names()


def test_superclasses_are_the_published_ones():
    """Five classes each; the numbers of the first classes as in the published files (apple 4, aquarium_fish 1, …)."""
    of_class = cifar100_coarse.superclass_of_class()
    assert np.bincount(of_class).tolist() == [5] * 20
    assert of_class[:10].tolist() == [4, 1, 14, 8, 0, 6, 7, 7, 18, 3]
    assert of_class[-10:].tolist() == [18, 1, 2, 15, 6, 0, 17, 8, 14, 13]
    names = cifar100_coarse.class_names()
    assert names == sorted(names)
    woman = cifar100.class_names().index("woman")
    assert names[of_class[woman]] == "people"


def test_the_coarse_set_is_that_of_the_hundred_classes_by_superclass():
    own_copy("cifar100", np.arange(100))
    raw = cifar100_coarse.load()
    check_raw(raw)
    assert raw.labels.tolist() == cifar100_coarse.superclass_of_class().tolist()
    assert raw.class_names == cifar100_coarse.class_names()
    assert cifar100_coarse.fingerprint() == cifar100.fingerprint()


@pytest.mark.parametrize("labels", [np.arange(20), np.arange(101), np.arange(-1, 99)], ids=["coarse", "high", "low"])
def test_labels_that_are_not_of_the_hundred_classes_have_no_superclass(labels):
    own_copy("cifar100", labels, class_names=[f"c{i}" for i in range(101)])
    with pytest.raises(UserError, match=r"^data/cifar100\.npz: labels run from -?\d+ to \d+; cifar100_coarse needs"):
        cifar100_coarse.load()


@pytest.mark.parametrize(("name", "n"), [("mnist", 10), ("fashion_mnist", 10), ("cifar10", 10), ("cifar100", 100)])
def test_names_and_identity_of_published_sets_need_no_data(name, n):
    module = registry.load("datasets", name)
    assert len(set(module.class_names())) == n
    assert module.fingerprint() == f"{name}-1"
    assert registry.describe("datasets", name).options == {}


def test_class_names_are_those_of_torchvision():
    assert fashion_mnist.class_names() == torchvision.datasets.FashionMNIST.classes
    assert [name[0] for name in torchvision.datasets.MNIST.classes] == mnist.class_names()
    assert cifar100.class_names() == sorted(cifar100.class_names())


def test_the_digits_are_the_known_ones():
    raw = digits.load()
    check_raw(raw)
    assert raw.images.shape == (1797, 8, 8, 1)
    assert np.bincount(raw.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # the first image is a zero; its second row counts ink 0 0 13 15 10 15 5 0
    assert raw.images[0, 1, :, 0].tolist() == [0, 0, 207, 239, 159, 239, 80, 0]
    assert (int(raw.images.min()), int(raw.images.max()), len(np.unique(raw.images))) == (0, 255, 17)
    assert set(raw.split.tolist()) == {""}
