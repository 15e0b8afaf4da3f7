import assert from "node:assert/strict";
import { test } from "node:test";
import { LevinError } from "../../src/base/mod.ts";
import { Call } from "../../src/rpc/call.ts";
import { rpcError } from "../../src/rpc/errors.ts";
import { H2Code } from "../../src/rpc/frames.ts";
import { ServerCode, ServerError } from "../../src/rpc/mod.ts";
import { timeoutHeader } from "../../src/rpc/transport.ts";
import { WireError, type WireKind } from "../../src/rpc/wire-error.ts";
import { ManualClock } from "./manual-clock.ts";

const place = { target: "127.0.0.1:20160", method: "x.Y/Z" };
const reset = new WireError("reset", "the server reset the stream: CANCEL", { h2Code: H2Code.cancel });

function start(options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  const clock = new ManualClock();
  return { clock, call: new Call({ clock, place, timeoutMs: options.timeoutMs, signal: options.signal }) };
}

test("our own timer decides: a reset by the server at that moment is the deadline", async () => {
  const { clock, call } = start({ timeoutMs: 1000 });
  await clock.advance(950);
  assert.equal(call.signal.aborted, false);
  assert.equal(call.fail(reset).code, "Levin:Rpc:ErrDeadline");
});

test("a reset long before the deadline is a lost call", async () => {
  const { clock, call } = start({ timeoutMs: 1000 });
  await clock.advance(500);
  const error = call.fail(reset);
  assert.equal(error.code, "Levin:Rpc:ErrUnavailable");
  assert.equal(error.fields["grpcCode"], ServerCode.Canceled);
  assert.equal(clock.sleepers, 0);
});

test("after the timer, whatever is caught is the deadline", async () => {
  const { clock, call } = start({ timeoutMs: 1000 });
  await clock.advance(1000);
  assert.equal(call.signal.aborted, true);
  const error = call.fail(new ServerError("context canceled", ServerCode.Canceled));
  assert.equal(error.message, "Cannot call x.Y/Z at 127.0.0.1:20160: no answer within 1000 ms");
});

test("a finished call leaves neither timer nor listener", async () => {
  const stop = new AbortController();
  const { clock, call } = start({ timeoutMs: 1000, signal: stop.signal });
  call.done();
  await clock.advance(5000);
  stop.abort();
  assert.equal(call.signal.aborted, false);
  assert.equal(clock.sleepers, 0);
});

test("blame comes before everything but the caller's own end of the call", () => {
  const { call } = start();
  call.blame(new LevinError("Levin:Engine:ErrCorrupt", "a block is damaged"));
  assert.equal(call.fail(reset).code, "Levin:Engine:ErrCorrupt");
  const stop = new AbortController();
  const other = start({ signal: stop.signal }).call;
  stop.abort(new LevinError("Levin:Command:ErrInterrupted", "interrupted"));
  other.blame(new Error("the generator was ended"));
  assert.equal(other.fail(reset).code, "Levin:Command:ErrInterrupted");
});

test("every kind of fault has a code, and keeps its words", () => {
  const codes: Record<WireKind, string> = {
    dns: "Levin:Rpc:ErrUnavailable",
    refused: "Levin:Rpc:ErrUnavailable",
    unreachable: "Levin:Rpc:ErrUnavailable",
    lost: "Levin:Rpc:ErrUnavailable",
    unprocessed: "Levin:Rpc:ErrUnavailable",
    overload: "Levin:Rpc:ErrUnavailable",
    ended: "Levin:Rpc:ErrUnavailable",
    tls: "Levin:Rpc:ErrTls",
    protocol: "Levin:Rpc:ErrProtocol",
    reset: "Levin:Rpc:ErrProtocol",
    deadline: "Levin:Rpc:ErrDeadline",
    stalled: "Levin:Rpc:ErrStalled",
    canceled: "Levin:Rpc:ErrCanceled",
    closed: "Levin:Rpc:ErrCanceled",
    source: "Levin:Internal:ErrUnexpected",
  };
  for (const [kind, code] of Object.entries(codes)) {
    const error = rpcError(place, new WireError(kind as WireKind, "the words"));
    assert.equal(error.code, code, kind);
    if (kind !== "source") assert.equal(error.message, "Cannot call x.Y/Z at 127.0.0.1:20160: the words");
  }
  assert.equal(rpcError(place, "anything").code, "Levin:Internal:ErrUnexpected");
  assert.equal(rpcError(place, undefined).code, "Levin:Internal:ErrUnexpected");
});

test("the timeout header has at most eight digits", () => {
  assert.equal(timeoutHeader(0.2), "1m");
  assert.equal(timeoutHeader(1500), "1500m");
  assert.equal(timeoutHeader(99_999_999), "99999999m");
  assert.equal(timeoutHeader(100_000_000), "100000S");
  assert.equal(timeoutHeader(Number.MAX_SAFE_INTEGER), "99999999S");
});
