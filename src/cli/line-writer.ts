import type { OutputStream } from "./output/sinks.ts";

const CHUNK_CHARS = 64 * 1024;

/** Lines for a stream, put together to pieces; waits for a reader that is slow. */
export class LineWriter {
  private readonly stream: OutputStream;
  private parts: string[] = [];
  private size = 0;

  constructor(stream: OutputStream) {
    this.stream = stream;
  }

  line(text: string): void | Promise<void> {
    this.parts.push(text, "\n");
    this.size += text.length + 1;
    return this.size >= CHUNK_CHARS ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    if (this.size === 0) return;
    const text = this.parts.join("");
    this.parts = [];
    this.size = 0;
    if (this.stream.write(text) !== false) return;
    const { once } = this.stream as { once?: (event: string, listener: () => void) => void };
    if (once === undefined) return;
    await new Promise<void>((resolve) => once.call(this.stream, "drain", resolve));
  }
}
