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
 * @property {Record<string, MediaFigures>} [sizes] what is sent of each of several sizes, by their names; all else is then of
 *   the largest that is sent, and bits, packets and frames are those of all
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
    const streams = (kind) => entries.filter((entry) => isWanted(entry) && entry.kind === kind);
    return {
      video: this.#all(streams("video"), report),
      audio: this.#all(streams("audio"), report),
      roundTripMilliseconds: roundTrip === undefined ? undefined : Math.round(roundTrip * 1000),
      address: report.get(pair?.remoteCandidateId)?.address,
    };
  }

  /** Of several encodings of one picture, together; of anything else, of the first. */
  #all(entries, report) {
    const sizes = entries.filter(({ rid }) => rid !== undefined);
    if (sizes.length < 2) return entries.length > 0 ? this.#figures(entries[0], report) : undefined;
    const rank = ({ active, frameHeight }) => (active === false ? 0 : (frameHeight ?? 0));
    const figures = new Map(sizes.map((entry) => [entry, this.#figures(entry, report)]));
    const sum = (name) => [...figures.values()].reduce((total, each) => total + (each[name] ?? 0), 0);
    const largest = sizes.reduce((best, entry) => (rank(entry) > rank(best) ? entry : best));
    return {
      ...figures.get(largest),
      ...Object.fromEntries(["bitsPerSecond", "packets", "frames", "keyframeRequests", "nacks"].map((name) => [name, sum(name)])),
      sizes: Object.fromEntries(sizes.map((entry) => [entry.rid, figures.get(entry)])),
    };
  }

  #figures(entry, report) {
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
