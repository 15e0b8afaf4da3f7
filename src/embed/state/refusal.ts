/**
 * What a store answers instead of doing something. `message` is TiKV's text where a real one refuses too, and begins with
 * "sandbox:" where a real one would have done harm without a word.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** A refusal of something that a real store would have taken, to the damage of its data. */
export class HarmRefusal extends Refusal {
  constructor(what: string) {
    super(`sandbox: ${what}`);
  }
}

/** RocksDB's words for keys out of order, as TiKV's Write passes them on. */
export const NOT_ASCENDING =
  'EngineTraits(Engine(Status { code: IoError, sub_code: None, sev: NoError, state: "Invalid argument: Keys must be added in strict ascending order." }))';
