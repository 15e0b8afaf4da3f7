import { DEFAULT_WINDOW, SendWindow } from "./flow.ts";
import { DEFAULT_MAX_FRAME_BYTES, Flag, FrameType } from "./frames.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import { Batch, StagingPool } from "./send-batch.ts";

/** What the outbox needs of a socket. */
export interface ByteSink {
  /** Bytes that the operating system has not taken yet. */
  readonly writableLength: number;
  write(bytes: Uint8Array, done: () => void): unknown;
}

/** What is gathered for one turn of the socket, about. */
const BATCH_BYTES = 1 << 20;
/** Longest DATA frame, so that streams take turns and a ping is not stuck behind megabytes. */
const LONGEST_FRAME_BYTES = 256 << 10;

/**
 * The sending half of a connection: control frames first, then DATA frames of the streams in turn, as far as both windows and the
 * socket allow. Everything queued in one turn of the event loop leaves in one go.
 */
export class Outbox {
  readonly window = new SendWindow(DEFAULT_WINDOW, 0);
  /** SETTINGS_MAX_FRAME_SIZE of the peer. */
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;

  readonly #sink: ByteSink;
  readonly #maxAnswerBytes: number;
  readonly #pool = new StagingPool();
  #control: Uint8Array[] = [];
  /** Frames that the peer made us send, queued and in flight. */
  #answerBytes = 0;
  #newAnswerBytes = 0;
  #senders: OutgoingBody[] = [];
  /** Being written; the next one is gathered when the operating system has taken all of it. */
  #batch: Batch | undefined;
  #nextPiece = 0;
  #unconfirmed = 0;
  #scheduled = false;
  #closed = false;

  /** `maxAnswerBytes`: frames that the peer may make us queue without reading them. */
  constructor(sink: ByteSink, maxAnswerBytes: number) {
    this.#sink = sink;
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  /** The peer makes us answer, but does not read the answers. */
  get flooded(): boolean {
    return this.#answerBytes + this.#newAnswerBytes > this.#maxAnswerBytes;
  }

  /** Queues whole frames. */
  control(frames: Uint8Array): void {
    if (this.#closed) return;
    this.#control.push(frames);
    this.#schedule();
  }

  /** Queues a frame that the peer made us send. */
  answer(frames: Uint8Array): void {
    this.#newAnswerBytes += frames.length;
    this.control(frames);
  }

  /** The stream takes its place in the round, unless it is there already. */
  enqueue(stream: OutgoingBody): void {
    if (this.#closed || stream.queued) return;
    stream.queued = true;
    this.#senders.push(stream);
    this.#schedule();
  }

  /** Credit of the connection came in. */
  wake(): void {
    if (this.#senders.length > 0) this.#schedule();
  }

  /** Hands over the control frames that are queued; nothing afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#senders = [];
    this.#closed = true;
    const batch = this.#batch;
    this.#batch = undefined;
    for (const piece of batch?.pieces.slice(this.#nextPiece) ?? []) this.#sink.write(piece, () => {});
    for (const frames of this.#control) this.#sink.write(frames, () => {});
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#closed || this.#batch !== undefined) return;
    const batch = new Batch(this.#pool);
    for (const frames of this.#control) batch.put(frames);
    this.#control = [];
    this.#gather(batch);
    batch.seal();
    if (batch.pieces.length === 0) return;
    this.#answerBytes = this.#newAnswerBytes;
    this.#newAnswerBytes = 0;
    this.#batch = batch;
    this.#nextPiece = 0;
    this.#writeOn(batch);
  }

  /** One DATA frame a stream and round, until nobody may send or the batch is full. */
  #gather(batch: Batch): void {
    let waiting = 0;
    while (waiting < this.#senders.length && batch.bytes < BATCH_BYTES) {
      const stream = this.#senders.shift()!;
      if (!stream.canSend) {
        stream.queued = false;
        continue;
      }
      const credit = Math.min(this.window.credit, stream.window.credit, this.maxFrameBytes, LONGEST_FRAME_BYTES);
      const bytes = Math.min(stream.pendingBytes, Math.max(credit, 0));
      if (bytes > 0 || stream.pendingBytes === 0) {
        waiting = 0;
        this.#putData(batch, stream, bytes);
        if (!stream.canSend) {
          stream.queued = false;
          continue;
        }
      } else {
        waiting++;
      }
      this.#senders.push(stream);
    }
  }

  #putData(batch: Batch, stream: OutgoingBody, bytes: number): void {
    const flags = stream.takeEnd(bytes) ? Flag.endStream : 0;
    batch.putFrameHead(bytes, FrameType.data, flags, stream.id);
    this.window.take(bytes);
    stream.takeInto(batch, bytes);
  }

  /**
   * Piece after piece as long as the operating system takes them at once. What the socket would have to queue is held back here:
   * Bun's sockets copy a queue of several pieces into a new buffer, at twice the price of everything else.
   */
  #writeOn(batch: Batch): void {
    while (this.#nextPiece < batch.pieces.length) {
      this.#unconfirmed++;
      this.#sink.write(batch.pieces[this.#nextPiece++]!, this.#onWritten);
      if (this.#sink.writableLength > 0) return;
    }
  }

  readonly #onWritten = (): void => {
    this.#unconfirmed--;
    const batch = this.#batch;
    if (batch === undefined || this.#unconfirmed > 0) return;
    if (this.#nextPiece < batch.pieces.length) {
      this.#writeOn(batch);
      return;
    }
    this.#batch = undefined;
    this.#answerBytes = 0;
    batch.settle();
    if (!this.#scheduled) this.#flush();
  };
}
