"""Arrays of other libraries as one value: where they lie, how, and in whose stream they are drawn."""

import gc
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.cuda.errors import ForeignArrayError
from streamer.cuda.foreign import is_on_device, stream_handle, view
from streamer.cuda.gpu import LEGACY_STREAM, Gpu
from tests.cuda.machine import picture
from tests.fakes.cuda_arrays import DlpackArray, InterfacedArray

ROWS, COLUMNS, CHANNELS = 6, 10, 4
# CU_STREAM_PER_THREAD.
PER_THREAD_STREAM = 2


@pytest.fixture(scope="module")
def gpu():
    return Gpu.open(0)


@pytest.fixture
def follower(gpu):
    return gpu.open_stream()


class Both(DlpackArray, InterfacedArray):
    """What speaks both, as PyTorch and CuPy do."""

    def __init__(self, content, version=3, stream=None):
        InterfacedArray.__init__(self, content, version, stream)
        interface = self.interface
        DlpackArray.__init__(self, content)
        self.interface = {**interface, "data": (self.pointer, False)}


@pytest.mark.parametrize("padding_bytes", [0, 24])
@pytest.mark.parametrize("is_versioned", [True, False], ids=["versioned", "unversioned"])
def test_view_reads_what_dlpack_says(gpu, follower, is_versioned, padding_bytes):
    array = DlpackArray(picture(ROWS, COLUMNS, CHANNELS), padding_bytes, is_versioned=is_versioned)

    found = view(array, gpu, follower)

    assert (found.pointer, found.shape, found.dtype, found.device) == (array.pointer, array.shape, np.uint8, 0)
    assert found.strides_bytes == (COLUMNS * CHANNELS + padding_bytes, CHANNELS, 1)
    assert found.stream is None


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "float16", "float32", "int64", "bool"])
@pytest.mark.parametrize("kind", [DlpackArray, InterfacedArray])
def test_view_names_the_type(gpu, follower, kind, dtype):
    found = view(kind(np.zeros((ROWS, COLUMNS), dtype)), gpu, follower)

    item_bytes = np.dtype(dtype).itemsize
    assert found.dtype == dtype
    assert found.strides_bytes == (COLUMNS * item_bytes, item_bytes)


def test_dlpack_producer_is_told_to_let_us_wait(gpu, follower):
    array = DlpackArray(picture(ROWS, COLUMNS))

    view(array, gpu, follower)

    assert array.told == [follower.handle]


def test_dlpack_producer_is_asked_while_its_gpu_is_current(gpu, follower):
    contexts = []

    class Asked(DlpackArray):
        def __dlpack__(self, **more):
            contexts.append(int(gpu.call("cuCtxGetCurrent")))
            return super().__dlpack__(**more)

    array = Asked(picture(ROWS, COLUMNS))
    with gpu.current():
        own = int(gpu.call("cuCtxGetCurrent"))

    # A producer means the current stream of the current GPU, and a thread may have chosen another one, or none.
    with Gpu.open(1).current():
        view(array, gpu, follower)

    assert contexts == [own]


def test_dlpack_producer_whose_stream_is_known_is_told_that_nobody_waits(gpu, follower):
    array = DlpackArray(picture(ROWS, COLUMNS))

    found = view(array, gpu, follower, producer=LEGACY_STREAM)

    assert array.told == [-1]
    assert found.stream == LEGACY_STREAM


@pytest.mark.parametrize("stream", [None, LEGACY_STREAM, PER_THREAD_STREAM, "own"])
@pytest.mark.parametrize("padding_bytes", [0, 24])
def test_view_reads_what_the_array_interface_says(gpu, follower, padding_bytes, stream):
    handle = gpu.open_stream().handle if stream == "own" else stream
    array = InterfacedArray(picture(ROWS, COLUMNS, CHANNELS), 3, handle, padding_bytes=padding_bytes)

    found = view(array, gpu, follower)

    assert (found.pointer, found.shape, found.dtype, found.device) == (array.pointer, array.shape, np.uint8, 0)
    assert found.strides_bytes == (COLUMNS * CHANNELS + padding_bytes, CHANNELS, 1)
    assert found.stream == handle


def test_array_interface_without_strides_has_no_gaps(gpu, follower):
    array = InterfacedArray(picture(ROWS, COLUMNS, CHANNELS), strides=None)

    assert view(array, gpu, follower).strides_bytes == (COLUMNS * CHANNELS, CHANNELS, 1)


@contextmanager
def followed(follower, monkeypatch):
    handles = []
    real = type(follower).follow

    def follow(self, other):
        handles.append(other.handle)
        real(self, other)

    with monkeypatch.context() as patch:
        patch.setattr(type(follower), "follow", follow)
        yield handles


# Numba's arrays in the legacy stream are of version 3 and name none.
@pytest.mark.parametrize("version", [2, 3])
def test_array_that_names_no_stream_is_waited_for_in_the_legacy_stream(gpu, follower, monkeypatch, version):
    array = InterfacedArray(picture(ROWS, COLUMNS), version)

    with followed(follower, monkeypatch) as handles:
        found = view(array, gpu, follower)

    assert found.stream is None
    assert handles == [LEGACY_STREAM]


def test_array_that_names_its_stream_is_not_waited_for(gpu, follower, monkeypatch):
    array = InterfacedArray(picture(ROWS, COLUMNS), 3, PER_THREAD_STREAM)

    with followed(follower, monkeypatch) as handles:
        view(array, gpu, follower)

    assert handles == []


class Drawing:
    """A stream of another library, by NVIDIA's protocol."""

    def __cuda_stream__(self):
        return 0, 77


@pytest.mark.parametrize(("stream", "handle"), [(0, 0), (77, 77), (np.int64(77), 77), (Drawing(), 77)])
def test_stream_is_given_as_a_handle_or_by_its_protocol(stream, handle):
    assert stream_handle(stream) == handle


def test_stream_of_ours_is_told_by_its_protocol(follower):
    assert stream_handle(follower.core) == follower.handle


@pytest.mark.parametrize("stream", [object(), 1.5, "77", -1])
def test_what_is_no_stream_is_refused(stream):
    with pytest.raises(TypeError, match="accepted is the handle of a CUDA stream"):
        stream_handle(stream)


@pytest.mark.parametrize(
    ("version", "stream", "is_told"), [(2, None, True), (3, None, True), (3, PER_THREAD_STREAM, False)]
)
def test_dlpack_is_preferred_unless_the_interface_names_a_stream(gpu, follower, version, stream, is_told):
    array = Both(picture(ROWS, COLUMNS), version, stream)

    found = view(array, gpu, follower)

    assert bool(array.told) == is_told
    assert found.stream == stream


def test_dlpack_is_asked_where_the_interface_raises(gpu, follower):
    class Gradient(DlpackArray):
        @property
        def __cuda_array_interface__(self):
            raise RuntimeError("it carries a gradient")

    array = Gradient(picture(ROWS, COLUMNS))

    assert view(array, gpu, follower).pointer == array.pointer


@pytest.mark.parametrize("kind", [DlpackArray, InterfacedArray])
def test_view_keeps_its_owner_alive_and_no_longer(gpu, follower, kind):
    array = kind(picture(ROWS, COLUMNS))
    memory = weakref.ref(array.memory)

    found = view(array, gpu, follower)
    del array
    gc.collect()
    is_alive = memory() is not None
    del found
    gc.collect()

    assert is_alive
    assert memory() is None


def test_view_refuses_an_array_on_another_gpu(gpu, follower):
    with pytest.raises(ForeignArrayError, match="on GPU 1; accepted is GPU 0"):
        view(DlpackArray(picture(ROWS, COLUMNS), gpu_index=1), gpu, follower)
    with pytest.raises(ForeignArrayError, match="on GPU 1; accepted is GPU 0"):
        view(InterfacedArray(picture(ROWS, COLUMNS), gpu_index=1), gpu, follower)


def test_view_refuses_devices_that_are_no_nvidia_gpus(gpu, follower):
    array = DlpackArray(picture(ROWS, COLUMNS))
    # ROCm.
    array.device = (10, 0)

    assert is_on_device(array)
    with pytest.raises(ForeignArrayError, match="type 10"):
        view(array, gpu, follower)


def test_view_repeats_what_a_producer_says_against_it(gpu, follower):
    array = DlpackArray(picture(ROWS, COLUMNS))
    array.view = None

    with pytest.raises(ForeignArrayError, match="does not come by DLPack"):
        view(array, gpu, follower)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 1}, "version 1"),
        ({"mask": object()}, "a mask"),
        ({"strides": (10,)}, "1 strides"),
        ({"stream": 0}, "stream 0"),
        ({"shape": None}, "cannot be read"),
        ({"typestr": "?!"}, "cannot be read"),
        ({"data": ()}, "cannot be read"),
        ({"data": (0xDEAD0000, False)}, "0xdead0000, which CUDA does not know"),
    ],
)
def test_view_refuses_an_impossible_interface(gpu, follower, change, words):
    array = InterfacedArray(picture(ROWS, COLUMNS))
    array.interface |= change

    with pytest.raises(ForeignArrayError, match=words):
        view(array, gpu, follower)


ANYTHING = (
    st.none()
    | st.integers()
    | st.text("|<u1f2", max_size=4)
    | st.lists(st.integers(), max_size=4)
    | st.binary(max_size=4)
)
KEYS = ("shape", "typestr", "data", "strides", "version", "stream", "mask")


@given(changes=st.dictionaries(st.sampled_from(KEYS), ANYTHING), missing=st.sets(st.sampled_from(KEYS), max_size=2))
def test_view_takes_or_refuses_any_interface(changes, missing):
    gpu = Gpu.open(0)
    array = InterfacedArray(picture(2, 2))
    interface = {**array.interface, **changes}
    array.interface = {key: value for key, value in interface.items() if key not in missing}

    try:
        found = view(array, gpu, gpu.open_stream())
    except ForeignArrayError:
        return

    assert len(found.shape) == len(found.strides_bytes)
    assert found.device == 0


@pytest.mark.parametrize(
    ("array", "is_device"), [([[1]], False), (np.zeros(1), False), (memoryview(b"a"), False), (object(), False)]
)
def test_host_arrays_are_told_from_device_arrays(array, is_device):
    assert is_on_device(array) == is_device


def test_device_arrays_are_told_from_host_arrays():
    assert is_on_device(InterfacedArray(picture(2, 2)))
    assert is_on_device(DlpackArray(picture(2, 2)))
