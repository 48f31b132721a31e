"""Scripts that take something away from a page before it starts, as a lesser browser or a bad network would."""

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


# Messages of the channel "motion" are lost as on a bad network. Two in a row never are: that would need worse.
LOSE_EVERY_THIRD_MOTION = """
window.lostMotion = 0;
{
  const send = RTCDataChannel.prototype.send;
  let count = 0;
  RTCDataChannel.prototype.send = function (message) {
    if (this.label === 'motion' && ++count % 3 === 0) window.lostMotion += 1;
    else send.call(this, message);
  };
}
"""
