import { systemClock } from "../../src/base/mod.ts";
import { type DialOptions, dial } from "../../src/rpc/dial.ts";
import type { HeaderList } from "../../src/rpc/hpack-decoder.ts";
import type { Session } from "../../src/rpc/session.ts";
import { type FakePeer, startFakeServer } from "./fake-peer.ts";

export const REQUEST: HeaderList = [
  [":method", "POST"],
  [":scheme", "http"],
  [":authority", "fake"],
  [":path", "/x.Y/Z"],
];

export interface Pair {
  readonly session: Session;
  readonly peer: FakePeer;
  close(): void;
}

export function dialOptions(port: number, options: Partial<DialOptions> = {}): DialOptions {
  return {
    clock: systemClock,
    host: "127.0.0.1",
    port,
    tls: undefined,
    connectTimeoutMs: 2000,
    pingIntervalMs: 0,
    pingTimeoutMs: 100,
    streamWindowBytes: 100_000,
    connectionWindowBytes: 200_000,
    maxHeaderListBytes: 8192,
    maxWaitingCalls: 4,
    ...options,
  };
}

/** A connection between our client and a peer played by hand, after the exchange of SETTINGS. */
export async function connectPair(
  settings: Record<number, number> = {},
  options: Partial<DialOptions> = {},
): Promise<Pair> {
  const server = await startFakeServer();
  const dialing = dial(dialOptions(server.port, options));
  const peer = await server.accept();
  peer.settings(settings);
  const session = await dialing;
  return { session, peer, close: () => server.close() };
}
