/**
 * Turns WebRTC's statistics into the few figures that people and tests look at.
 * @module
 */

/**
 * @typedef {object} MediaFigures
 * @property {string} [codec]
 * @property {number} bitsPerSecond
 * @property {number} packets
 * @property {number} packetsLost
 * @property {number} lossRatio of the packets since the last reading
 * @property {number} bufferMilliseconds mean time in the jitter buffer since the last reading
 * @property {number} [width]
 * @property {number} [height]
 * @property {number} [framesPerSecond]
 * @property {number} [frames] decoded when receiving, encoded when sending
 * @property {number} [freezes]
 * @property {number} [keyframeRequests] PLI
 * @property {number} [nacks]
 * @property {string} [limitation] why the sender sends less than it could
 * @property {number} [audioLevel] 0 to 1
 * @property {number} [audioEnergy] grows with every sound
 *
 * @typedef {{video?: MediaFigures, audio?: MediaFigures, roundTripMilliseconds?: number, address?: string}} Figures
 */

/** Reads one connection again and again; rates are over the time between two readings. */
export class StatisticsReader {
  #previous = new Map();
  #type;

  /** @param {"inbound-rtp" | "outbound-rtp"} type */
  constructor(type) {
    this.#type = type;
  }

  /**
   * @param {RTCStatsReport} report of the whole connection
   * @param {string[]} [mids] the m-lines that count; all when left out
   * @returns {Figures}
   */
  read(report, mids) {
    const entries = [...report.values()];
    const remote = entries.find((entry) => entry.type === "remote-inbound-rtp" && entry.roundTripTime !== undefined);
    // After a restart the old pair is still there, and nominated: only the transport knows which one is in use.
    const transport = entries.find((entry) => entry.type === "transport" && entry.selectedCandidatePairId);
    const pair = report.get(transport?.selectedCandidatePairId)
      ?? entries.find((entry) => entry.type === "candidate-pair" && entry.nominated && entry.state === "succeeded");
    const roundTrip = pair?.currentRoundTripTime ?? remote?.roundTripTime;
    const isWanted = (entry) => entry.type === this.#type && (!mids || entry.mid === undefined || mids.includes(entry.mid));
    const stream = (kind) => entries.find((entry) => isWanted(entry) && entry.kind === kind);
    return {
      video: this.#figures(stream("video"), report),
      audio: this.#figures(stream("audio"), report),
      roundTripMilliseconds: roundTrip === undefined ? undefined : Math.round(roundTrip * 1000),
      address: report.get(pair?.remoteCandidateId)?.address,
    };
  }

  #figures(entry, report) {
    if (!entry) return undefined;
    const before = this.#previous.get(entry.id) ?? {};
    this.#previous.set(entry.id, entry);
    const grown = (name) => Math.max(0, (entry[name] ?? 0) - (before[name] ?? 0));
    const isInbound = this.#type === "inbound-rtp";
    const seconds = before.timestamp === undefined ? 0 : (entry.timestamp - before.timestamp) / 1000;
    const received = grown("packetsReceived");
    const lost = grown("packetsLost");
    const emitted = grown("jitterBufferEmittedCount");
    return {
      codec: report.get(entry.codecId)?.mimeType?.split("/")[1],
      bitsPerSecond: seconds > 0 ? Math.round((8 * grown(isInbound ? "bytesReceived" : "bytesSent")) / seconds) : 0,
      packets: entry[isInbound ? "packetsReceived" : "packetsSent"] ?? 0,
      packetsLost: entry.packetsLost ?? 0,
      lossRatio: received + lost > 0 ? lost / (received + lost) : 0,
      bufferMilliseconds: emitted > 0 ? Math.round((1000 * grown("jitterBufferDelay")) / emitted) : 0,
      width: entry.frameWidth,
      height: entry.frameHeight,
      framesPerSecond: entry.framesPerSecond,
      frames: entry[isInbound ? "framesDecoded" : "framesEncoded"],
      freezes: entry.freezeCount,
      keyframeRequests: entry.pliCount,
      nacks: entry.nackCount,
      limitation: entry.qualityLimitationReason,
      audioLevel: entry.audioLevel,
      audioEnergy: entry.totalAudioEnergy,
    };
  }
}
