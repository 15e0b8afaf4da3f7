import assert from "node:assert/strict";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fromHex, seededRandom, toHex } from "../../src/base/mod.ts";
import { dial } from "../../src/rpc/dial.ts";
import { HpackDecoder } from "../../src/rpc/hpack-decoder.ts";
import { hpackEncode } from "../../src/rpc/hpack-encoder.ts";
import { huffmanDecode } from "../../src/rpc/hpack-huffman.ts";
import { HUFFMAN_LENGTHS, STATIC_TABLE } from "../../src/rpc/hpack-tables.ts";
import { WireError } from "../../src/rpc/wire-error.ts";
import { dialOptions, REQUEST } from "./session-fixture.ts";

function hex(text: string): Uint8Array {
  return fromHex(text.replaceAll(/\s/g, ""));
}

const request1 = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const request2 = [...request1, ["cache-control", "no-cache"]];
const request3 = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];
const response = (status: string, date: string, ...rest: string[][]) => [
  [":status", status],
  ["cache-control", "private"],
  ["date", date],
  ["location", "https://www.example.com"],
  ...rest,
];
const response3Rest = [
  ["content-encoding", "gzip"],
  ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
];

/** RFC 7541, appendix C: blocks that follow each other on one connection. */
const vectors: [name: string, blocks: [bytes: string, headers: string[][]][]][] = [
  [
    "C.2.1 literal with indexing",
    [["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", [["custom-key", "custom-header"]]]],
  ],
  ["C.2.2 literal without indexing", [["040c 2f73 616d 706c 652f 7061 7468", [[":path", "/sample/path"]]]]],
  ["C.2.3 literal never indexed", [["1008 7061 7373 776f 7264 0673 6563 7265 74", [["password", "secret"]]]]],
  ["C.2.4 indexed", [["82", [[":method", "GET"]]]]],
  [
    "C.3 requests without Huffman",
    [
      ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", request1],
      ["8286 84be 5808 6e6f 2d63 6163 6865", [...request1.slice(0, 4), ["cache-control", "no-cache"]]],
      ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", request3],
    ],
  ],
  [
    "C.4 requests with Huffman",
    [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", request1],
      ["8286 84be 5886 a8eb 1064 9cbf", request2],
      ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", request3],
    ],
  ],
  [
    "C.5 responses without Huffman, table of 256 bytes",
    [
      [
        "3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        response("302", "Mon, 21 Oct 2013 20:13:21 GMT"),
      ],
      ["4803 3330 37c1 c0bf", response("307", "Mon, 21 Oct 2013 20:13:21 GMT")],
      [
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
        response("200", "Mon, 21 Oct 2013 20:13:22 GMT", ...response3Rest),
      ],
    ],
  ],
  [
    "C.6 responses with Huffman, table of 256 bytes",
    [
      [
        "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        response("302", "Mon, 21 Oct 2013 20:13:21 GMT"),
      ],
      ["4883 640e ffc1 c0bf", response("307", "Mon, 21 Oct 2013 20:13:21 GMT")],
      [
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        response("200", "Mon, 21 Oct 2013 20:13:22 GMT", ...response3Rest),
      ],
    ],
  ],
];

for (const [name, blocks] of vectors) {
  test(`RFC 7541 ${name}`, () => {
    const decoder = new HpackDecoder(16_384);
    for (const [bytes, headers] of blocks) assert.deepEqual(decoder.decode(hex(bytes)), headers);
  });
}

test("the Huffman code is complete and has the static table's size beside it", () => {
  assert.equal(HUFFMAN_LENGTHS.length, 257);
  assert.equal(
    HUFFMAN_LENGTHS.reduce((sum, length) => sum + 2 ** -length, 0),
    1,
  );
  assert.equal(STATIC_TABLE.length, 61);
});

const faults: [what: string, bytes: string, text: RegExp][] = [
  ["index 0", "80", /index 0 does not exist/],
  ["an index beyond the table", "be", /index 62 does not exist/],
  ["a name index beyond the table", "7f00 0161", /does not exist/],
  ["an integer without end", "ffffffffffffff", /integer too large/],
  ["an integer that is too large", "7fffffff7f", /integer too large/],
  ["a block that ends in an integer", "ff", /ends inside an integer/],
  ["a block that ends before a value", "04", /ends before a string/],
  ["a string longer than its block", "0403 6162", /ends inside a string/],
  ["a table size update after a header", "8220", /table size update after/],
  ["a table size above the limit", "3fe21f", /table size update to 4097/],
  ["padding that is not ones", "0481 18", /bad padding/],
  ["padding longer than seven bits", "0482 1fff", /bad padding/],
  ["the end-of-string symbol", "0484 ffff ffff", /end-of-string/],
];

for (const [what, bytes, text] of faults) {
  test(`decoder refuses ${what}`, () => {
    assert.throws(() => new HpackDecoder(4096).decode(hex(bytes)), text);
  });
}

test("a list that is too large is dropped, and the table goes on", () => {
  const decoder = new HpackDecoder(100);
  const long = `40 0161 7f${toHex(Uint8Array.of(0))} ${"62".repeat(127)}`;
  assert.equal(decoder.decode(hex(long)), undefined);
  assert.equal(decoder.decode(hex("be")), undefined);
  assert.deepEqual(decoder.decode(hex("82")), [[":method", "GET"]]);
});

test("a small block cannot blow up", () => {
  const decoder = new HpackDecoder(8192);
  const value = "62".repeat(3000);
  decoder.decode(hex(`40 0161 7f b916 ${value}`));
  assert.equal(decoder.decode(new Uint8Array(60_000).fill(0xbe)), undefined);
});

test("the encoder's blocks decode to the same headers and leave no trace in the table", () => {
  const headers = [
    [":method", "POST"],
    [":scheme", "https"],
    [":path", "/import_sstpb.ImportSST/Write"],
    [":authority", "127.0.0.1:20160"],
    ["te", "trailers"],
    ["content-type", "application/grpc+proto"],
    ["x-long", "v".repeat(5000)],
    ["x-bytes", "\u00e4\u00ff"],
    ["x-empty", ""],
  ] as [string, string][];
  const block = hpackEncode(headers);
  assert.deepEqual([...block.subarray(0, 2)], [0x83, 0x87]);
  const decoder = new HpackDecoder(100_000);
  assert.deepEqual(decoder.decode(block), headers);
  assert.throws(() => decoder.decode(hex("be")), /does not exist/);
});

test("Huffman strings of every byte", () => {
  // 0x00 to 0xff, coded by hand from the canonical order, so that the table is used in the other direction.
  const order = HUFFMAN_LENGTHS.map((length, symbol) => ({ length, symbol })).sort(
    (a, b) => a.length - b.length || a.symbol - b.symbol,
  );
  const codes = new Map<number, string>();
  let code = 0n;
  let previous = 0;
  for (const { length, symbol } of order) {
    code <<= BigInt(length - previous);
    previous = length;
    codes.set(symbol, code.toString(2).padStart(length, "0"));
    code++;
  }
  for (let symbol = 0; symbol < 256; symbol++) {
    const bits = codes.get(symbol)! + codes.get(97)!;
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
    const bytes = Uint8Array.from(padded.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
    assert.equal(huffmanDecode(bytes, 0, bytes.length), `${String.fromCharCode(symbol)}a`);
  }
});

test("headers as the runtime's own HTTP/2 server codes them", async () => {
  const random = seededRandom(7);
  const letters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join("");
  const text = (length: number) =>
    Array.from({ length }, () => letters[Math.floor(random.next() * letters.length)]).join("");
  const names = Array.from({ length: 30 }, (_, i) => `x-${i}-${"n".repeat(i)}`);
  const rounds = Array.from({ length: 20 }, () => Object.fromEntries(names.map((name, i) => [name, text(1 + i * 4)])));
  // Repeated values make the server use its dynamic table.
  for (let round = 1; round < rounds.length; round += 2)
    rounds[round] = { ...rounds[round - 1]!, ...{ "x-3-nnn": "new" } };
  let round = 0;
  const server = http2.createServer();
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.respond({ ":status": 200, ...rounds[round] });
    stream.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session = await dial(dialOptions((server.address() as AddressInfo).port, { maxHeaderListBytes: 65_536 }));
  for (round = 0; round < rounds.length; round++) {
    const stream = (await session.open(REQUEST))!;
    stream.end();
    const { headers } = await stream.head;
    for (const [name, value] of Object.entries(rounds[round]!))
      assert.equal(headers.get(name), value, `round ${round}`);
    await stream.over;
  }
  session.close(new WireError("closed", "done"));
  server.close();
});
