/**
 * The round trip of the path in use, as ICE's checks measure it: every few seconds, so with a queue only by chance.
 *
 * Pure: takes reports as iterables of records. The member names are those of W3C webrtc-stats.
 */

type StatsRecord = Readonly<Record<string, unknown>>;

/** Return the round trip in a statistics report, or null while none has been measured. */
export function roundTripMsOf(report: Iterable<StatsRecord>): number | null {
  const records = [...report];
  const transport = records.find((record) => record.type === "transport");
  const pairs = records.filter((record) => record.type === "candidate-pair");
  // Firefox names no pair in its transport, but marks the one in use.
  const selected =
    pairs.find((pair) => pair.id === transport?.selectedCandidatePairId) ??
    pairs.find((pair) => pair.selected === true);
  const roundTripS = selected?.currentRoundTripTime;
  return typeof roundTripS === "number" ? roundTripS * 1000 : null;
}
