/** Randomness as a value that is passed in, so that a run can be repeated from its seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Fills `bytes` (uuids; not for secrets when seeded). */
  fill(bytes: Uint8Array<ArrayBuffer>): void;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  fill: (bytes) => void crypto.getRandomValues(bytes),
};

/** A small repeatable generator (splitmix-like, 32-bit words). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return {
    next: () => word() / 0x100000000,
    fill: (bytes) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = word() & 0xff;
    },
  };
}
