"""An independent peer on GStreamer's webrtcbin, as a program: it publishes a test picture, or watches.

    /usr/bin/python3 gstreamer_peer.py publish URL TOKEN --codec VP8 --seconds 8
    /usr/bin/python3 gstreamer_peer.py watch URL TOKEN --seconds 6

It runs on the system's Python, where Debian's bindings are, and prints one line of JSON at the end.
"""

import argparse
import json
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 ! "
ENCODERS = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=60 target-bitrate=800000 ! rtpvp8pay pt=96 picture-id-mode=15-bit",
    "H264": "x264enc tune=zerolatency sliced-threads=false threads=1 speed-preset=ultrafast key-int-max=60 bitrate=800 ! "
    "video/x-h264,profile=constrained-baseline ! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency",
}
SOUND = (
    "audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=97 ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! w."
)
RECEIVERS = {
    "VP8": "rtpvp8depay ! vp8dec",
    "H264": "rtph264depay ! h264parse ! openh264dec",
    "OPUS": "rtpopusdepay ! opusdec",
}


class Peer:
    """One pipeline with one webrtcbin that offers over HTTP."""

    def __init__(self, pipeline: Gst.Pipeline, url: str, token: str) -> None:
        self.pipeline, self.url, self.token = pipeline, url, token
        self.bin = pipeline.get_by_name("w")
        self.frames = {"video": 0, "audio": 0}
        self.error = None
        self._kept = []  # what GStreamer still points at
        self._has_offered = False
        self.bin.connect("on-negotiation-needed", self._offer)
        self.bin.connect("notify::ice-gathering-state", self._on_gathering)
        self.bin.connect("pad-added", self._on_pad)

    def _offer(self, _: Gst.Element) -> None:
        if self._has_offered:
            return
        self._has_offered = True
        self.bin.emit("create-offer", None, Gst.Promise.new_with_change_func(self._on_offer))

    def _on_offer(self, promise: Gst.Promise, *_: object) -> None:
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self._kept += [promise, reply, offer]
        self.bin.emit("set-local-description", offer, Gst.Promise.new())

    def _on_gathering(self, *_: object) -> None:
        if self.bin.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._post)

    def _post(self) -> bool:
        offer = self.bin.get_property("local-description").sdp.as_text()
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.url, data=offer.encode(), headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=8) as response:
                answer = response.read().decode()
        except OSError as error:
            self.error = str(error)
            return False
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.bin.emit("set-remote-description", description, Gst.Promise.new())
        return False

    def _on_pad(self, _: Gst.Element, pad: Gst.Pad) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        structure = pad.get_current_caps().get_structure(0)
        kind, codec = structure.get_string("media"), structure.get_string("encoding-name")
        sink = Gst.parse_bin_from_description(
            f"queue ! {RECEIVERS[codec]} ! fakesink name=sink sync=false signal-handoffs=true", True)
        sink.get_by_name("sink").connect("handoff", lambda *_: self._count(kind))
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def _count(self, kind: str) -> None:
        self.frames[kind] += 1

    def run(self, seconds: float) -> dict:
        loop = GLib.MainLoop()
        GLib.timeout_add(int(seconds * 1000), loop.quit)
        self.pipeline.set_state(Gst.State.PLAYING)
        loop.run()
        state = self.bin.get_property("connection-state").value_nick
        self.pipeline.set_state(Gst.State.NULL)
        return {"state": state, "frames": self.frames, "error": self.error}


def publisher(codec: str) -> Gst.Pipeline:
    caps = f"application/x-rtp,media=video,encoding-name={codec},payload=96"
    return Gst.parse_launch(
        f"webrtcbin name=w bundle-policy=max-bundle {PICTURE}videoconvert ! {ENCODERS[codec]} ! {caps} ! w. {SOUND}")


def watcher(codec: str) -> Gst.Pipeline:
    pipeline = Gst.Pipeline.new("watch")
    peer = Gst.ElementFactory.make("webrtcbin", "w")
    peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(peer)
    # Without it the offer would ask for packetization mode 0, one NAL unit a packet, which no browser sends.
    mode = ",packetization-mode=(string)1,profile-level-id=(string)42e01f" if codec == "H264" else ""
    for caps in (
        f"application/x-rtp,media=video,encoding-name={codec},payload=96,clock-rate=90000{mode}",
        "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2",
    ):
        peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))
    return pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["publish", "watch"])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--codec", choices=list(ENCODERS), default="VP8")
    parser.add_argument("--seconds", type=float, default=8)
    arguments = parser.parse_args()
    Gst.init(None)
    make = publisher if arguments.part == "publish" else watcher
    peer = Peer(make(arguments.codec), arguments.url, arguments.token)
    print(json.dumps(peer.run(arguments.seconds)), flush=True)


if __name__ == "__main__":
    main()
