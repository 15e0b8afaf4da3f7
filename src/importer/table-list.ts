const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const [TAB, LINE_FEED, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];

const isBlank = (code: number): boolean => code === SPACE || code === LINE_FEED || code === TAB || code === RETURN;

/**
 * The elements of a JSON array that comes in parts, each as the UTF-8 text of its own, without most of the blanks between its tokens. What
 * TiDB's status port says of ten thousand tables is 40 MB: never held as a whole.
 */
export class ArrayElements {
  readonly #onElement: (text: Uint8Array) => void;
  /** Text of the element at hand; before the array's begin and where there is no array, of all that came. */
  #text = new Uint8Array(1 << 12);
  #length = 0;
  #state: "before" | "inside" | "behind" | "other" = "before";
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** Elements were told, or a comma stands before the one at hand. */
  #any = false;

  /** `onElement` gets a view that is valid until it returns. */
  constructor(onElement: (text: Uint8Array) => void) {
    this.#onElement = onElement;
  }

  /** Throws SyntaxError where text follows the array, or brackets do not match. */
  take(part: Uint8Array): void {
    this.#makeRoom(part.length);
    for (let at = 0; at < part.length; at++) {
      if (this.#state === "inside") at = this.#scan(part, at);
      else this.#outside(part[at]!);
    }
  }

  /** The text ends; gives what it is where it is no array. Throws SyntaxError where it is no whole JSON text. */
  end(): unknown {
    if (this.#state === "behind") return undefined;
    if (this.#state === "inside") throw new SyntaxError("the JSON text ends within an array");
    return JSON.parse(new TextDecoder().decode(this.#text.subarray(0, this.#length)));
  }

  #outside(code: number): void {
    if (isBlank(code)) {
      if (this.#state === "other") this.#put(code);
    } else if (this.#state === "behind") {
      throw new SyntaxError("text follows a JSON array");
    } else if (this.#state === "before" && code === OPEN_ARRAY) {
      this.#state = "inside";
    } else {
      this.#state = "other";
      this.#put(code);
    }
  }

  /** Takes bytes of the array from `from` on; gives the position of the last one taken. */
  #scan(part: Uint8Array, from: number): number {
    const text = this.#text;
    let length = this.#length;
    let inString = this.#inString;
    let at = from;
    for (; at < part.length; at++) {
      const code = part[at]!;
      if (inString) {
        text[length++] = code;
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) inString = false;
        continue;
      }
      if (code <= SPACE) {
        // Only behind what ends a token anyway: `1 2` is no `12`.
        const before = length === 0 ? COMMA : text[length - 1]!;
        if (isBlank(code) && (before === COMMA || before === COLON || before === OPEN_OBJECT || isBlank(before)))
          continue;
      } else if (code === QUOTE) {
        inString = true;
      } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
        this.#depth++;
      } else if (code === COMMA && this.#depth === 0) {
        this.#tell(length);
        this.#any = true;
        length = 0;
        continue;
      } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
        if (this.#depth === 0) {
          if (code !== CLOSE_ARRAY) throw new SyntaxError("a JSON array ends as an object");
          if (this.#any || length > 0) this.#tell(length);
          this.#state = "behind";
          length = 0;
          break;
        }
        this.#depth--;
      }
      text[length++] = code;
    }
    this.#inString = inString;
    this.#length = length;
    return at;
  }

  #tell(length: number): void {
    this.#onElement(this.#text.subarray(0, length));
  }

  #put(code: number): void {
    this.#text[this.#length++] = code;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#text.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#text.length));
    grown.set(this.#text.subarray(0, this.#length));
    this.#text = grown;
  }
}
