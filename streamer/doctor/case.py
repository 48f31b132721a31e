"""What is examined: one configuration on one machine, and how questions about it are asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streamer import child
from streamer.config import AUTO, Config
from streamer.doctor.host import Host
from streamer.session.assembly import gpu_of

_CHILD = "streamer.doctor.answers"
# The backends that need NVIDIA's driver.
NVIDIA_BACKENDS = ("nvenc", "nvenc_av")
# A driver that nothing holds open takes seconds to start; proofs of several codecs follow each other.
_LIMIT_S = 90


@dataclass(frozen=True, slots=True)
class Case:
    """A configuration on a host. `say` tells people what takes its time."""

    config: Config
    host: Host
    say: Callable[[str], None]
    # What a process has said of a driver that hung; the later ones do not wait for it again.
    _hangs: list[str] = field(default_factory=list, init=False)

    @property
    def gpu(self) -> int:
        """The GPU that shall encode."""
        return gpu_of(self.config)

    @property
    def needs_nvidia(self) -> bool:
        """Whether nothing else will do."""
        return self.config.video.encoder in NVIDIA_BACKENDS

    @property
    def wants_nvidia(self) -> bool:
        """Whether an NVIDIA GPU would be used if it can."""
        video = self.config.video
        return self.needs_nvidia or (video.encoder == AUTO and any(name in NVIDIA_BACKENDS for name in video.encoders))

    def ask(self, question: str, **given: Any) -> Any:
        """Return the answer of a process of its own.

        Raises:
            child.ChildError: there is none, or it is a refusal; the message is the reason.
        """
        # Secrets and the command line of the application stay here.
        config = self.config.model_dump(
            mode="json", include={"session": {"size", "fps"}, "video": True, "encoders": True, "converters": True}
        )
        told = {"config": config, "hangs": self._hangs, **given}
        answered = child.ask(_CHILD, question, what="the examination", limit_s=_LIMIT_S, given=told)
        # Several are asked at a time: one that was asked before another hung takes nothing back.
        self._hangs.extend(hang for hang in answered["hangs"] if hang not in self._hangs)
        if "refusal" in answered:
            raise child.ChildError(answered["refusal"])
        return answered["answer"]
