import { DEFAULT_WINDOW, MAX_WINDOW } from "./flow.ts";
import { DEFAULT_MAX_FRAME_BYTES, H2Code, LARGEST_MAX_FRAME_BYTES, PeerError, Setting } from "./frames.ts";
import { HEADER_TABLE_BYTES } from "./hpack-decoder.ts";

/** What the peer wants of us (RFC 9113 §6.5.2), with the values that hold until it says otherwise. */
export class PeerSettings {
  initialWindowBytes = DEFAULT_WINDOW;
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  maxStreams = Number.POSITIVE_INFINITY;
  maxHeaderListBytes = Number.POSITIVE_INFINITY;
  /** Its header table became smaller than the default; our next header block must say that we follow. */
  tableShrunk = false;

  readonly #role: "client" | "server";

  /** `role`: what the peer is. */
  constructor(role: "client" | "server") {
    this.#role = role;
  }

  /** Throws PeerError for a value that is not allowed. Unknown settings are ignored. */
  apply(id: number, value: number): void {
    switch (id) {
      case Setting.headerTableSize:
        if (value < HEADER_TABLE_BYTES) this.tableShrunk = true;
        break;
      case Setting.enablePush:
        // Whether a client takes pushes does not matter: there are none.
        if (value > 1) throw new PeerError(H2Code.protocolError, `SETTINGS_ENABLE_PUSH ${value}`);
        if (value === 1 && this.#role === "server") {
          throw new PeerError(H2Code.protocolError, "a server must not switch push on");
        }
        break;
      case Setting.maxConcurrentStreams:
        this.maxStreams = value;
        break;
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW) throw new PeerError(H2Code.flowControlError, `SETTINGS_INITIAL_WINDOW_SIZE ${value}`);
        this.initialWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES) {
          throw new PeerError(H2Code.protocolError, `SETTINGS_MAX_FRAME_SIZE ${value}`);
        }
        this.maxFrameBytes = value;
        break;
      case Setting.maxHeaderListSize:
        this.maxHeaderListBytes = value;
        break;
      default:
    }
  }
}
