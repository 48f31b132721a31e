"""Scripts that take something away from a page before it starts, as a browser that lacks it would."""

# Codecs are taken from the answer, in the way that a page has for it.
_TAKE_CODECS = """
{
  const apply = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
    await apply.call(this, description);
    const all = RTCRtpReceiver.getCapabilities('video').codecs;
    const wanted = all.filter(({ mimeType }) => (FILTER)(mimeType.toLowerCase()));
    for (const transceiver of this.getTransceivers()) {
      if (transceiver.receiver.track.kind === 'video') transceiver.setCodecPreferences(wanted);
    }
  };
}
"""


def only_codec(name: str) -> str:
    """Return a script that leaves this video codec alone, with its repairs."""
    return _TAKE_CODECS.replace("FILTER", f"(type) => ['video/{name}', 'video/rtx'].includes(type)")


def without_codec(name: str) -> str:
    """Return a script that takes this video codec away."""
    return _TAKE_CODECS.replace("FILTER", f"(type) => type !== 'video/{name}'")
