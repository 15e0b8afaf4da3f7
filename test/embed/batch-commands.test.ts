/** How TiDB's client talks to stores: many calls on one stream; and what it is told about services that are not there. */
import assert from "node:assert/strict";
import { connect } from "node:http2";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { BatchCommandsRequestSchema } from "../../gen/tikvpb_pb.ts";
import { openCluster, rowKey } from "./support.ts";

test("batch commands: answers carry the numbers of their calls", async () => {
  const { sandbox, tikv, pd, header } = await openCluster();
  try {
    const { region, leader } = await pd.getRegion({ header, regionKey: rowKey(1, 1) });
    const context = { regionId: region!.id, regionEpoch: region!.regionEpoch!, peer: leader! };
    async function* requests(): AsyncGenerator<MessageInitShape<typeof BatchCommandsRequestSchema>> {
      const get = { cmd: { case: "get" as const, value: { context, key: rowKey(1, 1), version: 1n } } };
      const stale = { ...context, regionEpoch: { confVer: 1n, version: 0n } };
      yield {
        requests: [
          { cmd: { case: "empty", value: { testId: 7n } } },
          get,
          { cmd: { case: "scan", value: { context: stale, startKey: rowKey(1, 1), limit: 1, version: 1n } } },
        ],
        requestIds: [10n, 11n, 12n],
      };
      yield { requests: [get], requestIds: [13n] };
    }
    const answers = new Map<bigint, string>();
    for await (const { responses, requestIds } of tikv[0]!.batchCommands(requests())) {
      for (const [i, { cmd }] of responses.entries()) {
        const detail =
          cmd.case === "get"
            ? cmd.value.notFound
            : cmd.case === "scan"
              ? cmd.value.regionError?.epochNotMatch !== undefined
              : "";
        answers.set(requestIds[i]!, `${cmd.case} ${detail}`);
      }
    }
    assert.deepEqual(
      [...answers].sort(([a], [b]) => Number(a - b)),
      [
        [10n, "empty "],
        [11n, "get true"],
        [12n, "scan true"],
        [13n, "get true"],
      ],
    );
    async function* unknown(): AsyncGenerator<MessageInitShape<typeof BatchCommandsRequestSchema>> {
      yield { requests: [{}], requestIds: [1n] };
    }
    await assert.rejects(
      async () => {
        for await (const _ of tikv[0]!.batchCommands(unknown())) assert.fail("an answer to nothing");
      },
      { code: Code.Unimplemented },
    );
  } finally {
    await sandbox.close();
  }
});

test("an unknown service is told in headers that end the stream: grpc-go takes no others for a status", async () => {
  const { sandbox } = await openCluster();
  const session = connect(`http://${sandbox.pd[0]}`);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/no.Service/Call",
      "content-type": "application/grpc",
    });
    stream.end(new Uint8Array(5));
    const [status, endsStream] = await new Promise<[unknown, boolean]>((resolve, reject) => {
      stream.on("error", reject);
      stream.on("response", (headers, flags) => resolve([headers["grpc-status"], (flags & 1) === 1]));
    });
    assert.deepEqual([String(status), endsStream], ["12", true]);
  } finally {
    session.close();
    await sandbox.close();
  }
});
