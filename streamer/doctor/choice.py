"""What a session would encode each codec with, and why. The code that answers is the session's own."""

from collections.abc import Mapping

from streamer.child import ChildError
from streamer.config import AUTO
from streamer.doctor.advice import advise
from streamer.doctor.case import Case
from streamer.doctor.report import Finding, Mark, mark_of

# The encoder of each codec that has one.
Choices = Mapping[str, str]


def examine(case: Case) -> tuple[Choices, list[Finding]]:
    """Let the session's code choose for each codec."""
    chosen: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for codec in case.config.video.codecs:
        case.say(f"choosing an encoder for {codec}")
        try:
            answer = case.ask("choice", codec=codec)
        except ChildError as exc:
            reasons[codec] = str(exc)
        else:
            chosen[codec], reasons[codec] = answer["encoder"], answer["reason"]
    return chosen, [_finding(case, codec, chosen, reasons[codec]) for codec in case.config.video.codecs]


def _finding(case: Case, codec: str, chosen: Choices, reason: str) -> Finding:
    name, session, asked = f"choice.{codec}", case.config.session, case.config.video.encoder
    what = f"{codec} at {session.size} and {session.fps:g} fps"
    encoder = chosen.get(codec)
    if encoder is None:
        # One codec is enough to stream.
        mark = mark_of(is_right=False, matters=not chosen)
        text = f"{what} is not offered{'' if asked == AUTO else f' by {asked}'}: {reason}"
        advice = None if chosen else advise(reason)
        return Finding(name, mark, text, advice, {"encoder": None, "reason": reason})
    return Finding(
        name, Mark.OK, f"{what}: {encoder}, because {reason}", figures={"encoder": encoder, "reason": reason}
    )
