"""Encode on an NVIDIA GPU through PyNvVideoCodec: H.264, H.265 and AV1, from host or device memory.

Uses the package's public interface alone. It holds three frames back, so the encoder is drained after each one: what
was put in comes out at once. Whether a driver keeps the contract that way, and whether draining makes keyframes, is
tried in a process of its own before the first encoder is opened (`_nvenc_proof`), and watched afterwards (`_watch`).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field

from streamer.encoders import _nvenc_library as nvidia
from streamer.encoders import _proof
from streamer.encoders._budget import fps_fraction, frame_bits
from streamer.encoders._checks import KeyframeCheck, check_codec, check_order, check_settings, codec_module
from streamer.encoders._cuda import CudaError
from streamer.encoders._nvenc_engine import (
    DELTA_RATIOS,
    SHARE_OF_LIMIT,
    STEERED_CODECS,
    GpuOptions,
    check_nothing_held,
)
from streamer.encoders._nvenc_feed import FORMAT_NAMES, Feed
from streamer.encoders._nvenc_reasons import explain
from streamer.encoders._proof import Proof
from streamer.encoders._watch import Watch
from streamer.encoders.base import EncoderSettings
from streamer.errors import EncoderError, LocalProtocolError, Unavailable
from streamer.media.frame import (
    Capabilities,
    ColourDescription,
    EncodedFrame,
    EncodeOrder,
    MemoryKind,
    PixelFormat,
    Resolution,
    VideoFrame,
)

IS_HARDWARE = True
_NAME = "nvenc"
# Of each codec in the library.
LIBRARY_NAMES = {"h264": "h264", "h265": "hevc", "av1": "av1"}
# Engines convert these themselves.
PACKED = (PixelFormat.BGRA, PixelFormat.RGBA)
_BT709_MATRIX = 1
# Windows drivers leak with each reconfiguration and others stall; congestion control settles within 200 ms anyway.
_MAX_RATE_CHANGES_PER_S = 5


class Options(GpuOptions):
    """Keys of `[encoders.nvenc]`."""

    preset: Literal["P1", "P2", "P3", "P4", "P5", "P6", "P7"] = Field(
        default="P1", description="NVENC's trade of speed for quality; P1 is fastest."
    )
    multipass: Literal["off", "quarter", "full"] = Field(
        default="off", description="First pass over each frame, at a quarter of the resolution or all of it."
    )


def why_unavailable() -> str | None:
    """Return None if this backend can run here, else the reason it cannot. May take a proof's second."""
    return nvidia.why_missing() or _proof.why_none(_NAME, tuple(LIBRARY_NAMES))


def capabilities() -> Capabilities:
    """Return what the first GPU that encodes can do."""
    found = {} if nvidia.why_missing() else _proof.proven(_NAME, tuple(LIBRARY_NAMES))
    proofs = tuple(found.values())
    has_packed = all(proof.rgb_colour is not None for proof in proofs)
    largest = min((proof.largest for proof in proofs), default=Resolution(0, 0))
    return Capabilities(
        codecs=tuple(found),
        formats=(PixelFormat.NV12, *(PACKED if has_packed else ())),
        memory=_memory(all(proof.takes_device_memory for proof in proofs)),
        max_resolution=largest,
        is_hardware=IS_HARDWARE,
        max_rate_changes_per_s=_MAX_RATE_CHANGES_PER_S,
    )


def create(settings: EncoderSettings) -> "NvencEncoder":
    """Open an encoder.

    Raises:
        Unavailable: it does not keep the contract on this GPU, or does not do this codec.
        UnfitError: it does not take such pictures.
        EncoderError: the rate is refused, or no session is left.
    """
    options = _options(settings)
    check_codec(_NAME, settings.codec, LIBRARY_NAMES)
    missing = nvidia.why_missing()
    if missing is not None:
        raise Unavailable(_NAME, missing)
    proof = _proof.prove(_NAME, settings.codec, options.gpu)
    try:
        library = nvidia.load(options.gpu)
    except Exception as exc:  # What the extension raises shares no base.
        raise EncoderError(_NAME, explain(exc, settings.codec)) from exc
    return NvencEncoder(settings, library, proof, Watch(_NAME))


@dataclass(frozen=True, slots=True)
class Rates:
    """What the engine's rate control is told: a constant rate and a buffer of one frame."""

    bitrate_bps: int
    buffer_bits: int
    fps: Fraction


def plan_rates(order: EncodeOrder) -> Rates:
    """Return what makes each frame take what the order allows."""
    bits = frame_bits(order, share_of_limit=SHARE_OF_LIMIT)
    return Rates(max(1, round(bits * order.fps)), max(1, round(bits)), fps_fraction(order.fps))


class NvencEncoder:
    """One stream of one codec. All calls come from the thread of its rendition."""

    def __init__(self, settings: EncoderSettings, library: nvidia.Library, proof: Proof, watch: Watch | None) -> None:
        self._capabilities = _capabilities_of(settings, proof)
        check_settings(_NAME, settings, self._capabilities.formats, proof.largest, proof.smallest)
        self._settings = settings
        self._colour = _colour_of(settings, proof)
        self._description = _describe(settings, proof)
        self._keyframes = KeyframeCheck(_NAME, settings.codec)
        self._watch = watch
        self._count = 0
        self._rates = plan_rates(EncodeOrder(settings.start_target_bps, settings.max_fps))
        # What the last order asked for. Orders rarely change, and nothing else of them has to be looked at.
        self._asked: tuple[int, float, int | None] | None = None
        try:
            self._feed = Feed(_NAME, settings, _options(settings).gpu)
            self._encoder: nvidia.LibraryEncoder | None = self._open(library)
        except CudaError as exc:
            raise EncoderError(_NAME, str(exc)) from exc
        except Exception as exc:  # As above.
            raise EncoderError(_NAME, explain(exc, settings.codec)) from exc

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def description(self) -> str:
        return self._description

    def encode(self, frame: VideoFrame, order: EncodeOrder) -> EncodedFrame:
        if self._encoder is None:
            raise EncoderError(_NAME, "the encoder is closed")
        picture = self._feed.show(frame.surface)
        packet = self._encode(self._encoder, picture, order)
        is_keyframe = packet["picture_type"] == nvidia.KEYFRAME_TYPE
        self._keyframes.check(packet["data"], order, is_keyframe=is_keyframe)
        encoded = EncodedFrame(
            codec=self._settings.codec,
            data=self._described(packet["data"]) if is_keyframe else packet["data"],
            is_keyframe=is_keyframe,
            capture_us=frame.capture_us,
            resolution=self._settings.resolution,
            number=frame.number,
            input_number=frame.input_number,
        )
        if self._watch is not None:
            self._watch.note(encoded, order)
        return encoded

    def close(self) -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            nvidia.give_up(encoder, _options(self._settings).gpu)

    def _open(self, library: nvidia.Library) -> nvidia.LibraryEncoder:
        options, rates = _options(self._settings), self._rates
        resolution = self._settings.resolution
        more: dict[str, int | str] = {}
        if options.multipass != "off":
            more["multipass"] = "qres" if options.multipass == "quarter" else "fullres"
        if self._feed.context is not None:
            more["cudacontext"] = self._feed.context
        return library.CreateEncoder(
            resolution.width_px,
            resolution.height_px,
            FORMAT_NAMES[self._settings.format],
            self._settings.memory == MemoryKind.HOST,
            gpu_id=options.gpu,
            codec=LIBRARY_NAMES[self._settings.codec],
            preset=options.preset,
            tuning_info="ultra_low_latency",
            rc="cbr",
            # Plain numbers: the package takes "5M" for 5 * 1024 * 1024.
            bitrate=rates.bitrate_bps,
            maxbitrate=rates.bitrate_bps,
            vbvbufsize=rates.buffer_bits,
            vbvinit=rates.buffer_bits,
            fps=f"{float(rates.fps):.2f}",
            bf=0,
            repeatspspps=1,
            colorspace="bt709" if self._colour.matrix == _BT709_MATRIX else "bt601",
            **more,
        )

    def _encode(self, encoder: nvidia.LibraryEncoder, picture: Any, order: EncodeOrder) -> nvidia.Packet:
        flags = nvidia.KEYFRAME_FLAGS if order.keyframe else 0
        try:
            self._tell(encoder, order)
            packets = encoder.Encode(picture, flags)
            # Encode alone returns the packet of three frames ago. A drain may be repeated within one session.
            packets += encoder.EndEncode()
        except EncoderError:
            raise
        except Exception as exc:  # As above.
            raise EncoderError(_NAME, explain(exc, self._settings.codec)) from exc
        number, self._count = self._count, self._count + 1
        packets = [packet for packet in packets if packet["data"]]
        check_nothing_held(_NAME, number, [packet["timestamp"] for packet in packets])
        return packets[0]

    def _tell(self, encoder: nvidia.LibraryEncoder, order: EncodeOrder) -> None:
        """Change the rates without a keyframe, from the next frame on."""
        asked = order.target_bps, order.fps, order.max_frame_bytes
        if asked == self._asked:
            return
        check_order(_NAME, order)
        rates = plan_rates(order)
        if rates != self._rates:
            self._reconfigure(encoder, rates)
        self._asked = asked

    def _reconfigure(self, encoder: nvidia.LibraryEncoder, rates: Rates) -> None:
        # All fields are set each time: the library's own copy is that of the opening.
        parameters = encoder.GetEncodeReconfigureParams()
        parameters.averageBitrate = parameters.maxBitRate = rates.bitrate_bps
        parameters.vbvBufferSize = parameters.vbvInitialDelay = rates.buffer_bits
        parameters.frameRateNum, parameters.frameRateDen = rates.fps.numerator, rates.fps.denominator
        if not encoder.Reconfigure(parameters):
            raise EncoderError(_NAME, f"the driver refused {rates.bitrate_bps} bit/s at {float(rates.fps):.2f} fps")
        self._rates = rates

    def _described(self, data: bytes) -> bytes:
        """Return a keyframe that says how its samples become colours: the package converts but does not signal.

        Raises:
            EncoderError: its parameter sets are not what the standard says.
        """
        describe = getattr(codec_module(self._settings.codec), "describe", None)
        try:
            described: bytes = data if describe is None else describe(data, self._colour)
        except LocalProtocolError as exc:
            raise EncoderError(_NAME, f"a keyframe cannot be read: {exc}") from exc
        return described


def _options(settings: EncoderSettings) -> Options:
    return settings.options if isinstance(settings.options, Options) else Options()


def _memory(takes_device_memory: bool) -> tuple[MemoryKind, ...]:  # noqa: FBT001 - it is the only thing to say
    return (MemoryKind.HOST, MemoryKind.CUDA) if takes_device_memory else (MemoryKind.HOST,)


def _capabilities_of(settings: EncoderSettings, proof: Proof) -> Capabilities:
    formats = (PixelFormat.NV12, *(PACKED if proof.rgb_colour is not None else ()))
    return Capabilities(
        codecs=(settings.codec,),
        formats=formats,
        memory=_memory(proof.takes_device_memory),
        max_resolution=proof.largest,
        is_hardware=IS_HARDWARE,
        steers_single_frames=settings.codec in STEERED_CODECS,
        max_delta_ratio=DELTA_RATIOS[settings.codec],
        max_rate_changes_per_s=_MAX_RATE_CHANGES_PER_S,
    )


def _colour_of(settings: EncoderSettings, proof: Proof) -> ColourDescription:
    if settings.format not in PACKED:
        return settings.colour
    assert proof.rgb_colour is not None
    return proof.rgb_colour


def _describe(settings: EncoderSettings, proof: Proof) -> str:
    options = _options(settings)
    memory = "device" if settings.memory == MemoryKind.CUDA else "host"
    return f"NVENC {options.preset} on GPU {options.gpu} ({proof.gpu}), {settings.format} from {memory} memory"
