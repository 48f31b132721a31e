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


# What the page is told in this way waits in `window.held` until the test says `letGo()`.
_HOLD_BACK = """
{
  window.held = [];
  window.letGo = () => window.held.splice(0).forEach(({ call }) => call());
  const target = TARGET.prototype;
  const { set } = Object.getOwnPropertyDescriptor(target, 'HANDLER');
  Object.defineProperty(target, 'HANDLER', {
    set(call) {
      set.call(this, (event) => {
        if (CONDITION) window.held.push({ event, call: () => call.call(this, event) });
        else call.call(this, event);
      });
    },
  });
}
"""


def _hold_back(target: str, handler: str, condition: str) -> str:
    return _HOLD_BACK.replace("TARGET", target).replace("HANDLER", handler).replace("CONDITION", condition)


# On a path with long round trips the picture comes well before these.
HOLD_CHANNEL_OF_KEYS = _hold_back("RTCPeerConnection", "ondatachannel", "event.channel.label === 'keys'")
HOLD_SEAT = _hold_back("RTCDataChannel", "onmessage", 'String(event.data).includes(\'"type":"seat"\')')

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

# Each COUNTth message of the channel "keys" comes late, and all behind it as well, as when it is lost and has to
# be sent again. Where that is to last, the test says when it is over: `letGo()`.
_DELAY_KEYS = """
window.lateKeys = 0;
{
  const send = RTCDataChannel.prototype.send;
  const waiting = [];
  let count = 0;
  window.letGo = () => waiting.splice(0).forEach((call) => call());
  RTCDataChannel.prototype.send = function (message) {
    const isLate = this.label === 'keys' && ++count % COUNT === 0;
    if (this.label !== 'keys' || (!isLate && waiting.length === 0)) return send.call(this, message);
    window.lateKeys += 1;
    waiting.push(() => send.call(this, message));
    if (isLate) AGAIN;
  };
}
"""
DELAY_EVERY_THIRD_KEY = _DELAY_KEYS.replace("COUNT", "3").replace("AGAIN", "setTimeout(window.letGo, 400)")
HOLD_KEYS = _DELAY_KEYS.replace("COUNT", "1").replace("AGAIN", "{}")
