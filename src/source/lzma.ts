/** Most literal context plus literal position bits that LZMA2 allows. */
const LC_LP_MAX = 4;

/** Where each model's probabilities are in one array (the LZMA specification's tables, one behind the other). */
const STATES = 12;
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * 16;
const IS_REP_G0 = IS_REP + STATES;
const IS_REP_G1 = IS_REP_G0 + STATES;
const IS_REP_G2 = IS_REP_G1 + STATES;
const IS_REP0_LONG = IS_REP_G2 + STATES;
const POS_SLOT = IS_REP0_LONG + STATES * 16;
const POS_SPECIAL = POS_SLOT + 4 * 64;
const ALIGN = POS_SPECIAL + 128;
const LENGTH_SIZE = 2 + 16 * 8 * 2 + 256;
const LENGTH = ALIGN + 16;
const REP_LENGTH = LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE;
const PROBS = LITERAL + (0x300 << LC_LP_MAX);

const HALF = 1 << 10;
const TOP = 1 << 24;

/**
 * The LZMA decoder that LZMA2 drives chunk by chunk. What was decoded stays in `bytes` as the dictionary of what follows.
 */
export class Lzma {
  bytes: Uint8Array<ArrayBuffer>;
  /** End of what was decoded. */
  end = 0;
  /** Where the dictionary begins: nothing before it may be referred to. */
  private begin = 0;
  /** Where positions are counted from; before `bytes` once its beginning was forgotten. */
  private origin = 0;
  private readonly dictBytes: number;
  private readonly probs = new Uint16Array(PROBS);
  private lc = 0;
  private lpMask = 0;
  private posMask = 0;
  private state = 0;
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;
  private input: Uint8Array = new Uint8Array(0);
  private at = 0;
  private range = 0;
  private code = 0;

  constructor(dictBytes: number) {
    this.dictBytes = dictBytes;
    this.bytes = new Uint8Array(Math.min(dictBytes, 1 << 20));
  }

  resetDictionary(): void {
    this.begin = this.origin = this.end;
  }

  /** False: the properties byte is not valid for LZMA2. */
  setProperties(byte: number): boolean {
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    const pb = Math.floor(byte / 45);
    if (pb > 4 || lc + lp > LC_LP_MAX) return false;
    this.lc = lc;
    this.lpMask = (1 << lp) - 1;
    this.posMask = (1 << pb) - 1;
    return true;
  }

  resetState(): void {
    this.probs.fill(HALF);
    this.state = this.rep0 = this.rep1 = this.rep2 = this.rep3 = 0;
  }

  /** Makes room for so many bytes behind `end`: forgets what is farther back than the dictionary reaches. */
  makeRoom(size: number): void {
    if (this.end + size <= this.bytes.length) return;
    const keep = Math.min(this.end, this.dictBytes);
    const from = this.end - keep;
    const wanted = Math.min(this.dictBytes * 2, Math.max(this.bytes.length * 2, keep * 2)) + size;
    const target = wanted > this.bytes.length ? new Uint8Array(wanted) : this.bytes;
    if (target === this.bytes) target.copyWithin(0, from, this.end);
    else target.set(this.bytes.subarray(from, this.end));
    this.bytes = target;
    this.end = keep;
    this.begin = Math.max(0, this.begin - from);
    this.origin -= from;
  }

  /** Takes stored bytes; there is room. */
  store(data: Uint8Array): void {
    this.bytes.set(data, this.end);
    this.end += data.length;
  }

  /** Decodes one chunk into exactly `size` bytes, for which there is room; false where it is damaged. */
  decode(input: Uint8Array, size: number): boolean {
    if (input.length < 5 || input[0] !== 0) return false;
    this.input = input;
    this.range = -1 >>> 0;
    this.code = ((input[1]! << 24) | (input[2]! << 16) | (input[3]! << 8) | input[4]!) >>> 0;
    this.at = 5;
    const stop = this.end + size;
    while (this.end < stop) {
      const posState = (this.end - this.origin) & this.posMask;
      if (this.bit(IS_MATCH + (this.state << 4) + posState) === 0) this.literal();
      else if (!this.match(posState, stop)) return false;
      if (this.at > input.length) return false;
    }
    this.normalize();
    return this.at === input.length && this.code === 0;
  }

  private literal(): void {
    const { bytes, end, probs } = this;
    const previous = end > this.begin ? bytes[end - 1]! : 0;
    const context = (((end - this.origin) & this.lpMask) << this.lc) + (previous >>> (8 - this.lc));
    const base = LITERAL + context * 0x300;
    let symbol = 1;
    if (this.state >= 7) {
      let matched = bytes[end - this.rep0 - 1]!;
      while (symbol < 0x100) {
        const expected = (matched >>> 7) & 1;
        matched <<= 1;
        const bit = this.bit(base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    // The loop of `bit`, with the coder's state in variables of its own.
    let { range, code, at } = this;
    const { input } = this;
    while (symbol < 0x100) {
      const index = base + symbol;
      if (range < TOP) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | input[at++]!) >>> 0;
      }
      const prob = probs[index]!;
      const bound = (range >>> 11) * prob;
      if (code < bound) {
        range = bound;
        probs[index] = prob + ((2048 - prob) >> 5);
        symbol <<= 1;
      } else {
        range -= bound;
        code -= bound;
        probs[index] = prob - (prob >> 5);
        symbol = (symbol << 1) | 1;
      }
    }
    this.range = range;
    this.code = code;
    this.at = at;
    bytes[end] = symbol & 0xff;
    this.end++;
    this.state = this.state < 4 ? 0 : this.state < 10 ? this.state - 3 : this.state - 6;
  }

  /** A match of any kind; false where it reaches before the dictionary or behind the chunk. */
  private match(posState: number, stop: number): boolean {
    let length: number;
    if (this.bit(IS_REP + this.state) === 0) {
      this.rep3 = this.rep2;
      this.rep2 = this.rep1;
      this.rep1 = this.rep0;
      length = this.length(LENGTH, posState);
      this.state = this.state < 7 ? 7 : 10;
      this.rep0 = this.distance(length);
    } else {
      if (this.end === this.begin) return false;
      const short = this.repeated(posState);
      length = short ? 1 : this.length(REP_LENGTH, posState);
      this.state = short ? (this.state < 7 ? 9 : 11) : this.state < 7 ? 8 : 11;
    }
    const { bytes, rep0 } = this;
    let { end } = this;
    if (rep0 >= end - this.begin || rep0 >= this.dictBytes || length > stop - end) return false;
    for (let from = end - rep0 - 1, k = length; k > 0; k--) bytes[end++] = bytes[from++]!;
    this.end = end;
    return true;
  }

  /** Brings the distance that is repeated to the front; true: a match of one byte. */
  private repeated(posState: number): boolean {
    if (this.bit(IS_REP_G0 + this.state) === 0) return this.bit(IS_REP0_LONG + (this.state << 4) + posState) === 0;
    let distance = this.rep1;
    if (this.bit(IS_REP_G1 + this.state) !== 0) {
      distance = this.rep2;
      if (this.bit(IS_REP_G2 + this.state) !== 0) {
        distance = this.rep3;
        this.rep3 = this.rep2;
      }
      this.rep2 = this.rep1;
    }
    this.rep1 = this.rep0;
    this.rep0 = distance;
    return false;
  }

  private length(base: number, posState: number): number {
    if (this.bit(base) === 0) return 2 + this.tree(base + 2 + (posState << 3), 3);
    if (this.bit(base + 1) === 0) return 10 + this.tree(base + 130 + (posState << 3), 3);
    return 18 + this.tree(base + 258, 8);
  }

  private distance(length: number): number {
    const slot = this.tree(POS_SLOT + (Math.min(length - 2, 3) << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return high + this.reverseTree(POS_SPECIAL + high - slot, bits);
    let direct = 0;
    for (let k = bits - 4; k > 0; k--) {
      this.normalize();
      this.range >>>= 1;
      const bit = this.code >= this.range ? 1 : 0;
      if (bit === 1) this.code -= this.range;
      direct = direct * 2 + bit;
    }
    return high + direct * 16 + this.reverseTree(ALIGN, 4);
  }

  private tree(base: number, bits: number): number {
    let symbol = 1;
    for (let k = 0; k < bits; k++) symbol = (symbol << 1) | this.bit(base + symbol);
    return symbol - (1 << bits);
  }

  private reverseTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let k = 0; k < bits; k++) {
      const bit = this.bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << k;
    }
    return value;
  }

  private normalize(): void {
    if (this.range >= TOP) return;
    this.range = (this.range << 8) >>> 0;
    this.code = ((this.code << 8) | (this.input[this.at++] ?? 0)) >>> 0;
  }

  private bit(index: number): number {
    this.normalize();
    const prob = this.probs[index]!;
    const bound = (this.range >>> 11) * prob;
    if (this.code < bound) {
      this.range = bound;
      this.probs[index] = prob + ((2048 - prob) >> 5);
      return 0;
    }
    this.range -= bound;
    this.code -= bound;
    this.probs[index] = prob - (prob >> 5);
    return 1;
  }
}
